"""Columns by role: keys, place, time, and each property as the text or the number that the job needs.

Text columns are read into numbers here, exactly as `core.base.exact.parse_number` reads them: a plain decimal of up to 20 whole and
18 decimal digits is a number; one with an exponent is left to core, with its charge; anything else is no number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from farthing.core.usage.meter import Aggregation
from farthing.kernel.columns import NumberColumn, named, number_column
from farthing.kernel.domain import OutsideDomain
from farthing.kernel.engine import Engine
from farthing.kernel.job import Job
from farthing.kernel.source import Source

PLAIN = r"[+-]?(0*[0-9]{1,20}(\.[0-9]{0,18}0*)?|\.[0-9]{1,18}0*)"
EXPONENT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]{1,3}"
_TEXT_NUMBER = "DECIMAL(38,18)"
_INTEGER_KEYS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}


@dataclass(slots=True)
class Typed:
    """Events as a relation with columns k0… (charge, then groups), position, at, and the properties by role."""

    relation: str
    keys: tuple[str, ...]
    key_types: tuple[str, ...]
    numbers: dict[str, NumberColumn] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    present: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    outside: list[tuple[Any, ...]] = field(default_factory=list)
    temporary: str | None = None

    def key_list(self, prefix: str = "") -> str:
        """The keys, comma-separated."""
        return ", ".join(prefix + key for key in self.keys)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which place of the source has which role."""

    charge: tuple[int, ...]
    position: int
    at: int
    properties: Mapping[str, int]


def find_roles(source: Source, job: Job, charge_columns: tuple[str, ...], properties: Mapping[str, str] | None) -> Roles:
    """Find the columns by name. Errors: ValueError for charge, position or at; OutsideDomain for a property without column."""
    reserved = (*charge_columns, "position", "at")
    places = {name: index for index, name in enumerate(source.names)}
    for name in reserved:
        if name not in places or source.names.count(name) > 1:
            raise ValueError(f"the events need one column {name!r}; they have {list(source.names)}")
    found: dict[str, int] = {}
    for name in dict.fromkeys((*job.numbers(), *job.texts(), *job.presences())):
        column = (properties or {}).get(name, name)
        if column not in places or ((properties is None or name not in properties) and column in reserved):
            raise OutsideDomain(f"no column holds the property {name!r}")
        if source.names.count(column) > 1:
            raise OutsideDomain(f"several columns are named {column!r}")
        found[name] = places[column]
    return Roles(tuple(places[name] for name in charge_columns), places["position"], places["at"], found)


def typed_columns(source: Source, roles: Roles, job: Job) -> Typed:
    """The relation's columns by role, text not read into numbers yet. Errors: OutsideDomain for a type that cannot serve."""
    for index in (roles.position, roles.at):
        if source.types[index] not in _INTEGER_KEYS:
            raise OutsideDomain(f"the column {source.names[index]!r} is {source.types[index]}, not an integer")
    select, types = [], []
    for number, index in enumerate(roles.charge):
        types.append(_key_type(source, index))
        select.append(f"c{index} AS k{number}")
    for number, name in enumerate(job.meter.group_by, start=len(roles.charge)):
        types.append("VARCHAR")
        select.append(f"coalesce({_text(source, roles.properties[name], name)}, '') AS k{number}")
    typed = Typed("", tuple(f"k{number}" for number in range(len(types))), tuple(types), params=dict(source.params))
    select += [f"CAST(c{roles.position} AS BIGINT) AS position", f'CAST(c{roles.at} AS BIGINT) AS "at"']
    select += _roles(source, roles, job, typed)
    typed.relation = f"SELECT {', '.join(select)} FROM {source.relation} WHERE {_time(job, roles)}"
    return typed


def _time(job: Job, roles: Roles) -> str:
    before = f"c{roles.at} < {job.interval.end}"
    return before if job.carries else f"c{roles.at} >= {job.interval.start} AND {before}"


def _key_type(source: Source, index: int) -> str:
    if source.types[index] not in (*_INTEGER_KEYS, "VARCHAR"):
        raise OutsideDomain(f"the charge column {source.names[index]!r} is {source.types[index]}, neither an integer nor text")
    return source.types[index]


def _roles(source: Source, roles: Roles, job: Job, typed: Typed) -> Iterator[str]:
    """Select items for the properties; fills the roles of `typed`."""
    for i, name in enumerate(job.numbers()):
        column = number_column(f"n{i}", source.types[roles.properties[name]], source.bounds.get(roles.properties[name]))
        if column is None:
            _text(source, roles.properties[name], name)
            column = NumberColumn(f"n{i}", "VARCHAR", 0, 0, 0, 0)
        typed.numbers[name] = column
        yield f"{_raw(source, roles.properties[name])} AS n{i}"
    for i, name in enumerate(job.texts()):
        distinct = (
            name == job.meter.value_key and job.measured is Aggregation.UNIQUE_COUNT and source.types[roles.properties[name]].startswith("DECIMAL")
        )
        typed.texts[name] = f"t{i}"
        yield f"{_text(source, roles.properties[name], name, distinct)} AS t{i}"
    for i, name in enumerate(job.presences()):
        typed.present[name] = f"h{i}"
        yield f"(c{roles.properties[name]} IS NOT NULL) AS h{i}"


