"""The fee for processing a payment: one event, rated by a price document like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farthing.core.base.refusal import Refusal
from farthing.core.base.timeline import ALL_TIME
from farthing.core.events.event import Event
from farthing.core.events.properties import VALUE
from farthing.core.rating.compile import compile_price
from farthing.core.rating.fees import unreadable
from farthing.core.rating.interpret import rate_events, takes
from farthing.core.rating.refusals import EVENT_UNMATCHED, EVENT_VALUE_UNREADABLE
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Aggregation, Meter

USUAL_FEE: Mapping[str, Any] = {"ext": {"percentage": {"percent": "2.9", "fixed_amount": 30}}}
"""2.9 % and 30 minor units for each payment; the currency is the payment's."""

_METER = Meter(id="payment", event_name="", aggregation=Aggregation.SUM, value_key=VALUE)


@dataclass(frozen=True, slots=True)
class Fee:
    """What processing one payment costs, in whole minor units of its currency, with the traces that say how it came about."""

    amount: int
    rated: tuple[Rated, ...]


def processing_fee(price: Mapping[str, Any], amount: int, currency: str, properties: Mapping[str, str] | None = None) -> Fee:
    """The fee of a payment of `amount` minor units. `price` is a price document, in the payment's currency whatever it says;
    `properties` are what it may tell payments apart by, such as the card's country.

    Errors: those of price documents and of rating; event_unmatched and event_value_unreadable where the price has no fee for the payment."""
    program = compile_price({**price, "currency": currency}).program
    event = Event("payment", "", "", 0, {**(properties or {}), VALUE: str(amount)}, 1)
    cell = next((cell for cell in program.cells if takes(cell, event)), None)
    if cell is None:
        raise Refusal(EVENT_UNMATCHED, "the price has no fee for this payment.", None)
    if cell.fees is not None and (name := unreadable(cell.fees, event.properties)) is not None:
        raise Refusal(EVENT_VALUE_UNREADABLE, f"the payment has no {name} that is a number.", None)
    rated = rate_events(program, _METER, (event,), ALL_TIME)
    return Fee(sum(line.amount for line in rated), rated)
