"""Subscriptions over the wire, on test clocks: what is billed when, line by line. The amounts are computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from billing_world import Shop, at, lines
from http_service import Api, error_of, told


def text(written: str) -> str:
    """Expected lines, without the indentation that they have here."""
    rows = written.strip("\n").splitlines()
    margin = min(len(row) - len(row.lstrip()) for row in rows if row.strip())
    return "\n".join(row[margin:].split("  #")[0].rstrip() for row in rows if row.strip())


def test_seats_in_advance_and_usage_in_arrears(both: Api) -> None:
    shop = Shop(both, "2026-01-15T10:00")
    seats, calls = shop.price("Seats", unit_amount=3000), shop.metered("Calls", "call", unit_amount=10)
    made = shop.subscribe({"price": seats, "quantity": 2}, {"price": calls})
    assert (made.status, made.currency, made.billing_cycle_anchor) == ("active", "usd", at("2026-01-15T10:00"))
    assert [(item.price.id, item.current_period_end) for item in made["items"].data] == [
        (seats, at("2026-02-15T10:00")),
        (calls, at("2026-02-15T10:00")),
    ]
    shop.until("2026-01-31T10:00")
    shop.uses("call", 7, "2026-01-20")
    item = made["items"].data[0].id
    changed = shop.v1.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 4}]})
    assert changed["items"].data[0].quantity == 4
    shop.until("2026-02-16")
    assert shop.written() == text("""
        paid subscription_create 2026-01-15T10:00 to 2026-01-15T10:00
          Seats | 2 | 6000 | 2026-01-15T10:00 to 2026-02-15T10:00
          total 6000
        paid subscription_cycle 2026-01-15T10:00 to 2026-02-15T10:00
          Unused part of Seats from 2026-01-31 | 0 | -2903 | 2026-01-15T10:00 to 2026-01-31T10:00  # 6000 × 16/31 = 3096.8 stays
          Rest of Seats from 2026-01-31 | 4 | 5806 | 2026-01-31T10:00 to 2026-02-15T10:00  # 12000 × 15/31 = 5806.5
          Calls | 7 | 70 | 2026-01-15T10:00 to 2026-02-15T10:00
          Seats | 4 | 12000 | 2026-02-15T10:00 to 2026-03-15T10:00
          total 14973
    """)


def test_a_change_that_is_invoiced_at_once_or_not_at_all(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats = shop.price("Seats", unit_amount=3000)
    made = shop.subscribe({"price": seats, "quantity": 1})
    item = made["items"].data[0].id
    shop.until("2026-04-16")
    shop.v1.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 3}], "proration_behavior": "always_invoice"})
    shop.until("2026-04-21")
    shop.v1.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 5}], "proration_behavior": "none"})
    shop.until("2026-05-02")
    assert shop.written() == text("""
        paid subscription_create 2026-04-01 to 2026-04-01
          Seats | 1 | 3000 | 2026-04-01 to 2026-05-01
          total 3000
        paid subscription_update 2026-04-16 to 2026-04-16
          Unused part of Seats from 2026-04-16 | 0 | -1500 | 2026-04-01 to 2026-04-16
          Rest of Seats from 2026-04-16 | 3 | 4500 | 2026-04-16 to 2026-05-01
          total 3000
        paid subscription_cycle 2026-04-01 to 2026-05-01
          Seats | 5 | 15000 | 2026-05-01 to 2026-06-01
          total 15000
    """)


def test_fewer_seats_leave_a_balance_that_pays_the_next_invoice(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats = shop.price("Seats", unit_amount=3000)
    made = shop.subscribe({"price": seats, "quantity": 3})
    shop.until("2026-04-16")
    changes: Any = {"items": [{"id": made["items"].data[0].id, "quantity": 1}], "proration_behavior": "always_invoice"}
    shop.v1.subscriptions.update(made.id, changes)
    assert shop.v1.customers.retrieve(shop.customer).balance == -3000
    shop.until("2026-05-02")
    assert list(lines(shop.invoices()[-2])) == [
        "paid subscription_update 2026-04-16 to 2026-04-16",
        "  Unused part of Seats from 2026-04-16 | 0 | -4500 | 2026-04-01 to 2026-04-16",
        "  Rest of Seats from 2026-04-16 | 1 | 1500 | 2026-04-16 to 2026-05-01",
        "  total -3000",
    ]
    last = shop.invoices()[-1]
    assert (last.status, last.total, last.starting_balance, last.amount_due, last.ending_balance) == ("paid", 3000, -3000, 0, 0)


def test_another_interval_begins_new_periods_on_one_invoice(api: Api) -> None:
    shop = Shop(api, "2026-02-15")
    monthly, yearly = shop.price("Seats", unit_amount=2800), shop.price("Seats a year", "year", unit_amount=30000)
    made = shop.subscribe({"price": monthly, "quantity": 1})
    shop.until("2026-02-22")
    changed = shop.v1.subscriptions.update(made.id, {"items": [{"id": made["items"].data[0].id, "price": yearly}]})
    assert changed.billing_cycle_anchor == at("2026-02-22")
    assert changed["items"].data[0].current_period_end == at("2027-02-22")
    assert list(lines(shop.invoices()[-1])) == [
        "paid subscription_update 2026-02-15 to 2026-03-15",
        "  Unused part of Seats from 2026-02-22 | 0 | -2100 | 2026-02-15 to 2026-02-22",
        "  Seats a year | 1 | 30000 | 2026-02-22 to 2027-02-22",
        "  total 27900",
    ]
    shop.until("2027-02-23")
    assert list(lines(shop.invoices()[-1]))[1:] == ["  Seats a year | 1 | 30000 | 2027-02-22 to 2028-02-22", "  total 30000"]


def test_a_trial_bills_nothing_until_it_ends(api: Api) -> None:
    shop = Shop(api, "2026-01-31")
    seats, calls = shop.price("Seats", unit_amount=1000), shop.metered("Calls", "call", unit_amount=10)
    made = shop.subscribe({"price": seats}, {"price": calls}, trial_period_days=14)
    assert (made.status, made.trial_start, made.trial_end) == ("trialing", at("2026-01-31"), at("2026-02-14"))
    shop.uses("call", 50, "2026-01-31T00:00:00", "in the trial")
    shop.until("2026-02-20")
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"
    shop.uses("call", 3, "2026-02-20", "after it")
    shop.until("2026-03-15")
    assert shop.written() == text("""
        paid subscription_create 2026-01-31 to 2026-01-31
          Trial period | 1 | 0 | 2026-01-31 to 2026-02-14
          Trial period | 1 | 0 | 2026-01-31 to 2026-02-14
          total 0
        paid subscription_cycle 2026-02-14 to 2026-02-14
          Seats | 1 | 1000 | 2026-02-14 to 2026-03-14
          total 1000
        paid subscription_cycle 2026-02-14 to 2026-03-14
          Calls | 3 | 30 | 2026-02-14 to 2026-03-14
          Seats | 1 | 1000 | 2026-03-14 to 2026-04-14
          total 1030
    """)


def test_periods_are_counted_from_the_31st(api: Api) -> None:
    shop = Shop(api, "2026-01-31")
    shop.subscribe({"price": shop.price("Seats", unit_amount=100)})
    shop.until("2026-06-01")
    ends = [invoice.lines.data[0].period.end for invoice in shop.invoices()]
    assert ends == [at(f"2026-{month}") for month in ("02-28", "03-31", "04-30", "05-31", "06-30")]


def test_a_late_event_inside_the_window_enters_the_draft_and_after_it_the_next_invoice(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    calls = shop.metered("Calls", "call", unit_amount=10)
    made = shop.subscribe({"price": calls})
    assert (made.status, made.latest_invoice) == ("active", None)
    shop.uses("call", 5, "2026-04-01T00:00:00", "a")
    shop.until("2026-05-01T00:30")
    (draft,) = shop.invoices()
    assert (draft.status, draft.total) == ("draft", 50)
    shop.uses("call", 2, "2026-04-30T23:59", "b")
    assert shop.invoices()[0].total == 70
    shop.until("2026-05-01T02:00")
    shop.uses("call", 3, "2026-04-30T23:58", "c")
    shop.until("2026-06-02")
    assert (
        shop.written()
        == text("""
        paid subscription_cycle 2026-04-01 to 2026-05-01
          Calls | 7 | 70 | 2026-04-01 to 2026-05-01
          total 70
        paid subscription_cycle 2026-05-01 to 2026-06-01
          Calls (correction) | 3 | 30 | 2026-04-01 to 2026-05-01
          Calls | 0 | 0 | 2026-05-01 to 2026-06-01
          total 30
    """)
        or shop.invoices()[-1].amount_due == 0
    )


def test_cancelled_at_the_end_of_the_period(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats, calls = shop.price("Seats", unit_amount=1000), shop.metered("Calls", "call", unit_amount=100)
    made = shop.subscribe({"price": seats}, {"price": calls})
    shop.uses("call", 4, "2026-04-01")
    shop.until("2026-04-10")
    assert shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": True}).canceled_at == at("2026-04-10")
    shop.until("2026-05-02")
    ended = shop.v1.subscriptions.retrieve(made.id)
    assert (ended.status, ended.ended_at) == ("canceled", at("2026-05-01"))
    assert list(lines(shop.invoices()[-1])) == [
        "paid subscription_cycle 2026-04-01 to 2026-05-01",
        "  Calls | 4 | 400 | 2026-04-01 to 2026-05-01",
        "  total 400",
    ]
    shop.until("2026-07-02")
    assert len(shop.invoices()) == 2


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["  Seats | 1 | 3000 | 2026-04-01 to 2026-05-01"]),
        ({"prorate": True, "invoice_now": True}, ["  Unused part of Seats from 2026-04-11 | 0 | -2000 | 2026-04-01 to 2026-04-11"]),
    ],
)
def test_cancelled_now(api: Api, params: Any, expected: list[str]) -> None:
    shop = Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=3000)})
    shop.until("2026-04-11")
    ended = shop.v1.subscriptions.cancel(made.id, params)
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", at("2026-04-11"), at("2026-04-11"))
    assert [line for line in lines(shop.invoices()[-1]) if line.startswith("  ") and "total" not in line] == expected
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscriptions.update(made.id, {"description": "more"})
    assert told(refused.value)[1] == "subscription_ended"


def test_discounts_and_tax(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    coupon = shop.v1.coupons.create({"percent_off": 25, "duration": "repeating", "duration_in_months": 2}).id
    vat = shop.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False}).id
    shop.subscribe({"price": shop.price("Seats", unit_amount=999)}, discounts=[{"coupon": coupon}], default_tax_rates=[vat])
    shop.until("2026-06-02")
    assert shop.written() == text("""
        paid subscription_create 2026-04-01 to 2026-04-01
          Seats | 1 | 999 | 2026-04-01 to 2026-05-01 | discount 250 | tax 150 on 749  # 249.75 and 149.8 rounded
          total 899
        paid subscription_cycle 2026-04-01 to 2026-05-01
          Seats | 1 | 999 | 2026-05-01 to 2026-06-01 | discount 250 | tax 150 on 749
          total 899
        paid subscription_cycle 2026-05-01 to 2026-06-01
          Seats | 1 | 999 | 2026-06-01 to 2026-07-01 | tax 200 on 999
          total 1199
    """)
    assert shop.v1.coupons.retrieve(coupon).times_redeemed == 1


def test_a_card_that_is_declined_then_another_that_pays(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)})
    shop.pays_with("pm_card_chargeCustomerFail")
    shop.until("2026-05-01T02:00")
    assert shop.v1.subscriptions.retrieve(made.id).status == "past_due"
    failed = shop.invoices()[-1]
    assert (failed.status, failed.attempt_count, failed.next_payment_attempt) == ("open", 1, at("2026-05-04T01:00"))
    assert len(api.events("invoice.payment_failed")) == 1
    shop.pays_with("pm_card_visa")
    shop.until("2026-05-05")
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"
    assert (shop.invoices()[-1].status, shop.invoices()[-1].amount_paid) == ("paid", 1000)


def test_a_card_that_never_pays_ends_the_subscription(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)})
    shop.pays_with("pm_card_chargeCustomerFail")
    shop.until("2026-05-20")
    ended = shop.v1.subscriptions.retrieve(made.id)
    assert (ended.status, ended.cancellation_details.reason if ended.cancellation_details else None) == ("canceled", "payment_failed")
    assert shop.invoices()[-1].attempt_count == 4


def test_a_first_invoice_that_is_not_paid(api: Api) -> None:
    shop = Shop(api, "2026-04-01", "pm_card_chargeCustomerFail")
    seats = shop.price("Seats", unit_amount=1000)
    with pytest.raises(stripe.CardError) as refused:
        shop.subscribe({"price": seats}, payment_behavior="error_if_incomplete")
    assert refused.value.code == "card_declined"
    assert shop.v1.subscriptions.list({"customer": shop.customer, "status": "all"}).data == []
    made = shop.subscribe({"price": seats})
    assert made.status == "incomplete"
    shop.pays_with("pm_card_visa")
    assert shop.v1.invoices.pay(str(made.latest_invoice)).status == "paid"
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"
    waits = shop.subscribe({"price": seats}, payment_behavior="default_incomplete")
    shop.until("2026-04-02T01:00")
    assert shop.v1.subscriptions.retrieve(waits.id).status == "incomplete_expired"
    assert shop.v1.invoices.retrieve(str(waits.latest_invoice)).status == "void"


REFUSED = [
    ({"items": []}, "subscription_items_missing", "items"),
    ({"items": [{"quantity": 1}]}, "field_missing", "items[0][price]"),
    ({"items": [{"price": "price_none"}]}, "resource_missing", "items[0][price]"),
    ({"items": [{"price": "SEATS"}, {"price": "SEATS"}]}, "subscription_item_twice", "items[1][price]"),
    ({"items": [{"price": "SEATS"}, {"price": "YEARLY"}]}, "subscription_intervals_differ", "items[1][price]"),
    ({"items": [{"price": "CALLS", "quantity": 1}]}, "subscription_quantity_metered", "items[0][quantity]"),
    ({"items": [{"price": "ONCE"}]}, "subscription_price_one_time", "items[0][price]"),
    ({"items": [{"price": "SEATS"}], "currency": "eur"}, "subscription_price_currency", "items[0][price]"),
    ({"items": [{"price": "SEATS"}], "collection_method": "send_invoice"}, "invoice_due_date_misplaced", "days_until_due"),
    ({"items": [{"price": "SEATS"}], "days_until_due": 3}, "invoice_due_date_misplaced", "days_until_due"),
    ({"items": [{"price": "SEATS"}], "trial_end": at("2026-01-01")}, "subscription_time_out_of_range", "trial_end"),
    ({"items": [{"price": "SEATS"}], "billing_cycle_anchor": at("2026-06-01")}, "subscription_time_out_of_range", "billing_cycle_anchor"),
    ({"items": [{"price": "SEATS"}], "backdate_start_date": at("2026-06-01")}, "subscription_time_out_of_range", "backdate_start_date"),
    ({"items": [{"price": "SEATS"}], "cancel_at": at("2026-01-01")}, "subscription_time_out_of_range", "cancel_at"),
    ({"items": [{"price": "SEATS"}], "cancel_at": "max_period_end"}, "subscription_time_unsupported", "cancel_at"),
    ({"items": [{"price": "SEATS"}], "discounts": [{"coupon": "none"}]}, "resource_missing", "discounts[0][coupon]"),
    ({"items": [{"price": "SEATS"}], "default_tax_rates": ["none"]}, "resource_missing", "default_tax_rates[0]"),
    ({"items": [{"price": "SEATS", "tax_rates": ["x"]}]}, "parameter_unsupported", "items[0][tax_rates]"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED)
def test_what_makes_no_subscription(api: Api, params: Any, code: str, param: str) -> None:
    shop = Shop(api, "2026-04-01")
    once = shop.v1.prices.create({"currency": "usd", "unit_amount": 5, "product": shop.v1.products.create({"name": "Once"}).id}).id
    ids = {
        "SEATS": shop.price("Seats", unit_amount=1000),
        "YEARLY": shop.price("Yearly", "year", unit_amount=1000),
        "CALLS": shop.metered("Calls", "call", unit_amount=1),
        "ONCE": once,
    }
    items = [{**item, **({"price": ids.get(item["price"], item["price"])} if "price" in item else {})} for item in params["items"]]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscriptions.create({"customer": shop.customer, **params, "items": items})
    assert told(refused.value) == (400, code, param)
    assert shop.v1.subscriptions.list({"status": "all"}).data == []


def test_a_price_that_is_not_offered_any_more(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats = shop.price("Seats", unit_amount=1000)
    shop.v1.prices.update(seats, {"active": False})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.subscribe({"price": seats})
    assert told(refused.value) == (400, "subscription_price_inactive", "items[0][price]")


def test_a_first_payment_that_waits_for_the_customer(api: Api) -> None:
    shop = Shop(api, "2026-04-01", "pm_card_threeDSecure2Required")
    with pytest.raises(stripe.StripeError) as refused:
        shop.subscribe({"price": shop.price("Seats", unit_amount=1000)}, payment_behavior="error_if_incomplete")
    assert told(refused.value)[1] in ("invoice_payment_requires_action", "authentication_required")


def test_items_have_an_address_of_their_own(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats, support = shop.price("Seats", unit_amount=1000), shop.price("Support", unit_amount=500)
    made = shop.subscribe({"price": seats})
    items = shop.v1.subscription_items
    added = items.create({"subscription": made.id, "price": support, "quantity": 2})
    assert [one.id for one in items.list({"subscription": made.id}).data] == [made["items"].data[0].id, added.id]
    assert items.update(added.id, {"quantity": 3, "metadata": {"a": "b"}}).quantity == 3
    assert items.retrieve(added.id).metadata["a"] == "b"
    assert items.delete(added.id).deleted is True
    assert error_of(api.get(f"/v1/subscription_items/{added.id}")) == (404, "resource_missing", "item")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        items.delete(made["items"].data[0].id)
    assert told(refused.value)[1] == "subscription_items_missing"


def test_subscriptions_are_listed_and_searched(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    seats = shop.price("Seats", unit_amount=1000)
    kept, ended = shop.subscribe({"price": seats}, metadata={"team": "blue"}), shop.subscribe({"price": seats})
    shop.v1.subscriptions.cancel(ended.id)
    listed = shop.v1.subscriptions.list
    assert [one.id for one in listed().data] == [kept.id]
    assert [one.id for one in listed({"status": "ended"}).data] == [ended.id]
    assert {one.id for one in listed({"status": "all"}).data} == {kept.id, ended.id}
    assert [one.id for one in shop.v1.subscriptions.search({"query": "metadata['team']:'blue'"}).data] == [kept.id]
    expanded = shop.v1.subscriptions.retrieve(kept.id, {"expand": ["customer", "latest_invoice", "items.data.price.product"]})
    assert isinstance(expanded.customer, stripe.Customer) and isinstance(expanded.latest_invoice, stripe.Invoice)


def test_every_change_is_told(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)})
    shop.v1.subscriptions.update(made.id, {"description": "two"})
    shop.v1.subscriptions.cancel(made.id)
    assert [event["data"]["object"]["status"] for event in api.events("customer.subscription.created")] == ["active"]
    (updated,) = api.events("customer.subscription.updated")
    assert updated["data"]["previous_attributes"] == {"description": None}
    assert len(api.events("customer.subscription.deleted")) == 1
    assert [len(api.events(f"invoice.{name}")) for name in ("created", "finalized", "paid", "payment_succeeded")] == [1, 1, 1, 1]


def test_a_customer_who_is_deleted_has_no_subscription_any_more(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)})
    shop.until("2026-05-01T00:30")
    assert shop.invoices()[-1].status == "draft"
    shop.v1.customers.delete(shop.customer)
    assert shop.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert [invoice.status for invoice in shop.v1.invoices.list().data] == ["paid"]


def test_what_needs_a_customer_says_so(api: Api) -> None:
    for path in ("/v1/subscriptions", "/v1/invoices", "/v1/invoiceitems"):
        assert error_of(api.post(path, {})) == (400, "parameter_missing", "customer")


def test_settings_change_without_a_bill(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)})
    changed = shop.v1.subscriptions.update(made.id, {"collection_method": "send_invoice", "days_until_due": 14, "metadata": {"a": "1"}})
    assert (changed.collection_method, changed.days_until_due, changed.metadata["a"]) == ("send_invoice", 14, "1")
    shop.until("2026-05-01T02:00")
    open_ = shop.invoices()[-1]
    assert (open_.status, open_.due_date, open_.attempt_count) == ("open", at("2026-05-15"), 0)
    charged = shop.v1.invoices.update(open_.id, {"auto_advance": False})
    assert charged.auto_advance is False


def test_a_customer_pays_the_first_invoice_by_confirming_its_payment(api: Api) -> None:
    shop = Shop(api, "2026-04-01", payment_method=None)
    expand: Any = {"payment_behavior": "default_incomplete", "expand": ["latest_invoice.confirmation_secret"]}
    made = shop.subscribe({"price": shop.price("Seats", unit_amount=1000)}, **expand)
    assert made.status == "incomplete" and isinstance(made.latest_invoice, stripe.Invoice)
    secret = made.latest_invoice.confirmation_secret
    assert secret is not None
    intent = secret.client_secret.split("_secret_")[0]
    confirmed = shop.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_threeDSecure2Required", "return_url": "https://example.com"})
    assert confirmed.status == "requires_action"
    assert shop.v1.subscriptions.retrieve(made.id).status == "incomplete"
    assert confirmed.next_action is not None and confirmed.next_action.redirect_to_url is not None
    api.http.get(f"{confirmed.next_action.redirect_to_url.url}?outcome=succeed", follow_redirects=False)
    assert shop.v1.invoices.retrieve(made.latest_invoice.id).status == "paid"
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"
