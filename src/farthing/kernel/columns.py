"""Typed columns of numbers, as they stand in a table, and how they become integers.

DuckDB's DECIMAL(p,s) is an integer and a fixed scale, so it is exact; what loses digits is mixing scales, `/`, and casts to a
smaller scale. Columns are therefore summed, compared and sorted as they are, and turned into integers before any arithmetic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from farthing.core.base.exact import DECIMAL_DIGITS, WHOLE_DIGITS
from farthing.core.base.rounding import RoundingMode, round_to_whole
from farthing.core.events.condition import NumberOperator
from farthing.kernel.domain import OutsideDomain
from farthing.kernel.numbers import HUGE, Num, literal, width_of

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s?(\d+)\)")
_INTEGERS = {
    "TINYINT": (-(2**7), 2**7 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
    "UTINYINT": (0, 2**8 - 1),
    "USMALLINT": (0, 2**16 - 1),
    "UINTEGER": (0, 2**32 - 1),
    "UBIGINT": (0, 2**64 - 1),
}
ROWS_BOUND = 10**12
"""More events than any table holds: bounds the sum of a column."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column `sql` of an integer or DECIMAL type, worth integer / 10**scale with low ≤ integer ≤ high; NULL: no number."""

    sql: str
    type: str
    precision: int  # 0 for an integer type
    scale: int
    low: int
    high: int

    @property
    def is_decimal(self) -> bool:
        """Whether the type is DECIMAL (else an integer)."""
        return self.precision > 0


def number_column(sql: str, type_name: str, hint: tuple[int, int] | None = None) -> NumberColumn | None:
    """The column as numbers; None when it is of no exact number type. `hint` narrows its bounds (integers at the column's scale).

    Errors: OutsideDomain for a DECIMAL that holds numbers which core calls unreadable.
    """
    if type_name in _INTEGERS:
        low, high = _INTEGERS[type_name]
        return NumberColumn(sql, type_name, 0, 0, *_narrowed(low, high, hint))
    match = _DECIMAL.fullmatch(type_name)
    if match is None:
        return None
    precision, scale = int(match[1]), int(match[2])
    if scale > DECIMAL_DIGITS or precision - scale > WHOLE_DIGITS:
        raise OutsideDomain(f"a column of {type_name} may hold numbers beyond {WHOLE_DIGITS} whole or {DECIMAL_DIGITS} decimal digits")
    return NumberColumn(sql, f"DECIMAL({precision},{scale})", precision, scale, *_narrowed(1 - 10**precision, 10**precision - 1, hint))


def _narrowed(low: int, high: int, hint: tuple[int, int] | None) -> tuple[int, int]:
    return (low, high) if hint is None else (max(low, hint[0]), min(high, hint[1]))


def integer(column: NumberColumn) -> Num:
    """The column's integer at its own scale, over 10**scale."""
    den, width = 10**column.scale, width_of(column.low, column.high)
    return Num(_integer_sql(column, width), den, column.low, column.high, width)


def _integer_sql(column: NumberColumn, width: str) -> str:
    c, s = column.sql, column.scale
    if not column.is_decimal or s == 0:
        return f"CAST({c} AS {width})"
    one = f"CAST({10**s} AS DECIMAL({s + 1},0))"
    reach = max(-column.low, column.high) * 10**s
    # DECIMAL × DECIMAL keeps the scale s here, so the product is a whole number, and the cast exact
    if reach < 10**18 and column.precision <= 18:
        return f"CAST(CAST({c} AS DECIMAL(18,{s})) * {one} AS {width})"
    if reach < 10**38:
        return f"CAST(CAST({c} AS DECIMAL(38,{s})) * {one} AS {width})"
    whole = f"CAST(CAST(trunc({c}) AS HUGEINT) * {literal(10**s, 'HUGEINT')} AS {width})"
    return f"({whole} + CAST((CAST({c} AS DECIMAL(38,{s})) - CAST(trunc({c}) AS DECIMAL(38,{s}))) * {one} AS {width}))"


def summed(column: NumberColumn) -> tuple[str, NumberColumn]:
    """An aggregate that sums the column, and what it yields (with `sql` still to be named). Overflow raises.

    A DECIMAL of up to 18 digits is summed as it is; a wider one as integers, so that the sum may use all of HUGEINT.
    """
    low, high = min(column.low, 0) * ROWS_BOUND, max(column.high, 0) * ROWS_BOUND
    if column.is_decimal and column.precision <= 18:
        return f"sum({column.sql})", NumberColumn("", f"DECIMAL(38,{column.scale})", 38, column.scale, low, high)
    num = integer(column)
    bounds = max(low, -HUGE), min(high, HUGE)
    return f"sum({num.sql})", NumberColumn("", "HUGEINT", 0, column.scale, *bounds)


def named(column: NumberColumn, sql: str) -> NumberColumn:
    """The same kind of column under another name."""
    return NumberColumn(sql, column.type, column.precision, column.scale, column.low, column.high)


def as_num(column: NumberColumn) -> Num:
    """A column that a query yielded: a DECIMAL as its integer, a HUGEINT (already an integer at `scale`) as it is."""
    if column.is_decimal:
        den, width = 10**column.scale, width_of(column.low, column.high)
        return Num(_integer_sql(column, width), den, column.low, column.high, width)
    width = "HUGEINT" if column.type == "HUGEINT" else width_of(column.low, column.high)
    return Num(f"CAST({column.sql} AS {width})", 10**column.scale, column.low, column.high, width)


def holds(column: NumberColumn, operator: NumberOperator, bound: Fraction) -> str:
    """Whether the column's number passes, as SQL that is never NULL: what is no number does not pass."""
    scaled = bound * 10**column.scale
    # on the column's grid, n < b is n < ceil(b), n <= b is n <= floor(b), and so on
    edge = round_to_whole(scaled, RoundingMode.UP if operator in ("lt", "gte") else RoundingMode.DOWN)
    low, high = (1 - 10**column.precision, 10**column.precision - 1) if column.is_decimal else _INTEGERS[column.type]
    if not low <= edge <= high:
        everything = (edge > 0) == (operator in ("lt", "lte"))
        return f"({column.sql} IS NOT NULL)" if everything else "FALSE"
    sign = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[operator]
    return f"coalesce({column.sql} {sign} {_on_grid(edge, column)}, FALSE)"


def _on_grid(edge: int, column: NumberColumn) -> str:
    """The constant edge / 10**scale in the column's own type: comparing unlike DECIMALs could cut digits."""
    if not column.is_decimal:
        return literal(edge, width_of(edge, edge))
    sign, digits = ("-" if edge < 0 else ""), str(abs(edge)).rjust(column.scale + 1, "0")
    point = len(digits) - column.scale
    return f"CAST('{sign}{digits[:point]}.{digits[point:]}' AS {column.type})"
