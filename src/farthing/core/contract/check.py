"""Whether what is agreed can be billed: an item's meter and price exist, fit each other and the contract. Asked when it is agreed, not
first when it is billed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, show_instant
from farthing.core.base.timeline import Version, overlay, within
from farthing.core.catalog.terms import PriceVersion
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.refusals import (
    CONTRACT_CURRENCY_DIFFERS,
    CONTRACT_ITEM_UNKNOWN,
    CONTRACT_METER_MISSING,
    CONTRACT_METER_NEEDED,
    CONTRACT_METER_UNFIT,
    CONTRACT_PRICE_MISSING,
    CONTRACT_TERM_MISSING,
)
from farthing.core.contract.resolve import Shelf
from farthing.core.usage.meter import Aggregation


def check_item(
    contract: Contract,
    item: Item,
    span: Interval,
    shelf: Shelf,
    needs_events: Callable[[PriceVersion], bool],
    by_time_of_day: Callable[[PriceVersion], bool],
) -> None:
    """Check an item that is agreed over `span` (half-open) against every price version that holds there, as known now.

    `needs_events` says whether a price version looks at single events, `by_time_of_day` whether at their time of day. A price need not
    have a version up to the end of the span, which may be far off; but at its start, and without a gap up to its last one. The
    refusal's field is "price" or "meter".
    Errors: contract_meter_missing, contract_price_missing, contract_currency_differs, contract_meter_needed, contract_meter_unfit,
    contract_term_missing.
    """
    meter = None if item.meter is None else shelf.meters.get(item.meter)
    if item.meter is not None and meter is None:
        raise Refusal(CONTRACT_METER_MISSING, f"there is no meter {item.meter!r}.", "meter")
    for price in _prices(item, span, shelf.prices.get(item.price, ())):
        if price.document.get("currency", "").lower() != contract.currency:
            message = f"price {price.id!r} is in {price.document.get('currency')}, contract {contract.id!r} in {contract.currency}."
            raise Refusal(CONTRACT_CURRENCY_DIFFERS, message, "price")
        if item.meter is None and needs_events(price):
            raise Refusal(CONTRACT_METER_NEEDED, f"price {price.id!r} looks at single events, and item {item.id!r} has no meter.", "price")
        if meter is not None and meter.aggregation is Aggregation.TIME_WEIGHTED and by_time_of_day(price):
            raise Refusal(CONTRACT_METER_UNFIT, f"price {price.id!r} is by time of day, and meter {item.meter!r} measures a level.", "price")
        if item.meter is not None and contract.term is None and shelf.over_term(price):
            message = f"price {price.id!r} accumulates over a term that contract {contract.id!r} does not have."
            raise Refusal(CONTRACT_TERM_MISSING, message, "price")


def check_discounts(versions: Sequence[Version[Agreement]], given: bool) -> None:
    """Check that the items which discounts name are agreed in one of the versions, where the document gives discounts: one that lowers
    nothing would be missed on the bill. Errors: contract_item_unknown, at `discounts[i].items[j]`."""
    agreed = {item.id for version in versions for item in version.value.items}
    for i, discount in enumerate(versions[0].value.discounts if given else ()):
        for j, item in enumerate(discount.items or ()):
            if item not in agreed:
                raise Refusal(CONTRACT_ITEM_UNKNOWN, f"discount {discount.id!r} lowers {item!r}, which is not agreed.", f"discounts[{i}].items[{j}]")


def _prices(item: Item, span: Interval, versions: Sequence[Version[PriceVersion]]) -> Iterator[PriceVersion]:
    """The price versions that hold in the span, in order of time."""
    if not versions:
        raise Refusal(CONTRACT_PRICE_MISSING, f"there is no price {item.price!r}.", "price")
    latest = max(version.revision for version in versions)
    reached = span.start
    for held in within(overlay(versions, latest), span):
        if held.interval.start > reached:
            message = f"price {item.price!r} has no version from {show_instant(reached)} on; there is one from {show_instant(held.interval.start)}."
            raise Refusal(CONTRACT_PRICE_MISSING, message, "price")
        reached = held.interval.end
        yield held.value
    if reached == span.start:
        raise Refusal(CONTRACT_PRICE_MISSING, f"price {item.price!r} has no version from {show_instant(reached)} on.", "price")
