"""Customers' balances and what changes them, through the official SDK."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.resources.desk import Desk
from farthing.app.settlement.balances import change_balance
from farthing.core.base.refusal import Refusal
from farthing.main import new_id


def refused(api: Api, path: str, form: dict[str, str]) -> tuple[str | None, str | None]:
    status, code, param = error_of(api.post(path, form))
    assert status == 400
    return code, param


def customer(api: Api, id_: str) -> dict[str, Any]:
    return {name: api.get(f"/v1/customers/{id_}").json()[name] for name in ("balance", "currency", "invoice_credit_balance")}


def test_a_transaction_changes_the_balance(both: Api) -> None:
    id_ = both.stripe.v1.customers.create().id
    made = both.stripe.v1.customers.balance_transactions.create(id_, {"amount": -500, "currency": "EUR", "description": "d", "metadata": {"a": "b"}})
    assert both.last.body == {
        "id": made.id,
        "object": "customer_balance_transaction",
        "amount": -500,
        "checkout_session": None,
        "created": both.clock.at // 1_000_000,
        "credit_note": None,
        "currency": "eur",
        "customer": id_,
        "customer_account": None,
        "description": "d",
        "ending_balance": -500,
        "invoice": None,
        "livemode": False,
        "metadata": {"a": "b"},
        "type": "adjustment",
    }
    assert made.id.startswith("cbtxn_")
    assert customer(both, id_) == {"balance": -500, "currency": "eur", "invoice_credit_balance": {"eur": -500}}
    second = both.stripe.v1.customers.balance_transactions.create(id_, {"amount": 700, "currency": "eur", "expand": ["customer"]})
    assert (second.ending_balance, second.customer.balance) == (200, 200)  # type: ignore[union-attr]  # expanded
    changes = [event["data"]["previous_attributes"] for event in both.events("customer.updated")]
    assert changes[1] == {"balance": -500, "invoice_credit_balance": {"eur": -500}}
    assert [one.id for one in both.stripe.v1.customers.balance_transactions.list(id_).data] == [second.id, made.id]
    assert both.last.body["url"] == f"/v1/customers/{id_}/balance_transactions"
    assert both.stripe.v1.customers.balance_transactions.retrieve(id_, made.id).ending_balance == -500


def test_currencies_have_balances_of_their_own(both: Api) -> None:
    id_ = both.stripe.v1.customers.create().id
    both.stripe.v1.customers.balance_transactions.create(id_, {"amount": 5, "currency": "usd"})
    other = both.stripe.v1.customers.balance_transactions.create(id_, {"amount": -9, "currency": "jpy"})
    assert other.ending_balance == -9
    assert customer(both, id_) == {"balance": 5, "currency": "usd", "invoice_credit_balance": {"usd": 5, "jpy": -9}}


def test_a_first_balance_and_an_adjusted_one(both: Api) -> None:
    id_ = both.stripe.v1.customers.create({"balance": -1200}).id
    assert customer(both, id_) == {"balance": -1200, "currency": "usd", "invoice_credit_balance": {"usd": -1200}}
    assert both.events("customer.created")[0]["data"]["object"]["balance"] == -1200
    assert both.events("customer.updated") == []
    both.stripe.v1.customers.update(id_, {"balance": 300, "name": "x"})
    both.stripe.v1.customers.update(id_, {"balance": 300})
    found = both.stripe.v1.customers.balance_transactions.list(id_).data
    assert [(one.type, one.amount, one.ending_balance) for one in found] == [("adjustment", 1500, 300), ("initial", -1200, -1200)]
    (event,) = both.events("customer.updated")
    assert event["data"]["previous_attributes"] == {"balance": -1200, "invoice_credit_balance": {"usd": -1200}, "name": None}
    assert both.stripe.v1.customers.create({"balance": 0}).currency is None


def test_a_transaction_changes_in_description_and_metadata_only(both: Api) -> None:
    id_ = both.stripe.v1.customers.create().id
    made = both.stripe.v1.customers.balance_transactions.create(id_, {"amount": 1, "currency": "usd", "metadata": {"a": "1"}})
    changed = both.stripe.v1.customers.balance_transactions.update(id_, made.id, {"description": "new", "metadata": {"b": "2"}})
    assert (changed.description, changed.metadata.to_dict() if changed.metadata else None) == ("new", {"a": "1", "b": "2"})
    path = f"/v1/customers/{id_}/balance_transactions/{made.id}"
    assert refused(both, path, {"amount": "5"}) == ("parameter_unknown", "amount")
    assert len(both.events("customer.updated")) == 1


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"amount": "0", "currency": "usd"}, "balance_change_zero", "amount"),
        ({"amount": "1000000000000", "currency": "usd"}, "balance_out_of_range", "amount"),
        ({"amount": "999999999900", "currency": "usd"}, "balance_out_of_range", "amount"),
        ({"amount": "1.5", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": "5", "currency": "xxx"}, "currency_unknown", "currency"),
        ({"amount": "5"}, "parameter_missing", "currency"),
        ({"amount": "5", "currency": "usd", "description": "x" * 351}, "parameter_too_long", "description"),
    ],
)
def test_a_transaction_that_makes_no_sense_is_refused(api: Api, form: dict[str, str], code: str, param: str) -> None:
    id_ = api.stripe.v1.customers.create({"balance": 100}).id
    assert refused(api, f"/v1/customers/{id_}/balance_transactions", form) == (code, param)
    assert customer(api, id_)["balance"] == 100
    assert len(api.stripe.v1.customers.balance_transactions.list(id_).data) == 1


def test_the_bounds_of_a_balance_can_be_reached(api: Api) -> None:
    id_ = api.stripe.v1.customers.create({"balance": 999_999_999_999}).id
    api.stripe.v1.customers.balance_transactions.create(id_, {"amount": -999_999_999_999, "currency": "usd"})
    api.stripe.v1.customers.balance_transactions.create(id_, {"amount": -999_999_999_999, "currency": "usd"})
    assert customer(api, id_)["balance"] == -999_999_999_999


def test_transactions_are_their_customers_own(api: Api) -> None:
    one, other = (api.stripe.v1.customers.create({"balance": 7}).id for _ in range(2))
    made = api.stripe.v1.customers.balance_transactions.list(one).data[0].id
    calls: list[tuple[Any, str]] = [
        (lambda: api.stripe.v1.customers.balance_transactions.retrieve(other, made), "transaction"),
        (lambda: api.stripe.v1.customers.balance_transactions.update(other, made, {"description": "x"}), "transaction"),
        (lambda: api.stripe.v1.customers.balance_transactions.retrieve(one, "cbtxn_none"), "transaction"),
        (lambda: api.stripe.v1.customers.balance_transactions.list("cus_none"), "customer"),
        (lambda: api.stripe.v1.customers.balance_transactions.create("cus_none", {"amount": 1, "currency": "usd"}), "customer"),
    ]
    for call, param in calls:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call()
        assert told(caught.value) == (404, "resource_missing", param)
    api.stripe.v1.customers.delete(one)
    assert error_of(api.post(f"/v1/customers/{one}/balance_transactions", {"amount": "1", "currency": "usd"}))[0] == 404


def test_other_stages_change_balances_for_their_reasons(both: Api) -> None:
    id_ = both.stripe.v1.customers.create().id
    desk = Desk(both.store(), both.clock.at, new_id)
    row = change_balance(desk, id_, -250, "usd", "credit_note", credit_note="cn_1", description="refund", metadata={"k": "v"})
    change_balance(desk, id_, 100, "usd", "applied_to_invoice", invoice="in_1")
    assert row.document["ending_balance"] == -250
    found = both.stripe.v1.customers.balance_transactions.list(id_, {"invoice": "in_1"}).data
    assert [(one.type, one.invoice, one.ending_balance) for one in found] == [("applied_to_invoice", "in_1", -150)]
    with pytest.raises(Refusal) as caught:
        change_balance(desk, "cus_none", 1, "usd", "adjustment")
    assert (caught.value.code, caught.value.field) == ("resource_missing", "customer")


def test_changes_at_once_add_up(api_pg: Api) -> None:
    id_ = api_pg.stripe.v1.customers.create().id

    def debit(_: int) -> int:
        return api_pg.post(f"/v1/customers/{id_}/balance_transactions", {"amount": "10", "currency": "usd"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(debit, range(16))) == {200}
    assert customer(api_pg, id_)["balance"] == 160
    found = api_pg.stripe.v1.customers.balance_transactions.list(id_, {"limit": 100}).data
    assert sorted(one.ending_balance for one in found) == list(range(10, 170, 10))
