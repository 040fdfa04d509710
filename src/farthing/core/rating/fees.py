"""Events → amount, each event on its own: the fee of a payment, and what a set of events comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from farthing.core.base.rounding import round_to_whole
from farthing.core.events.condition import number_property
from farthing.core.events.event import Event
from farthing.core.rating.program import Component, Fees
from farthing.core.rating.trace import ComponentTrace, FeesTrace

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class EventFee:
    """The fee of one event in minor units: `bases` and `amounts` by component (None where it does not apply), then what the
    event's minimum added, its maximum took off (≤ 0) and rounding changed; `total` is their sum."""

    bases: tuple[Fraction | None, ...]
    amounts: tuple[Fraction | None, ...]
    raised: Fraction = ZERO
    capped: Fraction = ZERO
    rounded: Fraction = ZERO
    total: Fraction = ZERO


def unreadable(fees: Fees, properties: Mapping[str, str]) -> str | None:
    """The name of a property that the fee needs and cannot read as a number of zero or more; None if all are there."""
    needed = [component.of for component in fees.components if component.of and component.when.holds(properties)]
    for name in needed + ([fees.free_of] if fees.free_of else []):
        number = number_property(properties, name)
        if number is None or number < 0:
            return name
    return None


def event_fee(fees: Fees, properties: Mapping[str, str], free_part: Fraction = ZERO) -> EventFee:
    """The fee of one paying event whose needed properties are readable; `free_part` is taken off the property `free_of`."""
    bases: list[Fraction | None] = []
    amounts: list[Fraction | None] = []
    for component in fees.components:
        if not component.when.holds(properties):
            bases.append(None)
            amounts.append(None)
            continue
        base = (number_property(properties, component.of) or ZERO) if component.of else ZERO
        if component.of and component.of == fees.free_of:
            base -= free_part
        bases.append(base)
        amounts.append(_component_amount(component, base))
    raw = sum((amount for amount in amounts if amount is not None), ZERO)
    floored = raw if fees.minimum is None else max(raw, fees.minimum)
    held = floored if fees.maximum is None else min(floored, fees.maximum)
    total = held if fees.rounding is None else Fraction(round_to_whole(held, fees.rounding))
    return EventFee(tuple(bases), tuple(amounts), floored - raw, held - floored, total - held, total)


def _component_amount(component: Component, base: Fraction) -> Fraction:
    amount = component.rate * base + component.fixed
    if component.minimum is not None:
        amount = max(amount, component.minimum)
    return amount if component.maximum is None else min(amount, component.maximum)


@dataclass(slots=True)
class _Sums:
    components: tuple[Component, ...]
    counts: list[int] = field(default_factory=list)
    bases: list[Fraction] = field(default_factory=list)
    amounts: list[Fraction] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.components)
        self.counts, self.bases, self.amounts = [0] * size, [ZERO] * size, [ZERO] * size

    def add(self, fee: EventFee) -> None:
        for i, (base, amount) in enumerate(zip(fee.bases, fee.amounts, strict=True)):
            if base is not None and amount is not None:
                self.counts[i] += 1
                self.bases[i] += base
                self.amounts[i] += amount

    def traces(self) -> tuple[ComponentTrace, ...]:
        rows = zip(self.components, self.counts, self.bases, self.amounts, strict=True)
        return tuple(ComponentTrace(c.label, count, base, amount, c.of, c.rate, c.fixed) for c, count, base, amount in rows)


def charge_events(fees: Fees, events: Sequence[Event]) -> FeesTrace:
    """What readable events come to together. Order matters only to free events and free amounts: (at, position)."""
    sums, paying = _Sums(fees.components), 0
    raised = capped = rounded = total = ZERO
    for event, free_part in _paying(fees, events):
        fee = event_fee(fees, event.properties, free_part)
        sums.add(fee)
        paying += 1
        raised += fee.raised
        capped += fee.capped
        rounded += fee.rounded
        total += fee.total
    return FeesTrace(len(events), len(events) - paying, sums.traces(), raised, capped, rounded, total)


def _paying(fees: Fees, events: Sequence[Event]) -> Iterable[tuple[Event, Fraction]]:
    if not fees.free_events and not fees.free_amount:
        yield from ((event, ZERO) for event in events)
        return
    allowance = fees.free_amount
    for rank, event in enumerate(sorted(events, key=lambda e: (e.at, e.position)), start=1):
        value = (number_property(event.properties, fees.free_of) or ZERO) if fees.free_of else ZERO
        free_part = min(value, allowance)
        allowance -= free_part
        inside = bool(fees.free_amount) and free_part == value
        if rank > fees.free_events and not inside:
            yield event, free_part
