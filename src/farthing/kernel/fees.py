"""Events → fees, each event on its own, summed by charge: what `core.rating.fees` computes, for one cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from farthing.core.rating.program import Component, Fees
from farthing.kernel.columns import integer
from farthing.kernel.conditions import Conditions
from farthing.kernel.domain import OutsideDomain
from farthing.kernel.job import Job
from farthing.kernel.layers import Layers
from farthing.kernel.numbers import BIG, Num, add, choose, compare, const, greatest, least, retyped, rounded, sub, times
from farthing.kernel.stage import Stage

SUMS = 10**12  # more events than any table holds


@dataclass(slots=True)
class Charged:
    """A query of keys, n, aside, first, last, free and the sums of a fee cell; `sums` are its numbers by column."""

    sql: str = ""
    sums: dict[str, Num] = field(default_factory=dict)


@dataclass(slots=True)
class _PerEvent:
    """The layers under way and what they have named so far."""

    layers: Layers
    fees: Fees
    conditions: Conditions
    numbers: dict[str, Num] = field(default_factory=dict)  # properties as integers of zero or more, NULL where unreadable
    free_part: Num = field(default_factory=lambda: const(0))
    pays: str = "ok"

    @property
    def has_free(self) -> bool:
        return bool(self.fees.free_events or self.fees.free_amount)


def charge_fees(job: Job, stage: Stage, index: int) -> Charged:
    """The query that charges the fees of cell `index`."""
    fees = job.program.cells[index].fees
    assert fees is not None
    if fees.free_amount < 0:
        raise OutsideDomain("a free amount below zero")
    tests = [f"cell = {index}"] if stage.has_cell else []
    tests += [f'"at" >= {job.interval.start}'] if job.carries else []
    each = _PerEvent(Layers(stage.of(" AND ".join(tests))), fees, Conditions(stage.typed, stage.params))
    _read(each, stage)
    if each.has_free:
        _free(each, stage)
    amounts = _components(each)
    return _summed(each, stage, amounts, _bounded(each, amounts))


def _read(each: _PerEvent, stage: Stage) -> None:
    """Layer 1: the properties as integers, and whether those that the fee needs are readable."""
    names = dict.fromkeys([component.of for component in each.fees.components if component.of] + ([each.fees.free_of] if each.fees.free_of else []))
    read: dict[str, Num] = {}
    for i, name in enumerate(names):
        num = integer(stage.typed.numbers[name])
        read[f"x{i}"] = Num(f"CASE WHEN {stage.typed.numbers[name].sql} >= 0 THEN {num.sql} END", num.den, 0, max(num.high, 1), num.width)
    each.numbers = dict(zip(names, each.layers.let(read).values(), strict=True))
    tests = [f"{each.numbers[each.fees.free_of].sql} IS NOT NULL"] if each.fees.free_of else []
    each.layers.columns({f"w{i}": each.conditions.sql(component.when) for i, component in enumerate(each.fees.components) if component.when.tests})
    for i, component in enumerate(each.fees.components):
        if component.of:
            there = f"{each.numbers[component.of].sql} IS NOT NULL"
            tests.append(f"(NOT w{i} OR {there})" if component.when.tests else there)
    each.layers.columns({"ok": " AND ".join(dict.fromkeys(tests)) or "TRUE"})


def _free(each: _PerEvent, stage: Stage) -> None:
    """Layers for free events and a free amount: which events pay, and what is taken off of the one that crosses."""
    fees, layers = each.fees, each.layers
    over = f'OVER (PARTITION BY {stage.typed.key_list()}, ok ORDER BY "at", position ROWS BETWEEN UNBOUNDED PRECEDING AND'
    tests = ["ok"]
    if fees.free_events:
        layers.columns({"rank": f"count(*) {over} CURRENT ROW)"})
        tests.append(f"rank > {fees.free_events}")
    if fees.free_amount:
        value = each.numbers[fees.free_of] if fees.free_of else const(0)
        before = f"coalesce(sum({value.sql}) {over} 1 PRECEDING), 0)"
        prior = layers.one("prior", Num(f"CAST({before} AS HUGEINT)", value.den, 0, max(value.high, 1) * SUMS, "HUGEINT"))
        left = layers.one("allowance", greatest(sub(const(fees.free_amount), prior), const(0)))
        each.free_part = layers.one("free_part", least(value, left))
        tests.append(compare(each.free_part, "<>", value))
    layers.columns({"pays": " AND ".join(tests)})
    each.pays = "pays"


def _components(each: _PerEvent) -> list[tuple[Num, Num]]:
    """Layer: each component's base and amount; NULL where it does not apply, or the event does not pay."""
    named: dict[str, Num] = {}
    for i, component in enumerate(each.fees.components):
        applies = _applies(each, i, component)
        base = each.numbers[component.of] if component.of else const(0)
        if component.of and component.of == each.fees.free_of and each.fees.free_amount:
            base = sub(base, each.free_part)
            base = Num(base.sql, base.den, 0, base.high, base.width)  # what is free of a value never exceeds it
        named[f"base{i}"] = choose(applies, base) if component.of else const(0)
        named[f"fee{i}"] = choose(applies, _amount(component, base))
    done = each.layers.let(named)
    return [(done[f"base{i}"], done[f"fee{i}"]) for i in range(len(each.fees.components))]


