"""Invoices over the wire: one-off ones, what they go through, previews, and that each is a document of the core that can be proven."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import stripe
from billing_world import Shop, at, lines
from http_service import Api, error_of, told

from farthing.app.raters import CoreRater, KernelRater
from farthing.app.verify import verify


def test_invoice_items_are_billed_on_an_invoice_that_is_asked_for(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    vat = shop.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": True}).id
    sent: Any = {"customer": shop.customer, "amount": 5000, "currency": "usd", "description": "Set-up", "tax_rates": [vat], "metadata": {"k": "v"}}
    setup = shop.v1.invoice_items.create(sent)
    shop.v1.invoice_items.create({"customer": shop.customer, "amount": -700, "currency": "usd", "description": "Goodwill"})
    draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    assert (draft.status, draft.total, draft.number, draft.auto_advance) == ("draft", 4300, None, False)
    assert shop.v1.invoice_items.retrieve(setup.id).invoice == draft.id
    final = shop.v1.invoices.finalize_invoice(draft.id)
    assert list(lines(final)) == [
        "open manual 2026-04-01 to 2026-04-01",
        "  Set-up | 1 | 5000 | 2026-04-01 to 2026-04-01T00:00:01 | tax 798 on 4202",  # 5000 × 19/119 = 798.3
        "  Goodwill | 1 | -700 | 2026-04-01 to 2026-04-01T00:00:01",
        "  total 4300",
    ]
    assert (final.subtotal_excluding_tax, final.total_excluding_tax) == (3502, 3502)
    assert final.lines.data[0].metadata is not None and final.lines.data[0].metadata["k"] == "v"
    paid = shop.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 4300, 0)
    (payment,) = shop.v1.invoice_payments.list({"invoice": draft.id}).data
    assert (payment.status, payment.amount_paid) == ("paid", 4300)


def test_numbers_are_gapless_by_customer(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    numbers = []
    for amount in (100, 200, 300):
        shop.v1.invoice_items.create({"customer": shop.customer, "amount": amount, "currency": "usd"})
        draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
        if amount == 200:
            shop.v1.invoices.delete(draft.id)
            continue
        numbers.append(shop.v1.invoices.finalize_invoice(draft.id).number)
    prefix = shop.v1.customers.retrieve(shop.customer).invoice_prefix
    assert numbers == [f"{prefix}-0001", f"{prefix}-0002"]
    assert shop.invoices()[-1].total == 500  # the item of the draft that was deleted waits again, and stands on the next


def test_what_an_invoice_goes_through(api: Api) -> None:
    shop = Shop(api, "2026-04-01", payment_method=None)
    seats = shop.price("Seats", unit_amount=1000)
    made = shop.subscribe({"price": seats}, collection_method="send_invoice", days_until_due=10)
    shop.until("2026-04-01T02:00")
    (open_,) = shop.invoices()
    assert (open_.status, open_.due_date, made.status) == ("open", at("2026-04-11"), "active")
    assert shop.v1.invoices.send_invoice(open_.id).status == "open"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.invoices.pay(open_.id)
    assert told(refused.value)[1] == "invoice_payment_method_missing"
    bad = shop.v1.invoices.mark_uncollectible(open_.id)
    assert (bad.status, bad.status_transitions.marked_uncollectible_at) == ("uncollectible", at("2026-04-01T02:00"))
    assert shop.v1.invoices.pay(open_.id, {"paid_out_of_band": True}).status == "paid"
    acts = (shop.v1.invoices.void_invoice, shop.v1.invoices.mark_uncollectible, shop.v1.invoices.finalize_invoice, shop.v1.invoices.pay)
    for act, code in zip(acts, ("invoice_not_open", "invoice_not_open", "invoice_not_editable", "invoice_not_open"), strict=True):
        with pytest.raises(stripe.InvalidRequestError) as stands:
            act(open_.id)
        assert told(stands.value)[1] == code
    assert error_of(api.post(f"/v1/invoices/{open_.id}", {"description": "late"})) == (400, "invoice_not_editable", "description")


def test_a_void_invoice_gives_back_what_it_took_from_the_balance(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    shop.v1.customers.balance_transactions.create(shop.customer, {"amount": -300, "currency": "usd"})
    shop.v1.invoice_items.create({"customer": shop.customer, "amount": 1000, "currency": "usd"})
    draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    final = shop.v1.invoices.finalize_invoice(draft.id)
    assert (final.starting_balance, final.amount_due, final.ending_balance) == (-300, 700, 0)
    assert shop.v1.customers.retrieve(shop.customer).balance == 0
    void = shop.v1.invoices.void_invoice(draft.id)
    assert (void.status, void.number) == ("void", final.number)
    assert shop.v1.customers.retrieve(shop.customer).balance == -300
    assert [one.type for one in shop.v1.customers.balance_transactions.list(shop.customer).data][:2] == [
        "unapplied_from_invoice",
        "applied_to_invoice",
    ]


def test_too_small_a_charge_waits_on_the_balance(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    shop.v1.invoice_items.create({"customer": shop.customer, "amount": 49, "currency": "usd"})
    first = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    final = shop.v1.invoices.finalize_invoice(first.id)
    assert (final.status, final.total, final.amount_due, final.ending_balance) == ("paid", 49, 0, 49)
    shop.v1.invoice_items.create({"customer": shop.customer, "amount": 1, "currency": "usd"})
    second = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    final = shop.v1.invoices.finalize_invoice(second.id)
    assert (final.total, final.starting_balance, final.amount_due, final.ending_balance) == (1, 49, 50, 0)


def test_a_preview_is_the_invoice(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    seats, calls = shop.price("Seats", unit_amount=3000), shop.metered("Calls", "call", unit_amount=10)
    made = shop.subscribe({"price": seats}, {"price": calls})
    shop.uses("call", 5, "2026-04-01")
    shop.until("2026-04-16")
    item = made["items"].data[0].id
    changes: Any = {"subscription": made.id, "subscription_details": {"items": [{"id": item, "quantity": 3}]}}
    told_before = shop.v1.invoices.create_preview(changes)
    assert len(shop.invoices()) == 1 and shop.v1.subscriptions.retrieve(made.id)["items"].data[0].quantity == 1
    now: Any = {**changes, "subscription_details": {**changes["subscription_details"], "proration_behavior": "always_invoice"}}
    assert [line.amount for line in shop.v1.invoices.create_preview(now).lines.data] == [-1500, 4500]
    shop.v1.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 3}]})
    same = shop.v1.invoices.create_preview({"subscription": made.id})
    shop.until("2026-05-01T00:30")
    drawn = shop.invoices()[-1]
    for preview in (told_before, same):
        assert [(line.description, line.quantity_decimal, line.amount, line.period) for line in preview.lines.data] == [
            (line.description, line.quantity_decimal, line.amount, line.period) for line in drawn.lines.data
        ]
        assert (preview.total, preview.amount_due) == (drawn.total, drawn.amount_due) == (12050, 12050)


def test_a_preview_of_a_subscription_that_would_begin(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats = shop.price("Seats", unit_amount=3000)
    sent: Any = {"customer": shop.customer, "subscription_details": {"items": [{"price": seats, "quantity": 2}]}}
    preview = shop.v1.invoices.create_preview(sent)
    assert [(line.amount, line.period.end) for line in preview.lines.data] == [(6000, at("2026-05-01"))]
    assert shop.invoices() == [] and shop.v1.subscriptions.list({"status": "all"}).data == []
    assert error_of(api.post("/v1/invoices/create_preview", {})) == (400, "field_missing", "customer")


def test_every_invoice_is_proven_by_the_other_path(api: Api) -> None:
    shop = Shop(api, "2026-01-31")
    seats, calls = shop.price("Seats", unit_amount=1001), shop.metered("Calls", "call", unit_amount_decimal="3.3")
    made = shop.subscribe({"price": seats, "quantity": 3}, {"price": calls})
    for month, quantity in (("02", 5), ("03", 2), ("04", 7)):
        shop.until(f"2026-{month}-10")
        shop.uses("call", 1111, f"2026-{month}-09")
        shop.v1.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id, "quantity": quantity}]})
    shop.until("2026-05-10")
    store: Any = api.store()
    result = verify(store, {"core": CoreRater(store), "kernel": KernelRater(store)}, lambda _: None)
    assert result.verified and result.documents == len(shop.invoices()) == 4
    billed = sum(document.content["total"] for document in store.documents())
    assert billed == sum(invoice.total for invoice in shop.invoices())


REFUSED = [
    ({"amount": 5}, "invoice_item_amount", "currency"),
    ({"currency": "usd"}, "invoice_item_amount", "amount"),
    ({"amount": 5, "currency": "usd", "unit_amount_decimal": "1.5"}, "invoice_item_amount", "amount"),
    ({"amount": 5, "currency": "usd", "invoice": "in_none"}, "resource_missing", "invoice"),
    ({"amount": 5, "currency": "usd", "subscription": "sub_none"}, "resource_missing", "subscription"),
    ({"amount": 5, "currency": "xxx"}, "currency_unknown", "currency"),
    ({"amount": "1.5", "currency": "usd"}, "parameter_invalid_integer", "amount"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED)
def test_what_makes_no_invoice_item(api: Api, params: Any, code: str, param: str) -> None:
    shop = Shop(api, "2026-04-01")
    assert error_of(api.post("/v1/invoiceitems", {"customer": shop.customer, **params})) == (400, code, param)


@pytest.mark.parametrize("path", ["/v1/invoiceitems", "/v1/invoices", "/v1/subscriptions"])
def test_nothing_is_billed_to_nobody(api: Api, path: str) -> None:
    assert error_of(api.post(path, {})) == (400, "parameter_missing", "customer")


def test_a_subscription_of_another_customer_is_none_of_this_one(api: Api) -> None:
    shop, other = Shop(api, "2026-04-01"), Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)})
    item = {"amount": "500", "currency": "usd", "subscription": made.id}
    for path, form in (("/v1/invoiceitems", item), ("/v1/invoices", {"subscription": made.id})):
        assert error_of(api.post(path, {"customer": other.customer, **form})) == (400, "resource_missing", "subscription")
    assert api.post("/v1/invoiceitems", {"customer": shop.customer, **item}).json()["parent"]["subscription_details"] == {"subscription": made.id}
    api.post("/v1/invoices", {"customer": shop.customer, "subscription": made.id})
    assert api.events("invoiceitem.created") and not [one for one in api.get("/v1/events").json()["data"] if one["type"] == "invoiceitem.updated"]


def test_an_item_on_a_final_invoice_stays(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    item = shop.v1.invoice_items.create({"customer": shop.customer, "currency": "usd", "unit_amount_decimal": "10.5", "quantity": 3})
    assert (item.amount, item.quantity_decimal) == (32, Decimal(3))  # 31.5, half away from zero
    assert shop.v1.invoice_items.update(item.id, {"quantity": 5}).amount == 53
    draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    eur: Any = {"customer": shop.customer, "amount": 1, "currency": "eur", "invoice": draft.id}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.invoice_items.create(eur)
    assert told(refused.value)[1] == "invoice_currency_differs"
    shop.v1.invoices.finalize_invoice(draft.id)
    assert error_of(api.send("DELETE", f"/v1/invoiceitems/{item.id}")) == (400, "invoice_item_billed", "invoiceitem")


def test_lines_are_paged(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    for amount in range(100, 112):
        shop.v1.invoice_items.create({"customer": shop.customer, "amount": amount, "currency": "usd"})
    draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    every = [line.amount for line in shop.v1.invoices.line_items.list(draft.id, {"limit": 5}).auto_paging_iter()]
    assert every == list(range(100, 112))
