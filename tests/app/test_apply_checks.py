"""What a catalogue document agrees is resolved when it is applied: refused by name, at its place, and then nothing of it is written."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from app_books import CARD, SEATS, catalogue

from farthing.app.apply import apply_catalogue
from farthing.app.bill import Clerk, Held, bill_until
from farthing.app.raters import CoreRater
from farthing.app.store import Store
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.core.contract.parse import agreement_document
from farthing.testing.memory import MemoryStore

TERM = {"id": "term-1", "currency": "usd", "unit_amount": 1, "ext": {"accumulate": "term"}}
JULY = "2025-07-01T00:00:00Z"


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(catalogue())
    node: Any = document
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    node[last] = value
    return document


def refused(store: Store, document: dict[str, Any]) -> tuple[str, str | None, str]:
    before = (store.revision(), list(store.customers()), list(store.contracts()))
    with pytest.raises(Refusal) as caught:
        apply_catalogue(store, document)
    assert (store.revision(), list(store.customers()), list(store.contracts())) == before
    assert caught.value.kind.remedy
    return caught.value.code, caught.value.field, caught.value.message


ITEMS = "contracts/0/items"
CONTRACTS = {
    "a price that does not exist": (f"{ITEMS}/1/price", "cards", "contract_price_missing", "contracts[0].items[1].price"),
    "a version's id for the price": (f"{ITEMS}/0/price", "calls-1", "contract_price_missing", "contracts[0].items[0].price"),
    "a meter that does not exist": (f"{ITEMS}/0/meter", "cals", "contract_meter_missing", "contracts[0].items[0].meter"),
    "a customer that does not exist": ("contracts/0/customer", "acne", "customer_unknown", "contracts[0].customer"),
    "another currency": ("contracts/0/currency", "eur", "contract_currency_differs", "contracts[0].items[0].price"),
    "a price in another currency": ("prices/2/price/currency", "eur", "contract_currency_differs", "contracts[0].items[2].price"),
    "a licensed item on a price on events": ("prices/2/price", {**CARD, "id": "c"}, "contract_meter_needed", "contracts[0].items[2].price"),
    "a discount on an item that is not there": (
        "contracts/0/discounts",
        [{"id": "a", "percent": 5}, {"id": "b", "percent": 5, "items": ["seats", "seat"]}],
        "contract_item_unknown",
        "contracts[0].discounts[1].items[1]",
    ),
    "a price over a term without a term": ("prices/0/price", TERM, "contract_term_missing", "contracts[0].items[0].price"),
    "a price that begins later": ("prices/2/effective_from", JULY, "contract_price_missing", "contracts[0].items[2].price"),
    "a price that ended before": ("prices/2/effective_until", "2024-01-01T00:00:00Z", "contract_price_missing", "contracts[0].items[2].price"),
}


@pytest.mark.parametrize("what", CONTRACTS)
def test_a_contract_that_could_not_be_billed_is_refused_at_its_place(what: str) -> None:
    path, value, code, field = CONTRACTS[what]
    assert refused(MemoryStore(), changed(path, value))[:2] == (code, field)


def test_a_later_price_is_refused_with_the_time_from_which_there_is_one() -> None:
    message = refused(MemoryStore(), changed("prices/2/effective_from", JULY))[2]
    assert "no version from 2025-01-01T00:00:00+00:00 on; there is one from 2025-07-01T00:00:00+00:00" in message


def test_a_gap_between_two_versions_is_refused_and_an_end_that_is_far_off_is_not() -> None:
    until = changed("prices/2/effective_until", "2026-01-01T00:00:00Z")
    later = {"lineage": "seats", "effective_from": "2026-01-02T00:00:00Z", "price": {**SEATS, "id": "seat-2"}}
    assert refused(MemoryStore(), {**until, "prices": [*until["prices"], later]})[:2] == ("contract_price_missing", "contracts[0].items[2].price")
    store = MemoryStore()
    apply_catalogue(store, until)
    assert [one.id for one in store.contracts()] == ["acme-1"]


def test_every_version_that_holds_in_the_span_is_looked_at_and_no_other() -> None:
    wrong = {"price": {**SEATS, "id": "seat-2", "currency": "eur"}, "lineage": "seats"}
    document = catalogue()
    later = {**document, "prices": [*document["prices"], {**wrong, "effective_from": JULY}]}
    assert refused(MemoryStore(), later)[:2] == ("contract_currency_differs", "contracts[0].items[2].price")
    before = {**document, "prices": [*document["prices"], {**wrong, "effective_until": "2025-01-01T00:00:00Z"}]}
    apply_catalogue(MemoryStore(), before)


def test_what_the_store_has_and_what_the_document_brings_both_count() -> None:
    store, document = MemoryStore(), catalogue()
    apply_catalogue(store, {name: document[name] for name in ("customers", "prices")})
    assert refused(store, {"contracts": document["contracts"]})[:2] == ("contract_meter_missing", "contracts[0].items[0].meter")
    apply_catalogue(store, {name: document[name] for name in ("contracts", "meters")})
    assert apply_catalogue(store, document)["contracts"] == 1


SEAT = {"id": "more", "price": "seats", "quantity": 1}
MARCH = {"contract": "acme-1", "effective_from": "2025-03-01T00:00:00Z"}
AMENDMENTS = {
    "an item of the whole": ({"items": [{**SEAT, "id": "a"}, {**SEAT, "price": "x"}]}, "contract_price_missing", "items[1].price"),
    "an item added": ({"add": [SEAT, {**SEAT, "id": "other", "price": "card"}]}, "contract_meter_needed", "add[1].price"),
    "an item changed": ({"change": [{"id": "calls", "meter": "x"}]}, "contract_meter_missing", "change[0].meter"),
    "an item that loses its meter": ({"change": [{"id": "card", "quantity": 3}]}, "contract_meter_needed", "change[0]"),
    "a discount on an item that is gone": (
        {"remove": ["seats"], "discounts": [{"id": "d", "percent": 5, "items": ["calls", "seats"]}]},
        "contract_item_unknown", "discounts[0].items[1]",
    ),
    "a span before the contract": ({"effective_from": "2024-01-01T00:00:00Z", "effective_until": "2025-01-01T00:00:00Z", "items": [SEAT]},
                                   "contract_amendment_outside", "effective_from"),
}  # fmt: skip


@pytest.mark.parametrize("what", AMENDMENTS)
def test_an_amendment_that_could_not_be_billed_is_refused_at_its_place(what: str) -> None:
    part, code, field = AMENDMENTS[what]
    store = MemoryStore()
    apply_catalogue(store, catalogue())
    assert refused(store, {"amendments": [{**MARCH, "add": [{**SEAT, "id": "fine"}]}, {**MARCH, **part}]})[:2] == (code, f"amendments[1].{field}")


def test_an_amendment_is_not_held_up_by_an_item_that_it_does_not_name() -> None:
    store = MemoryStore()
    apply_catalogue(store, changed("prices/2/effective_until", "2025-02-01T00:00:00Z"))
    apply_catalogue(store, {"amendments": [{**MARCH, "change": [{"id": "calls", "description": "Calls"}]}]})
    assert refused(store, {"amendments": [{**MARCH, "change": [{"id": "seats", "quantity": 4}]}]})[:2] == (
        "contract_price_missing",
        "amendments[0].change[0]",
    )


def test_a_contract_applied_again_is_corrected_while_nothing_was_billed() -> None:
    store, document = MemoryStore(), catalogue()
    apply_catalogue(store, document)
    contract = document["contracts"][0]
    fixed = {**contract, "starts_at": "2025-02-01T00:00:00Z", "items": [{**contract["items"][2], "quantity": 4}]}
    for _ in range(2):
        apply_catalogue(store, {**document, "contracts": [fixed]})
    [found] = store.contracts()
    assert len(found.versions) == 2
    assert agreement_document(found.versions[-1].value)["items"] == [{**fixed["items"][0], "quantity": "4"}]
    apply_catalogue(store, document)
    assert len(store.contracts()[0].versions) == 3, "back to what it said first is a change too"


HOURS = [{"days": ["mon"], "from": "08:00", "to": "20:00"}]
BANDS = {"time_zone": "UTC", "bands": [{"label": "day", "hours": HOURS, "unit_amount": 2}], "rest": {"unit_amount": 1}}


def test_a_level_is_not_billed_by_time_of_day() -> None:
    document = changed("prices/0/price", {"id": "peak", "currency": "usd", "ext": {"time_of_use": BANDS}})
    document["meters"][0] = {"id": "calls", "event_name": "call", "ext": {"aggregation": "time_weighted"}}
    assert refused(MemoryStore(), document)[:2] == ("contract_meter_unfit", "contracts[0].items[0].price")


def test_a_level_that_comes_to_be_by_time_of_day_holds_the_bill_back() -> None:
    document = catalogue()
    document["meters"][0] = {"id": "calls", "event_name": "call", "ext": {"aggregation": "time_weighted"}}
    store = MemoryStore()
    held: list[Held] = []
    apply_catalogue(store, document)
    peak = {"id": "peak", "currency": "usd", "ext": {"time_of_use": BANDS}}
    apply_catalogue(store, {"prices": [{"lineage": "calls", "effective_from": "2025-01-11T00:00:00Z", "price": peak}]})
    clerk = Clerk(store, CoreRater(store), parse_instant("2025-03-01T00:00:00Z"), lambda prefix: prefix)
    assert list(bill_until(clerk, parse_instant("2025-02-01T00:00:00Z"), None, lambda _: None, held.append)) == []
    assert [one.refusal.code for one in held] == ["contract_meter_unfit"]