def _raw(source: Source, index: int) -> str:
    return f"CAST(c{index} AS VARCHAR)" if source.types[index].startswith("ENUM") else f"c{index}"


def _text(source: Source, index: int, name: str, distinct: bool = False) -> str:
    """The property as core's text of it. An integer's text is its digits; that of a DECIMAL would drop zeros, which SQL does not."""
    kind = source.types[index]
    if kind == "VARCHAR":
        return f"c{index}"
    if kind.startswith("ENUM") or kind in (*_INTEGER_KEYS, "UBIGINT"):
        return f"CAST(c{index} AS VARCHAR)"
    if distinct:
        return f"CAST(c{index} AS VARCHAR)"  # one column has one scale, so texts differ exactly where numbers do
    raise OutsideDomain(f"the property {name!r} stands in a column of {kind}")


def check_uses(source: Source, roles: Roles, job: Job) -> None:
    """A DECIMAL column may not be compared as text, even where its distinct values may be counted. Errors: OutsideDomain."""
    tested = {test.property for condition in job.conditions() for test in condition.tests if getattr(test, "operator", "") in ("in", "not_in")}
    for name in (*job.meter.group_by, *sorted(tested)):
        _text(source, roles.properties[name], name)


def needs_reading(typed: Typed) -> bool:
    """Whether some number stands in a text column."""
    return any(column.type == "VARCHAR" for column in typed.numbers.values())


def read_numbers(engine: Engine, typed: Typed) -> Typed:
    """Read the events, once, into a temporary table, text columns as numbers; and measure how many digits these really have."""
    texts = {name: column for name, column in typed.numbers.items() if column.type == "VARCHAR"}
    if not texts:
        table = engine.make("typed", typed.relation, typed.params, {})
        return replace(typed, relation=f"SELECT * FROM {table.name}", params={}, temporary=table.name)
    readings, odd = [], []
    for column in texts.values():
        plain = f"(length({column.sql}) <= 200 AND regexp_full_match({column.sql}, '{PLAIN}'))"
        number = f"(CASE WHEN {plain} THEN TRY_CAST({column.sql} AS {_TEXT_NUMBER}) END)"
        readings.append(f"{number} AS {column.sql}")
        odd.append(f"coalesce(length({column.sql}) <= 200 AND regexp_full_match({column.sql}, '{EXPONENT}'), FALSE)")
        odd.append(f"coalesce({plain} AND {number} IS NULL, FALSE)")
    sql = f"SELECT * REPLACE ({', '.join(readings)}), ({' OR '.join(odd)}) AS odd FROM ({typed.relation})"
    table = engine.make("typed", sql, typed.params, {column.sql: _TEXT_NUMBER for column in texts.values()} | {"odd": "BOOLEAN"})
    outside = engine.rows(f"SELECT DISTINCT {typed.key_list()} FROM {table.name} WHERE odd")
    if outside:
        same = " AND ".join(f"o.{key} = e.{key}" for key in typed.keys)
        odd_keys = f"SELECT DISTINCT {typed.key_list()} FROM {table.name} WHERE odd"
        kept = engine.make("typed", f"SELECT * FROM {table.name} AS e WHERE NOT EXISTS (SELECT 1 FROM ({odd_keys}) AS o WHERE {same})", {}, {})
        engine.drop(table.name)
        table = kept
    numbers = typed.numbers | _measured(engine, table.name, texts)
    return replace(typed, relation=f"SELECT * FROM {table.name}", numbers=numbers, params={}, outside=outside, temporary=table.name)


def _measured(engine: Engine, table: str, texts: Mapping[str, NumberColumn]) -> dict[str, NumberColumn]:
    """Each text column as a DECIMAL of just the digits that its values have; the cast drops zeros only."""
    items = []
    for column in texts.values():
        shown = f"CAST({column.sql} AS VARCHAR)"
        decimals = f"max(length(rtrim({shown}, '0')) - strpos({shown}, '.'))"
        items += [f"coalesce({decimals}, 0)", f"coalesce(min({column.sql}), 0)", f"coalesce(max({column.sql}), 0)"]
    row = engine.rows(f"SELECT {', '.join(items)} FROM {table}")[0]
    found: dict[str, NumberColumn] = {}
    for i, (name, column) in enumerate(texts.items()):
        scale, low, high = int(row[3 * i]), _at_18(row[3 * i + 1]), _at_18(row[3 * i + 2])
        low, high = (end // 10 ** (18 - scale) for end in (low, high))
        digits = max(len(str(abs(low))), len(str(abs(high))), scale + 1)
        precision = 18 if digits <= 18 else 38
        cast = NumberColumn("", f"DECIMAL({precision},{scale})", precision, scale, low, high)
        found[name] = named(cast, f"CAST({column.sql} AS {cast.type})")
    return found


def _at_18(value: Decimal | int) -> int:
    """The integer over 10**18: through a fraction, since Decimal's own arithmetic keeps 28 digits and these have up to 38."""
    return int(Fraction(value) * 10**18)
