"""Amendments: the whole agreement or what changes of it, over a span; a row for every way in which one is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.core.base.timeline import overlay
from farthing.core.contract.amend import amend, amended_contract
from farthing.core.contract.contract import Agreement, Contract
from farthing.core.contract.parse import agreement_document, parse_contract, read_agreement

CONTRACT: dict[str, Any] = {
    "id": "k",
    "customer": "c",
    "currency": "usd",
    "starts_at": "2025-01-01T00:00:00Z",
    "ends_at": "2026-01-01T00:00:00Z",
    "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
    "items": [
        {"id": "calls", "description": "Calls", "price": "calls", "meter": "m"},
        {"id": "seats", "description": "Seats", "price": "seats", "quantity": 2},
    ],
    "discounts": [{"id": "ten", "percent": "10"}],
    "tax_rates": [{"id": "vat", "percent": "20"}],
}
MARCH = {"contract": "k", "effective_from": "2025-03-01T00:00:00Z"}


def amended(contract: Contract, document: dict[str, Any]) -> Contract:
    """The contract with the amendment as its next revision."""
    revision = 1 + max(version.revision for version in contract.versions)
    return replace(contract, versions=(*contract.versions, *(replace(version, revision=revision) for version in amend(contract, document))))


def at(contract: Contract, day: str) -> Agreement:
    """What is agreed at a time, by all that is known."""
    return next(span.value for span in overlay(contract.versions, 99) if parse_instant(f"{day}T00:00:00Z") in span.interval)


def items(contract: Contract, day: str) -> list[tuple[str, str, str | None, Fraction | None]]:
    return [(item.id, item.price, item.meter, item.quantity) for item in at(contract, day).items]


CALLS, SEATS = ("calls", "calls", "m", None), ("seats", "seats", None, Fraction(2))


def test_a_whole_agreement_holds_in_place_of_the_one_before_over_its_span() -> None:
    made = amended(parse_contract(CONTRACT), {**MARCH, "effective_until": "2025-04-01T00:00:00Z", "items": [CONTRACT["items"][1]]})
    assert items(made, "2025-02-28") == items(made, "2025-04-01") == [CALLS, SEATS]
    assert items(made, "2025-03-31") == [SEATS]
    assert (at(made, "2025-03-31").discounts, at(made, "2025-03-31").tax_rates) == ((), ())


def test_a_change_keeps_everything_that_it_does_not_name() -> None:
    change = {"add": [{"id": "extra", "price": "base", "quantity": 1}], "change": [{"id": "seats", "quantity": 5}], "remove": ["calls"]}
    made = amended(parse_contract(CONTRACT), {**MARCH, **change})
    assert items(made, "2025-03-01") == [("seats", "seats", None, Fraction(5)), ("extra", "base", None, Fraction(1))]
    assert [at(made, "2025-03-01").discounts, at(made, "2025-03-01").tax_rates] == [
        at(made, "2025-02-01").discounts,
        at(made, "2025-02-01").tax_rates,
    ]


def test_a_change_keeps_what_was_already_agreed_for_later() -> None:
    later = amended(parse_contract(CONTRACT), {"contract": "k", "effective_from": "2025-07-01T00:00:00Z", "change": [{"id": "seats", "quantity": 9}]})
    made = amended(later, {**MARCH, "remove": ["calls"]})
    assert [items(made, day) for day in ("2025-02-28", "2025-03-01", "2025-07-01")] == [
        [CALLS, SEATS],
        [SEATS],
        [("seats", "seats", None, Fraction(9))],
    ]


def test_an_item_may_change_from_usage_to_a_quantity_and_back() -> None:
    made = amended(parse_contract(CONTRACT), {**MARCH, "change": [{"id": "calls", "quantity": "2.5"}, {"id": "seats", "meter": "m"}]})
    assert items(made, "2025-03-01") == [("calls", "calls", None, Fraction(5, 2)), ("seats", "seats", "m", None)]


def test_discounts_and_tax_rates_may_change_alone_and_be_taken_away() -> None:
    made = amended(parse_contract(CONTRACT), {**MARCH, "discounts": []})
    assert (at(made, "2025-03-01").discounts, len(at(made, "2025-03-01").tax_rates)) == ((), 1)
    assert items(made, "2025-03-01") == [CALLS, SEATS]


def test_a_contract_may_come_to_agree_nothing_and_reads_back_so() -> None:
    made = amended(parse_contract(CONTRACT), {**MARCH, "remove": ["calls", "seats"]})
    assert items(made, "2025-03-01") == []
    assert read_agreement(agreement_document(at(made, "2025-03-01"))) == at(made, "2025-03-01")
    assert amend(made, {**MARCH, "items": []})[0].value == Agreement(())


def test_an_amendment_names_its_contract() -> None:
    assert amended_contract({**MARCH, "remove": ["calls"]}) == "k"


REFUSED = [
    ({**MARCH, "remove": ["caffeine"]}, "contract_item_unknown", "remove[0]"),
    ({**MARCH, "change": [{"id": "caffeine", "quantity": 1}]}, "contract_item_unknown", "change[0].id"),
    ({**MARCH, "add": [{"id": "seats", "price": "p", "quantity": 1}]}, "contract_item_twice", "add[0].id"),
    ({**MARCH, "add": [{"id": "x", "price": "p", "quantity": 1}, {"id": "x", "price": "p", "quantity": 1}]}, "contract_item_twice", "add[1].id"),
    ({**MARCH, "add": [{"id": "x", "price": "p"}]}, "contract_quantity_misplaced", "add[0].quantity"),
    ({**MARCH, "change": [{"id": "seats", "quantity": "-1"}]}, "number_negative", "change[0].quantity"),
    ({**MARCH, "change": [{"id": "seats", "meter": "m", "quantity": "1"}]}, "contract_quantity_misplaced", "change[0].quantity"),
    ({**MARCH, "change": [{"id": "seats", "in_advance": True}]}, "contract_advance_changed", "items[1].in_advance"),
    ({**MARCH, "add": [{"id": "x", "price": "p", "meter": "m", "in_advance": True}]}, "contract_advance_metered", "add[0].in_advance"),
    ({**MARCH, "change": [{"id": "seats", "colour": "red"}]}, "field_unknown", "change[0].colour"),
    ({**MARCH, "change": [{"quantity": 1}]}, "field_missing", "change[0].id"),
    ({**MARCH, "remove": []}, "field_missing", "remove"),
    ({**MARCH, "remove": [7]}, "field_invalid", "remove[0]"),
    ({**MARCH, "items": CONTRACT["items"], "remove": ["calls"]}, "fields_conflict", "remove"),
    (MARCH, "field_missing", "items"),
    ({**MARCH, "effective_from": "2026-01-01T00:00:00Z", "remove": ["calls"]}, "contract_amendment_outside", "effective_from"),
    ({**MARCH, "effective_until": "2025-03-01T00:00:00Z", "remove": ["calls"]}, "contract_span_empty", "effective_until"),
    ({"contract": "k", "remove": ["calls"]}, "field_missing", "effective_from"),
    ({**MARCH, "color": 1}, "field_unknown", "color"),
    ({**MARCH, "discounts": [{"id": "d", "percent": 1}, {"id": "d", "amount": 5}]}, "contract_discount_twice", "discounts[1].id"),
    ({**MARCH, "tax_rates": [{"id": "v", "percent": 1}, {"id": "v", "percent": 2}]}, "contract_tax_rate_twice", "tax_rates[1].id"),
    ({**MARCH, "tax_rates": [{"id": "vat", "percent": 20, "inclusive": True}]}, "contract_tax_rate_changed", "tax_rates[0].inclusive"),
]


@pytest.mark.parametrize(("document", "code", "field"), REFUSED)
def test_a_wrong_amendment_is_refused_by_name_and_place(document: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        amend(parse_contract(CONTRACT), document)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_an_item_removed_and_added_anew_in_one_amendment_is_the_new_one() -> None:
    made = amended(parse_contract(CONTRACT), {**MARCH, "remove": ["seats"], "add": [{"id": "seats", "price": "chairs", "quantity": 1}]})
    assert items(made, "2025-03-01") == [CALLS, ("seats", "chairs", None, Fraction(1))]
