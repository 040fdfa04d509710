"""Rows of columns → event documents: which column, constant or template fills which field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING
from farthing.core.events.fields import read_object
from farthing.core.events.parse import CUSTOMER_KEY
from farthing.edges.files.refusals import COLUMN_MISSING, MAPPING_FIELD_TWICE, MAPPING_INCOMPLETE
from farthing.edges.files.wall_clock import AS_WRITTEN, TimeRules, timestamp_text

PARTS = ("identifier", "event_name", "timestamp", "customer")
"""The fields of an event that every mapping fills. Every other field is a property of the payload; a property that has the name
of a part is written with `payload.` before it."""

FILE, ROW = "#file", "#row"
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where an event's fields come from. Each field is in at most one of the three.

    `columns`: field → column. `constants`: field → the same text for every row. `templates`: field → text in which `{column}`,
    `{#file}` (the file's name) and `{#row}` (the number of the data row, from 1) are put in. `others`: columns not named anywhere
    fill the field of their own name. `time`: how the timestamp is written.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    others: bool = False
    time: TimeRules = AS_WRITTEN

    def placeholders(self) -> set[str]:
        """The columns that templates name."""
        return {name for text in self.templates.values() for name in _PLACEHOLDER.findall(text)} - {FILE, ROW}


AS_NAMED = ColumnMapping(others=True)
"""Columns fill the fields of their own names; what a file without a mapping has."""


class Mapper:
    """A mapping made ready for one file. `columns` are the file's, or None where every row has its own (NDJSON).

    Errors: column_missing, mapping_incomplete.
    """

    def __init__(self, mapping: ColumnMapping, file: str, columns: Collection[str] | None) -> None:
        self.mapping, self.file = mapping, file
        self._taken = {*mapping.columns.values(), *mapping.placeholders()}
        self._filled = {*mapping.columns, *mapping.constants, *mapping.templates}
        self._sources = dict(mapping.columns)
        if columns is not None:
            self._check(columns)
            self._sources.update(self._by_name(columns))
        self._fixed = columns is not None or not mapping.others
        self._escaped = [name for name in self._filled if name.startswith("payload.")]
        self._templates = {name: _template(text) for name, text in mapping.templates.items()}

    def _check(self, columns: Collection[str]) -> None:
        for name in sorted(self._taken):
            if name not in columns:
                raise Refusal(COLUMN_MISSING, f"{self.file} has no column {name[:60]!r}; it has {', '.join(sorted(columns))[:300]}.", name[:100])
        for part in PARTS:
            if part not in self._filled and part not in self._by_name(columns):
                raise Refusal(MAPPING_INCOMPLETE, f"nothing fills {part} in {self.file}.", part)

    def _by_name(self, columns: Collection[str]) -> dict[str, str]:
        """Field → column for the columns that are named nowhere, when those fill the fields of their own names."""
        if not self.mapping.others:
            return {}
        named: dict[str, str] = {}
        for column in columns:
            name = "customer" if column == CUSTOMER_KEY else column
            if not name or column in self._taken or name in self._filled:
                continue
            if name in named:
                raise Refusal(MAPPING_FIELD_TWICE, f"the columns {named[name]} and {column} both fill {name}.", column[:100])
            named[name] = column
        return named

    def used(self, columns: Collection[str]) -> list[str]:
        """Those of a file's columns that the mapping reads, in the file's order."""
        sources = {*self._sources.values(), *self._taken, *self._by_name(columns).values()}
        return [column for column in columns if column in sources]

    def source(self, name: str) -> str | None:
        """The column that a field comes from, if it comes from one."""
        return self._sources.get(name)

    def document(self, row: Columns, number: int) -> dict[str, Any]:
        """The event document of one row, an empty or null column being absent.

        Errors: timestamp_…, wall_clock_…, field_missing (a column that a template needs).
        """
        fields: dict[str, Any] = dict(self.mapping.constants)
        sources = self._sources if self._fixed else {**self._sources, **self._by_name(row.keys())}
        for name, column in sources.items():
            value = row.get(column)
            if value is not None and value != "":
                fields[name] = value
        for name, template in self._templates.items():
            fields[name] = template(row, self.file, number)
        timestamp = fields.pop("timestamp", None)
        document = {
            "identifier": _text(fields.pop("identifier", None)),
            "event_name": fields.pop("event_name", None),
            "timestamp": None if timestamp is None else timestamp_text(timestamp, self.mapping.time),
        }
        customer = _text(fields.pop("customer", None))
        for name in self._escaped:
            if name in fields:
                fields[name.removeprefix("payload.")] = fields.pop(name)
        return {**document, "payload": {CUSTOMER_KEY: customer, **fields}}

    def row_document(self, row: object, number: int) -> dict[str, Any]:
        """`document` of a row that may be anything. Errors: not_an_object, and those of `document`."""
        return self.document(read_object(row, None), number)

    def place(self, path: str | None) -> str | None:
        """Where the sender finds the field of an event document: its column where it has one, else the field itself."""
        if path is None:
            return None
        name = path.removeprefix("payload.")
        field_name = "customer" if name == CUSTOMER_KEY else path if path in self._escaped else name
        return self._sources.get(field_name, field_name)


def _text(value: object) -> object:
    """Identifiers are text, though columns of whole numbers often hold them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    return value


def _template(text: str) -> Callable[[Columns, str, int], str]:
    parts = _PLACEHOLDER.split(text)  # text, name, text, name, …, text

    def fill(row: Columns, file: str, number: int) -> str:
        filled = [parts[0]]
        for name, after in zip(parts[1::2], parts[2::2], strict=True):
            value = file if name == FILE else number if name == ROW else row.get(name)
            if value is None or value == "":
                raise Refusal(FIELD_MISSING, f"the template needs {name[:60]!r}, which is empty.", name[:100])
            filled += (str(value), after)
        return "".join(filled)

    return fill
