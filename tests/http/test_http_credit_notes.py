"""Credit notes over the wire: what they take back, line by line, where it goes, and that no later bill charges it again."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from billing_world import Shop, at, lines
from http_service import Api, error_of, told

from farthing.app.explain import explain
from farthing.app.raters import CoreRater, KernelRater
from farthing.app.verify import verify


def vat(shop: Shop, percentage: int = 19) -> str:
    return shop.v1.tax_rates.create({"display_name": "VAT", "percentage": percentage, "inclusive": False}).id


def invoiced(shop: Shop, *items: dict[str, Any]) -> stripe.Invoice:
    """An open invoice of these invoice items."""
    for item in items:
        sent: Any = {"customer": shop.customer, "currency": "usd", **item}
        shop.v1.invoice_items.create(sent)
    draft = shop.v1.invoices.create({"customer": shop.customer, "pending_invoice_items_behavior": "include"})
    return shop.v1.invoices.finalize_invoice(draft.id)


def credit(shop: Shop, invoice: stripe.Invoice, **more: Any) -> stripe.CreditNote:
    sent: Any = {"invoice": invoice.id, **more}
    return shop.v1.credit_notes.create(sent)


def of_line(invoice: stripe.Invoice, n: int, **how_much: int) -> list[dict[str, Any]]:
    return [{"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[n].id, **how_much}]


def written(note: stripe.CreditNote) -> list[str]:
    """A credit note as text."""
    found = [f"{note.status} {note.type}"]
    for line in note.lines.data:
        taxes = "".join(f" | tax {tax.amount} on {tax.taxable_amount}" for tax in line.taxes or [])
        discounts = f" | discount {line.discount_amount}" if line.discount_amount else ""
        found.append(f"  {line.description} | {line.amount}{discounts}{taxes}")
    return [*found, f"  total {note.total}"]


def proven(api: Api) -> bool:
    store: Any = api.store()
    result = verify(store, {"core": CoreRater(store), "kernel": KernelRater(store)}, lambda _: None)
    assert result.verified, result.findings
    for line in (line for document in store.documents() for line in store.lines(document.id)):
        assert explain(store, line).headline
    return bool(result.documents)


def test_a_credit_note_lowers_what_is_due_on_an_open_invoice(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    setup = {"description": "Set-up", "unit_amount_decimal": "2500", "quantity": 4, "tax_rates": [vat(shop)]}
    invoice = invoiced(shop, setup, {"description": "Goodwill", "amount": -700})
    assert (invoice.total, invoice.amount_due) == (11200, 11200)  # 10000 + 1900 − 700
    first = credit(shop, invoice, lines=of_line(invoice, 0, quantity=1), reason="order_change", memo="one less", metadata={"k": "v"})
    assert written(first) == ["issued pre_payment", "  Set-up | 2500 | tax 475 on 2500", "  total 2975"]
    assert (first.number, first.amount, first.subtotal, first.total_excluding_tax) == (f"{invoice.number}-CN-01", 2975, 2500, 2500)
    second = credit(shop, invoice, lines=of_line(invoice, 0, amount=1000))
    assert (second.number, second.total, second.created) == (f"{invoice.number}-CN-02", 1190, at("2026-04-01"))
    now = shop.v1.invoices.retrieve(invoice.id)
    assert (now.status, now.total, now.amount_due, now.amount_remaining) == ("open", 11200, 7035, 7035)
    assert (now.pre_payment_credit_notes_amount, now.post_payment_credit_notes_amount) == (4165, 0)
    assert [one.id for one in shop.v1.credit_notes.list({"invoice": invoice.id}).data] == [second.id, first.id]
    changed = shop.v1.credit_notes.update(first.id, {"memo": "two less"})
    assert (changed.memo, changed.total) == ("two less", 2975)
    paid = shop.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 7035)
    assert [len(both.events(f"credit_note.{name}")) for name in ("created", "updated", "voided")] == [2, 1, 0]
    assert proven(both)


def test_all_that_is_credited_of_an_invoice_is_the_invoice(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    invoice = invoiced(shop, {"amount": 100, "tax_rates": [vat(shop)]}, {"amount": 50, "tax_rates": [vat(shop)]})
    assert invoice.total == 179  # 150 + 28.5, half away from zero
    totals = [credit(shop, invoice, lines=of_line(invoice, n, amount=amount)).total for n, amount in ((0, 33), (1, 25), (0, 33), (0, 34), (1, 25))]
    assert sum(totals) == 179
    now = shop.v1.invoices.retrieve(invoice.id)
    assert (now.status, now.amount_remaining, now.amount_paid) == ("paid", 0, 0)
    assert proven(api)


def test_quantities_in_parts_are_the_whole_amount(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    invoice = invoiced(shop, {"unit_amount_decimal": "33.4", "quantity": 3}, {"amount": 500})
    assert [line.amount for line in invoice.lines.data] == [100, 500]
    notes = [credit(shop, invoice, lines=of_line(invoice, 0, quantity=1)) for _ in range(3)]
    assert [note.total for note in notes] == [33, 34, 33]  # 33.3, 66.7 and 100, each rounded
    with pytest.raises(stripe.InvalidRequestError) as refused:
        credit(shop, invoice, lines=of_line(invoice, 0, quantity=1))
    assert told(refused.value) == (400, "credit_note_too_large", "lines[0][quantity]")


def test_an_amount_is_spread_over_what_is_left(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    rates = [vat(shop)]
    invoice = invoiced(shop, {"amount": 10000, "tax_rates": rates, "description": "A"}, {"amount": -700, "description": "B"})
    note = credit(shop, invoice, amount=1190)
    assert written(note) == ["issued pre_payment", "  A | 1000 | tax 190 on 1000", "  total 1190"]
    odd = credit(shop, invoice, amount=3)
    # No amount before tax comes to 3: of 2 the tax is 0, of 3 it is 1 (19 % of 8997 is 1709, of 9000 it was 1710).
    assert written(odd) == ["issued pre_payment", "  A | 3 | tax 1 on 3", "  Rounding | -1", "  total 3"]
    rest = credit(shop, invoice, amount=11200 - 1193)
    assert (rest.total, shop.v1.invoices.retrieve(invoice.id).status) == (10007, "paid")
    assert proven(api)


def test_what_is_credited_of_usage_is_not_billed_again(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    seats, calls = shop.price("Seats", unit_amount=3000), shop.metered("Calls", "call", unit_amount=10)
    shop.subscribe({"price": seats}, {"price": calls}, default_tax_rates=[vat(shop)])
    shop.uses("call", 100, "2026-04-01", "hundred")
    shop.until("2026-05-01T02:00")
    invoice = shop.invoices()[-1]
    assert list(lines(invoice)) == [
        "paid subscription_cycle 2026-04-01 to 2026-05-01",
        "  Calls | 100 | 1000 | 2026-04-01 to 2026-05-01 | tax 190 on 1000",
        "  Seats | 1 | 3000 | 2026-05-01 to 2026-06-01 | tax 570 on 3000",
        "  total 4760",
    ]
    shop.uses("call", 5, "2026-04-02")  # late, and not known to the invoice
    note = credit(shop, invoice, lines=[*of_line(invoice, 0, amount=300), *of_line(invoice, 1, amount=1000)], refund_amount=1547)
    assert written(note) == [
        "issued post_payment",
        "  Calls | 300 | tax 57 on 300",
        "  Seats | 1000 | tax 190 on 1000",
        "  total 1547",
    ]
    (refund,) = note.refunds
    assert (refund.amount_refunded, shop.v1.refunds.retrieve(str(refund.refund)).amount) == (1547, 1547)
    now = shop.v1.invoices.retrieve(invoice.id)
    assert (now.status, now.amount_paid, now.post_payment_credit_notes_amount) == ("paid", 4760, 1547)
    shop.until("2026-06-01T02:00")
    assert list(lines(shop.invoices()[-1]))[1:] == [
        "  Calls (correction) | 5 | 50 | 2026-04-01 to 2026-05-01 | tax 10 on 50",  # the late calls alone; tax: 9.5 and what was rounded before
        "  Calls | 0 | 0 | 2026-05-01 to 2026-06-01 | tax 0 on 0",
        "  Seats | 1 | 3000 | 2026-06-01 to 2026-07-01 | tax 570 on 3000",
        "  total 3630",
    ]
    cancel: Any = {"event_name": "call", "type": "cancel", "cancel": {"identifier": "hundred"}}
    shop.v1.billing.meter_event_adjustments.create(cancel)
    shop.until("2026-07-01T02:00")
    assert list(lines(shop.invoices()[-1]))[1] == (
        # 50 are left of 1050, of which 300 are given up: all 750 that were billed and not credited go back, and no more
        "  Calls (correction) | -100 | -750 | 2026-04-01 to 2026-05-01 | tax -143 on -750"
    )
    assert proven(both)


def test_discounts_and_credits_go_back_as_the_whole_has_them(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls = shop.metered("Calls", "call", unit_amount=10)
    coupon = shop.v1.coupons.create({"percent_off": 10, "duration": "forever"}).id
    sent: Any = {
        "customer": shop.customer,
        "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": 400}},
        "applicability_config": {"scope": {"price_type": "metered"}},
    }
    grant = shop.v1.billing.credit_grants.create(sent)
    shop.subscribe({"price": calls}, discounts=[{"coupon": coupon}])
    shop.uses("call", 100, "2026-04-01")
    shop.until("2026-05-01T02:00")
    invoice = shop.invoices()[-1]
    assert invoice.total == 500  # 1000 − 100 − 400
    note = credit(shop, invoice, lines=of_line(invoice, 0, amount=700), credit_amount=500)
    line = note.lines.data[0]
    # 300 are left, less 30: 270. Of the 400 of the grant 130 have nothing left to pay and go back; 700 − 70 − 130 = 500.
    assert (note.subtotal, note.discount_amount, note.total) == (700, 70, 500)
    assert [(one.type, one.amount) for one in line.pretax_credit_amounts] == [("discount", 70), ("credit_balance_transaction", 130)]
    back = shop.v1.billing.credit_balance_transactions.list({"credit_grant": grant.id}).data[0]
    assert (back.id, back.credit and back.credit.type) == (
        line.pretax_credit_amounts[1].credit_balance_transaction,
        "credits_application_invoice_voided",
    )
    assert shop.v1.customers.retrieve(shop.customer).balance == -500
    moved = shop.v1.customers.balance_transactions.retrieve(shop.customer, str(note.customer_balance_transaction))
    assert (moved.type, moved.amount, moved.credit_note) == ("credit_note", -500, note.id)
    assert proven(api)


def test_a_void_credit_note_leaves_the_invoice_as_it_was(both: Api) -> None:
    shop = Shop(both, "2026-04-01", payment_method=None)
    calls = shop.metered("Calls", "call", unit_amount=10)
    shop.subscribe({"price": calls}, collection_method="send_invoice", days_until_due=10)
    shop.uses("call", 100, "2026-04-01")
    shop.until("2026-05-01T02:00")
    invoice = shop.invoices()[-1]
    first = credit(shop, invoice, lines=of_line(invoice, 0, amount=300))
    second = credit(shop, invoice, lines=of_line(invoice, 0, amount=200))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.credit_notes.void_credit_note(first.id)
    assert told(refused.value)[1] == "document_followed"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.invoices.void_invoice(invoice.id)
    assert told(refused.value) == (400, "invoice_credited", "invoice")
    for note in (second, first):
        void = shop.v1.credit_notes.void_credit_note(note.id)
        assert (void.status, void.voided_at) == ("void", at("2026-05-01T02:00"))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.credit_notes.void_credit_note(first.id)
    assert told(refused.value) == (400, "credit_note_stands", "id")
    now = shop.v1.invoices.retrieve(invoice.id)
    assert (now.amount_due, now.amount_remaining, now.pre_payment_credit_notes_amount) == (1000, 1000, 0)
    third = credit(shop, invoice, lines=of_line(invoice, 0, amount=1000))
    assert (third.total, third.number) == (1000, f"{invoice.number}-CN-03")
    assert len(both.events("credit_note.voided")) == 2
    shop.uses("call", 1, "2026-04-02")
    shop.until("2026-06-01T02:00")
    assert list(lines(shop.invoices()[-1]))[1:3] == [
        "  Calls (correction) | 1 | 10 | 2026-04-01 to 2026-05-01",
        "  Calls | 0 | 0 | 2026-05-01 to 2026-06-01",
    ]
    assert proven(both)


def test_a_preview_is_the_credit_note_and_leaves_nothing(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    invoice = invoiced(shop, {"amount": 1000, "tax_rates": [vat(shop)], "description": "A"})
    sent: Any = {"invoice": invoice.id, "lines": of_line(invoice, 0, amount=300)}
    previews = [shop.v1.credit_notes.preview(sent) for _ in range(2)]
    listed = shop.v1.credit_notes.preview_lines.list(sent)
    assert shop.v1.credit_notes.list({"customer": shop.customer}).data == []
    note = credit(shop, invoice, lines=sent["lines"])
    for preview in previews:
        assert (written(preview), preview.number, preview.amount) == (written(note), note.number, note.amount)
    assert [(line.amount, line.description) for line in listed.data] == [(300, "A")]
    assert [line.id for line in shop.v1.credit_notes.line_items.list(note.id).data] == [line.id for line in note.lines.data]
    assert shop.v1.invoices.retrieve(invoice.id).amount_due == 1190 - 357


def test_custom_lines_and_where_what_was_paid_goes(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    invoice = invoiced(shop, {"amount": 1000})
    shop.v1.invoices.pay(invoice.id)
    custom = [{"type": "custom_line_item", "description": "Late", "unit_amount_decimal": "150.5", "quantity": 3, "tax_rates": [vat(shop, 10)]}]
    for more, field in (({}, "refund_amount"), ({"refund_amount": 496}, "refund_amount"), ({"credit_amount": 498}, "credit_amount")):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            credit(shop, invoice, lines=custom, **more)
        assert told(refused.value) == (400, "credit_note_allotment", field)
    note = credit(shop, invoice, lines=custom, refund_amount=200, credit_amount=196, out_of_band_amount=101)
    assert written(note) == ["issued post_payment", "  Late | 452 | tax 45 on 452", "  total 497"]  # 451.5 and 45.2, rounded
    assert (note.out_of_band_amount, note.post_payment_amount, note.lines.data[0].quantity) == (101, 497, 3)
    assert shop.v1.customers.retrieve(shop.customer).balance == -196
    with pytest.raises(stripe.InvalidRequestError) as refused:
        credit(shop, invoice, amount=504, out_of_band_amount=504)
    assert told(refused.value) == (400, "credit_note_too_large", "amount")
    assert credit(shop, invoice, amount=503, out_of_band_amount=503).total == 503
    assert proven(api)


def test_what_the_balance_paid_of_an_open_invoice_is_given_back_apart(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    shop.v1.customers.balance_transactions.create(shop.customer, {"amount": -300, "currency": "usd"})
    invoice = invoiced(shop, {"amount": 1000})
    assert invoice.amount_due == 700
    note = credit(shop, invoice, amount=900, credit_amount=200)
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 700, 200)
    assert shop.v1.invoices.retrieve(invoice.id).status == "paid"
    assert shop.v1.customers.retrieve(shop.customer).balance == -200
    with pytest.raises(stripe.InvalidRequestError) as refused:
        credit(shop, invoice, amount=100, refund_amount=100)
    assert told(refused.value) == (400, "credit_note_no_payment", "refund_amount")


def test_an_invoice_with_a_credit_note_does_not_become_void(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    invoice = invoiced(shop, {"amount": 1000})
    custom = [{"type": "custom_line_item", "description": "Late", "unit_amount": 100}]
    note = credit(shop, invoice, lines=custom)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.invoices.void_invoice(invoice.id)
    assert told(refused.value) == (400, "invoice_credited", "invoice")
    shop.v1.credit_notes.void_credit_note(note.id)
    assert shop.v1.invoices.void_invoice(invoice.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        credit(shop, invoice, amount=100)
    assert told(refused.value) == (400, "credit_note_invoice", "invoice")


LINE = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": "{line}", "lines[0][amount]": "1"}
CUSTOM = {"lines[0][type]": "custom_line_item", "lines[0][description]": "x", "lines[0][unit_amount]": "1"}
REFUSED = [
    ({}, "credit_note_empty", "lines"),
    ({"amount": "0"}, "credit_note_empty", "amount"),
    ({"amount": "1", **LINE}, "fields_conflict", "amount"),
    ({**LINE, "lines[0][amount]": "1001"}, "credit_note_too_large", "lines[0][amount]"),
    ({**LINE, "lines[0][amount]": "0"}, "credit_note_empty", "lines[0]"),
    ({**LINE, "lines[0][quantity]": "1"}, "credit_note_line", "lines[0][amount]"),
    ({**LINE, "lines[0][unit_amount]": "1"}, "credit_note_line", "lines[0][unit_amount]"),
    ({**LINE, "lines[0][invoice_line_item]": "il_none"}, "resource_missing", "lines[0][invoice_line_item]"),
    ({**LINE, **{name.replace("[0]", "[1]"): value for name, value in LINE.items()}}, "credit_note_line", "lines[1][invoice_line_item]"),
    ({**CUSTOM, "lines[0][amount]": "1"}, "credit_note_line", "lines[0][amount]"),
    ({**CUSTOM, "lines[0][unit_amount_decimal]": "1"}, "credit_note_line", "lines[0][unit_amount]"),
    ({**CUSTOM, "lines[0][unit_amount]": "1001"}, "credit_note_too_large", "lines"),
    ({**CUSTOM, "lines[0][description]": None}, "credit_note_line", "lines[0][description]"),
    ({"amount": "1001"}, "credit_note_too_large", "amount"),
    ({"amount": "1000", "refund_amount": "1"}, "credit_note_allotment", "refund_amount"),
    ({"amount": "1", "invoice": "in_none"}, "resource_missing", "invoice"),
    ({"amount": "1", "refunds[0][refund]": "re"}, "parameter_unsupported", "refunds"),
    ({"amount": "1", "shipping_cost[shipping_rate]": "shr"}, "parameter_unsupported", "shipping_cost"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED)
def test_what_makes_no_credit_note(api: Api, params: dict[str, Any], code: str, param: str) -> None:
    shop = Shop(api, "2026-04-01")
    invoice = invoiced(shop, {"amount": 1000})
    line = invoice.lines.data[0].id
    sent = {name: value.replace("{line}", line) for name, value in {"invoice": invoice.id, **params}.items() if value is not None}
    assert error_of(api.post("/v1/credit_notes", sent)) == (400, code, param)


def test_a_draft_is_not_credited(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    draft = shop.v1.invoices.create({"customer": shop.customer})
    assert error_of(api.post("/v1/credit_notes", {"invoice": draft.id, "amount": "1"})) == (400, "credit_note_invoice", "invoice")
