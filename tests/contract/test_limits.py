"""The last values that contracts may have, each beside the first that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import show_instant
from farthing.core.base.timeline import FOREVER
from farthing.core.contract.parse import LONGEST, parse_contract
from farthing.core.events.parse import EARLIEST, LATEST


def document(**more: Any) -> dict[str, Any]:
    billing = {"interval": "month", "anchor": "2025-01-01T00:00:00", **more.pop("billing", {})}
    items = [{"id": "seats", "price": "seats", "quantity": 1}]
    return {"id": "k", "customer": "c", "currency": "usd", "starts_at": "2025-01-01T00:00:00Z", "billing": billing, "items": items, **more}


def refused(given: dict[str, Any]) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as caught:
        parse_contract(given)
    return caught.value.code, caught.value.field


def test_a_discount_takes_off_all_of_it_and_no_more() -> None:
    for percent in ("100", "100.000"):
        assert parse_contract(document(discounts=[{"id": "d", "percent": percent}])).versions[0].value.discounts[0].percent == 1
    assert refused(document(discounts=[{"id": "d", "percent": "100.000000000000000001"}])) == ("field_invalid", "discounts[0].percent")


@pytest.mark.parametrize("percent", ["100.1", "120"])
def test_a_tax_may_be_more_than_what_it_is_on(percent: str) -> None:
    assert parse_contract(document(tax_rates=[{"id": "t", "percent": percent}])).versions[0].value.tax_rates[0].percent > 1


def test_a_contract_may_begin_in_the_first_microsecond_and_end_with_the_last() -> None:
    made = parse_contract(document(starts_at=show_instant(EARLIEST), ends_at=show_instant(LATEST)))
    assert (made.active.start, made.active.end) == (EARLIEST, LATEST)
    assert refused(document(starts_at=show_instant(EARLIEST - 1))) == ("contract_time_out_of_range", "starts_at")
    assert refused(document(ends_at=show_instant(LATEST + 1))) == ("contract_time_out_of_range", "ends_at")


def test_a_contract_may_begin_at_the_last_instant() -> None:
    assert parse_contract(document(starts_at=show_instant(LATEST))).active.end == FOREVER
    assert refused(document(starts_at=show_instant(LATEST + 1))) == ("contract_time_out_of_range", "starts_at")


def test_an_anchor_lies_in_the_same_years() -> None:
    for anchor in ("1970-01-01T00:00:00", "2262-01-01T00:00:00"):
        assert parse_contract(document(billing={"anchor": anchor})).billing.anchor.isoformat() == anchor
    for anchor in ("1969-12-31T23:59:59.999999", "2262-01-01T00:00:00.000001"):
        assert refused(document(billing={"anchor": anchor})) == ("contract_time_out_of_range", "billing.anchor")


@pytest.mark.parametrize(("unit", "most"), [("day", 3660), ("week", 520), ("month", 120), ("year", 10)])
def test_a_period_is_at_most_ten_years_long(unit: str, most: int) -> None:
    assert LONGEST[unit] == most
    assert parse_contract(document(billing={"interval": unit, "interval_count": most})).billing.count == most
    assert parse_contract(document(billing={"interval": unit, "interval_count": 1})).billing.count == 1
    for count in (0, most + 1):
        assert refused(document(billing={"interval": unit, "interval_count": count})) == ("field_invalid", "billing.interval_count")
