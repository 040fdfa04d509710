"""What a user says about a file: its format and its mapping, from a small TOML or JSON file, or from arguments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.base.time import time_zone
from farthing.core.events.exact_json import decode_json
from farthing.core.events.fields import below, read_choice, read_flag, read_object, read_text
from farthing.core.events.parse import CUSTOMER_KEY
from farthing.core.events.properties import PROPERTY_NAME_LONGEST, property_text
from farthing.edges.files.csv_rows import PLAIN, Dialect, dialect
from farthing.edges.files.lines import unreadable
from farthing.edges.files.mapping import PARTS, ColumnMapping
from farthing.edges.files.refusals import MAPPING_FIELD_TWICE, MAPPING_MALFORMED
from farthing.edges.files.wall_clock import UNIX, Repeated, TimeRules

Format = Literal["csv", "ndjson", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
_REPEATED: tuple[Repeated, ...] = get_args(Repeated)
_SECTIONS = ("file", "columns", "constants", "templates", "other_columns", "timestamp")
_FILE = ("format", "delimiter", "encoding", "header")
_TIMESTAMP = ("time_zone", "format", "repeated", "truncate")
COLUMN_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class FileOptions:
    """`format` None goes by the file's name. `mapping` None: CSV and Parquet by the names of their columns; NDJSON and JSON hold
    event documents already, and with a mapping are rows of columns as well."""

    format: Format | None = None
    dialect: Dialect = PLAIN
    mapping: ColumnMapping | None = None


def read_options(path: Path) -> FileOptions:
    """The options in a TOML file, or a JSON one if its name ends so. Errors: file_unreadable, mapping_malformed, and those of
    `parse_options`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path.name, error) from None
    if path.suffix == ".json":
        return parse_options(decode_json(raw))
    try:
        return parse_options(tomllib.loads(raw.decode("utf-8-sig"), parse_float=Decimal))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(MAPPING_MALFORMED, f"{path.name}: {error}.") from None


def parse_options(document: object) -> FileOptions:
    """The options that a document states: `file` {format, delimiter, encoding, header}, `columns`, `constants`, `templates` (each
    field → text), `other_columns` ("ignore" or "keep"), `timestamp` {time_zone, format, repeated, truncate}.

    Errors: field_…, text_…, time_zone_unknown, encoding_unsupported, mapping_field_twice.
    """
    sections = read_object(document, None, _SECTIONS)
    file = _section(sections, "file", _FILE)
    form, delimiter = file.get("format"), file.get("delimiter")
    others = read_choice(sections.get("other_columns", "ignore"), "other_columns", ("ignore", "keep")) == "keep"
    mapping = ColumnMapping(
        columns=_fields(sections, "columns"),
        constants=_fields(sections, "constants"),
        templates=_fields(sections, "templates"),
        others=others,
        time=_time_rules(_section(sections, "timestamp", _TIMESTAMP)),
    )
    _check_once(mapping)
    return FileOptions(
        format=None if form is None else _format(form),
        dialect=dialect(
            delimiter=None if delimiter is None else read_text(delimiter, "file.delimiter", 10),
            encoding=read_text(file.get("encoding", "utf-8"), "file.encoding", 40),
            header=read_flag(file.get("header", True), "file.header"),
        ),
        mapping=mapping if set(sections) - {"file"} else None,
    )


def options_from_arguments(
    columns: Iterable[str] = (), constants: Iterable[str] = (), templates: Iterable[str] = (), **rest: Mapping[str, Any] | str
) -> FileOptions:
    """The options of a command line: each of `columns` is "field=column", of `constants` "field=text", of `templates`
    "field=text with {column}". `rest` are the other sections of `parse_options`. Errors: mapping_malformed, and those."""
    pairs = {"columns": _pairs(columns), "constants": _pairs(constants), "templates": _pairs(templates)}
    return parse_options({**{name: found for name, found in pairs.items() if found}, **rest})


def _pairs(arguments: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not (name and equals and text):
            raise Refusal(MAPPING_MALFORMED, f"{argument[:60]!r} is not field=….")
        if name in pairs:
            raise Refusal(MAPPING_FIELD_TWICE, f"{name[:60]} is given twice.", name[:100])
        pairs[name] = text
    return pairs


def _section(sections: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    return read_object(sections.get(name, {}), name, allowed)


def _fields(sections: Mapping[str, Any], section: str) -> dict[str, str]:
    """Field → text. `payload.x` names the property x, where x would otherwise be a part of the event."""
    found: dict[str, str] = {}
    for raw_name, raw in read_object(sections.get(section, {}), section).items():
        place = below(section, str(raw_name)[:100])
        name = read_text(raw_name, place, PROPERTY_NAME_LONGEST)
        name = "customer" if name.removeprefix("payload.") == CUSTOMER_KEY else name
        if name.startswith("payload.") and name.removeprefix("payload.") not in PARTS:
            name = name.removeprefix("payload.")
        if name in found:
            raise Refusal(MAPPING_FIELD_TWICE, f"{name} is given twice.", place)
        text = read_text(raw, place, COLUMN_LONGEST) if section != "constants" else property_text(raw, place)
        if not text:
            raise Refusal(FIELD_INVALID, "a constant is not empty.", place)
        found[name] = text
    return found


def _check_once(mapping: ColumnMapping) -> None:
    seen: set[str] = set()
    for section in (mapping.columns, mapping.constants, mapping.templates):
        for name in section:
            if name in seen:
                raise Refusal(MAPPING_FIELD_TWICE, f"{name} is filled from two places.", name)
            seen.add(name)


def _format(raw: object) -> Format:
    chosen = read_choice(raw, "file.format", FORMATS)
    return next(known for known in FORMATS if known == chosen)


def _time_format(form: str) -> str:
    """A format that can be read with. Errors: mapping_malformed."""
    if form not in UNIX:
        try:
            datetime.strptime("", form)
        except (ValueError, re.error) as error:
            if isinstance(error, re.error) or "does not match" not in str(error):
                raise Refusal(MAPPING_MALFORMED, f"{form} is no time format: {error}.", "timestamp.format") from None
    return form


def _time_rules(section: Mapping[str, Any]) -> TimeRules:
    zone, form = section.get("time_zone"), section.get("format")
    chosen = read_choice(section.get("repeated", "earlier"), "timestamp.repeated", _REPEATED)
    return TimeRules(
        zone=None if zone is None else time_zone(read_text(zone, "timestamp.time_zone", 100), "timestamp.time_zone").key,
        format=None if form is None else _time_format(read_text(form, "timestamp.format", 100)),
        repeated=next(known for known in _REPEATED if known == chosen),
        truncate=read_flag(section.get("truncate", False), "timestamp.truncate"),
    )
