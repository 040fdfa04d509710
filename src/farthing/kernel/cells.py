"""One row a charge and cell, with its trace in columns: steps, segments or fees, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from farthing.core.rating.program import Cell, Curve, Include, Program, RoundUnits, Scale, Segment, Step
from farthing.kernel.fees import Charged
from farthing.kernel.layers import Layers
from farthing.kernel.numbers import BIG, HUGE, Num, add, at_den, choose, compare, const, greatest, least, retyped, rounded, sub, times
from farthing.kernel.usage import Measured

Kind = Literal["BIGINT", "HUGEINT"]
ZERO = Fraction(0)


@dataclass(slots=True)
class CellColumns:
    """A query that yields one cell's rows: `numbers` are exact (their columns hold integers over `den`), `counts` are counts."""

    layers: Layers
    counts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Num] = field(default_factory=dict)
    refused: str = "CAST(NULL AS BIGINT)"

    def denominators(self) -> dict[str, int]:
        """The denominator of each number column."""
        return {name: num.den for name, num in self.numbers.items()}


COUNTS = {"events": "n", "set_aside": "aside", "first": "first", "last": "last"}


def curve_cell(cell: Cell, relation: str, measured: Measured) -> CellColumns:
    """The cell's rows from measured quantities: steps, segments, amount."""
    assert cell.curve is not None
    done = CellColumns(Layers(relation), dict(COUNTS))
    done.numbers["quantity"] = measured.quantity
    for i, (_, den) in enumerate(measured.details):
        done.numbers[f"detail{i}"] = Num(f"d{i}", den, -HUGE, HUGE, "HUGEINT")
    refusals: list[tuple[str, int]] = []
    quantity = measured.quantity
    for i, step in enumerate(cell.steps):
        if isinstance(step, Include):
            refusals.append((compare(quantity, "<", const(0)), i))
        quantity = done.layers.one(f"step{i}", _step(step, quantity))
        done.numbers[f"step{i}"] = quantity
    if not cell.curve.linear_below_zero:
        refusals.append((compare(quantity, "<", const(0)), len(cell.steps)))
    if refusals:
        done.refused = f"CASE {' '.join(f'WHEN {test} THEN CAST({i} AS BIGINT)' for test, i in refusals)} END"
    if cell.curve.mode == "volume":
        _volume(done, cell.curve, quantity)
    else:
        _graduated(done, cell.curve, quantity)
    return done


def _step(step: Step, quantity: Num) -> Num:
    match step:
        case Scale(factor):
            return times(quantity, factor)
        case RoundUnits(mode):
            return rounded(quantity, mode)
        case Include(units):
            return greatest(sub(quantity, const(units)), const(0))


def _graduated(done: CellColumns, curve: Curve, quantity: Num) -> None:
    amounts, lower = [], ZERO
    for i, segment in enumerate(curve.segments):
        top = quantity if segment.upper is None else least(quantity, const(segment.upper))
        units = done.layers.one(f"seg{i}_units", top if i == 0 else greatest(sub(top, const(lower)), const(0)))
        due = "TRUE" if i == 0 and curve.flat_at_zero else compare(quantity, ">", const(lower))
        amounts.append(_charged(done, i, segment, units, due))
        if segment.upper is not None:
            lower = segment.upper
    done.numbers["cell_exact"] = done.layers.one("cell_exact", add(*amounts))


def _charged(done: CellColumns, i: int, segment: Segment, units: Num, due: str) -> Num:
    """The segment's columns; returns its amount."""
    flat = const(0)
    if segment.flat:
        flat = done.layers.one(f"seg{i}_flat", choose(due, const(segment.flat), const(0)))
        done.numbers[f"seg{i}_flat"] = flat
    amount = done.layers.one(f"seg{i}_amount", add(times(units, segment.unit), flat))
    done.numbers |= {f"seg{i}_units": units, f"seg{i}_amount": amount}
    return amount


def _volume(done: CellColumns, curve: Curve, quantity: Num) -> None:
    last = len(curve.segments) - 1
    tests = [
        (i, "TRUE" if segment.upper is None or i == last else compare(quantity, "<=", const(segment.upper)))
        for i, segment in enumerate(curve.segments)
    ]
    found = " ".join(f"WHEN {test} THEN CAST({i} AS BIGINT)" for i, test in tests)
    done.layers.columns({"segment": f"CASE {found} END"})
    done.counts["segment"] = "segment"
    due = "TRUE" if curve.flat_at_zero else compare(quantity, ">", const(0))
    flats = [choose(due, const(segment.flat), const(0)) if segment.flat else const(0) for segment in curve.segments]
    flat = done.layers.one("seg0_flat", _by_segment(flats))
    amount = add(_by_segment([times(quantity, segment.unit) for segment in curve.segments]), flat)
    done.numbers |= {"seg0_units": quantity, "seg0_flat": flat, "cell_exact": done.layers.one("cell_exact", amount)}
    done.numbers["seg0_amount"] = done.numbers["cell_exact"]