def _applies(each: _PerEvent, i: int, component: Component) -> str:
    return f"({each.pays} AND w{i})" if component.when.tests else each.pays


def _amount(component: Component, base: Num) -> Num:
    amount = add(times(base, component.rate), const(component.fixed))
    if component.minimum is not None:
        amount = greatest(amount, const(component.minimum))
    return amount if component.maximum is None else least(amount, const(component.maximum))


def _bounded(each: _PerEvent, amounts: list[tuple[Num, Num]]) -> dict[str, Num]:
    """Layers: the event's fee before and after its bounds and rounding, as far as they are needed."""
    fees, layers, parts = each.fees, each.layers, []
    for component, (_, amount) in zip(fees.components, amounts, strict=True):
        optional = component.when.tests
        parts.append(Num(f"coalesce({amount.sql}, 0)", amount.den, min(amount.low, 0), max(amount.high, 0), amount.width) if optional else amount)
    raw = layers.one("raw", choose(each.pays, add(*parts)) if not parts or any(c.when.tests for c in fees.components) else add(*parts))
    found = {"raw": raw}
    if fees.minimum is not None:
        found["floored"] = layers.one("floored", greatest(raw, choose(each.pays, const(fees.minimum))))
    floored = found.get("floored", raw)
    if fees.maximum is not None:
        found["held"] = layers.one("held", least(floored, choose(each.pays, const(fees.maximum))))
    held = found.get("held", floored)
    if fees.rounding is not None:
        found["rounded"] = layers.one("rounded", rounded(held, fees.rounding))
    return found


def _sum(num: Num) -> Num:
    """The sum of a column over a group, 0 over none."""
    if num.constant is not None:
        return num  # only the base of a component without a property: 0
    return Num(f"CAST(coalesce(sum({num.sql}), 0) AS HUGEINT)", num.den, min(num.low, 0) * SUMS, max(num.high, 0) * SUMS, "HUGEINT")


def _summed(each: _PerEvent, stage: Stage, amounts: list[tuple[Num, Num]], found: dict[str, Num]) -> Charged:
    """Group by charge; what follows from other sums is computed from them, not summed again."""
    fees, readable = each.fees, "CASE WHEN ok THEN position END"  # CASE, not FILTER: see usage.py
    counts = {
        "n": f"count({readable})",
        "aside": f"count(*) - count({readable})",
        "first": f"coalesce(min({readable}), 0)",
        "last": f"coalesce(max({readable}), 0)",
        "paying": f"count(CASE WHEN {each.pays} THEN position END)",
    }
    sums: dict[str, Num] = {}
    for i, (component, (base, amount)) in enumerate(zip(fees.components, amounts, strict=True)):
        counts[f"comp{i}_events"] = f"count(CASE WHEN {_applies(each, i, component)} THEN position END)"
        sums[f"comp{i}_base"] = _sum(base)
        if component.minimum is not None or component.maximum is not None:
            sums[f"comp{i}_amount"] = _sum(amount)
    raw = found["raw"]
    if "floored" in found:
        sums["raised"] = _sum(sub(found["floored"], raw))
    if "held" in found:
        sums["capped"] = _sum(sub(found["held"], found.get("floored", raw)))
    if "rounded" in found:
        sums["total"] = _sum(found["rounded"])
    varying = {name: num for name, num in sums.items() if num.constant is None}
    items = ", ".join(f"{sql} AS {name}" for name, sql in (counts | {name: num.sql for name, num in varying.items()}).items())
    outer = Layers(f"SELECT {stage.typed.key_list()}, {items} FROM ({each.layers.sql}) GROUP BY {stage.typed.key_list()}")
    named = {name: Num(name, num.den, num.low, num.high, num.width) if name in varying else num for name, num in sums.items()}
    return Charged(outer.sql, _derived(fees, named))


def _derived(fees: Fees, sums: dict[str, Num]) -> dict[str, Num]:
    """All numbers of the trace from the sums: Σ components + raised + capped + rounded = total."""
    amounts: list[Num] = []
    for i, component in enumerate(fees.components):
        count = Num(f"comp{i}_events", 1, 0, BIG, "BIGINT")
        plain = add(times(sums[f"comp{i}_base"], component.rate), times(retyped(count, "HUGEINT"), Fraction(component.fixed)))
        amounts.append(sums.setdefault(f"comp{i}_amount", plain))
    before = add(*amounts, sums.setdefault("raised", const(0)), sums.setdefault("capped", const(0)))
    if fees.rounding is None:
        sums["total"] = before
    sums["rounded"] = sub(sums["total"], before)
    return sums