def _by_segment(values: list[Num]) -> Num:
    """The value that belongs to the row's segment."""
    result = values[-1]
    for i in range(len(values) - 2, -1, -1):
        result = choose(f"segment = {i}", values[i], result)
    return result


def fees_cell(relation: str, charged: Charged) -> CellColumns:
    """The cell's rows from charged fees."""
    done = CellColumns(Layers(relation), dict(COUNTS))
    named = {f"fees_{name}" if name in ("raised", "capped", "rounded", "total") else name: num for name, num in charged.sums.items()}
    done.numbers |= done.layers.let({name: num for name, num in named.items() if num.sql != name})
    done.numbers |= {name: num for name, num in named.items() if num.sql == name}
    done.numbers["cell_exact"] = done.numbers["fees_total"]
    done.numbers["quantity"] = Num("n", 1, 0, BIG, "BIGINT")
    done.counts["free"] = "n - paying"
    components = sum(1 for name in charged.sums if name.endswith("_base"))
    done.counts |= {f"comp{i}_events": f"comp{i}_events" for i in range(components)}
    return done


def column_order(cells: Sequence[CellColumns]) -> dict[str, Kind]:
    """Every column that some cell has, and its type, in one order for all cells."""
    counts = dict.fromkeys((name for cell in cells for name in cell.counts), "BIGINT")
    numbers = dict.fromkeys((name for cell in cells for name in cell.numbers), "HUGEINT")
    order: dict[str, Kind] = dict.fromkeys(counts, "BIGINT")
    return order | dict.fromkeys(numbers, "HUGEINT")


def select_cell(cell: CellColumns, index: int | None, keys: str, columns: Mapping[str, Kind], extra: Mapping[str, str]) -> str:
    """The cell's rows with all columns of the result, those that it lacks as NULL; None is no cell."""
    items = [f"CAST({'NULL' if index is None else index} AS SMALLINT) AS cell"]
    for name, kind in columns.items():
        if name in cell.counts:
            sql = cell.counts[name]
        elif name in cell.numbers:
            sql = retyped(cell.numbers[name], "HUGEINT").sql
        else:
            sql = f"CAST(NULL AS {kind})"
        items.append(f"{sql} AS {name}")
    items.append(f"{cell.refused} AS refused")
    items += [f"{sql} AS {name}" for name, sql in extra.items()]
    return f"SELECT {keys}, {', '.join(items)} FROM ({cell.layers.sql})"


@dataclass(frozen=True, slots=True)
class LineColumns:
    """A line's numbers: subtotal and exact over `den`, the bound that decided (1 minimum, 2 maximum, else 0), the amount."""

    den: int
    columns: dict[str, str]


LINE_TYPES = {"subtotal": "HUGEINT", "bound": "SMALLINT", "exact": "HUGEINT", "amount": "BIGINT"}


def line_columns(program: Program, layers: Layers, subtotal: Num, amount_bound: int) -> LineColumns:
    """Minimum, maximum and rounding over a subtotal; `amount` is NULL where it is too large for the books."""
    exact = layers.one("whole_line", subtotal)
    held, raised, capped = exact, "FALSE", "FALSE"
    if program.minimum is not None:
        raised = "is_raised"
        layers.columns({raised: compare(held, "<", const(program.minimum))})
        held = layers.one("raised_line", choose(raised, const(program.minimum), held))
    if program.maximum is not None:
        capped = "is_capped"
        layers.columns({capped: compare(held, ">", const(program.maximum))})
        held = layers.one("capped_line", choose(capped, const(program.maximum), held))
    amount = layers.one("rounded_line", rounded(held, program.rounding))
    columns = {
        "subtotal": retyped(at_den(exact, held.den), "HUGEINT").sql,
        "bound": f"CAST(CASE WHEN {capped} THEN 2 WHEN {raised} THEN 1 ELSE 0 END AS SMALLINT)",
        "exact": retyped(held, "HUGEINT").sql,
        "amount": f"CASE WHEN abs({amount.sql}) < {amount_bound} THEN CAST({amount.sql} AS BIGINT) END",
    }
    return LineColumns(held.den, columns)
