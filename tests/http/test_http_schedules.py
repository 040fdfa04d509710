"""Subscription schedules over the wire, on test clocks. The amounts are computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from billing_world import Shop, at, lines
from http_service import Api, told


def text(written: str) -> str:
    """Expected lines, without the indentation that they have here."""
    rows = written.strip("\n").splitlines()
    margin = min(len(row) - len(row.lstrip()) for row in rows if row.strip())
    return "\n".join(row[margin:].split("  #")[0].rstrip() for row in rows if row.strip())


def months(count: int) -> Any:
    """A phase's length."""
    return {"interval": "month", "interval_count": count}


def plan(shop: Shop, *phases: Any, **more: Any) -> stripe.SubscriptionSchedule:
    """A schedule of the shop's customer."""
    sent: Any = {"customer": shop.customer, "phases": list(phases), "start_date": "now", **more}
    return shop.v1.subscription_schedules.create(sent)


def seats(price: str, quantity: int = 1, **more: Any) -> Any:
    """A phase of one item."""
    return {"items": [{"price": price, "quantity": quantity}], "duration": months(1), **more}


def test_a_ramp_of_phases_and_then_the_subscription_goes_on(both: Api) -> None:
    shop = Shop(both, "2026-01-31")
    price = shop.price("Seats", unit_amount=1000)
    made = plan(shop, seats(price, 1, proration_behavior="none"), seats(price, 3, duration=months(2), proration_behavior="none"))
    assert made.status == "active" and made.current_phase is not None
    assert [(phase.start_date, phase.end_date) for phase in made.phases] == [
        (at("2026-01-31"), at("2026-02-28")),
        (at("2026-02-28"), at("2026-04-28")),
    ]
    assert isinstance(made.subscription, str)
    held = shop.v1.subscriptions.retrieve(made.subscription)
    assert (held.schedule, held.status) == (made.id, "active")
    shop.until("2026-05-01")
    done = shop.v1.subscription_schedules.retrieve(made.id)
    assert (done.status, done.released_at, done.released_subscription, done.subscription) == ("released", at("2026-04-28"), held.id, None)
    assert shop.v1.subscriptions.retrieve(held.id).schedule is None
    assert shop.written() == text("""
        paid subscription_create 2026-01-31 to 2026-01-31
          Seats | 1 | 1000 | 2026-01-31 to 2026-02-28
          total 1000
        paid subscription_cycle 2026-01-31 to 2026-02-28
          Seats | 3 | 3000 | 2026-02-28 to 2026-03-31
          total 3000
        paid subscription_cycle 2026-02-28 to 2026-03-31
          Seats | 3 | 3000 | 2026-03-31 to 2026-04-30
          total 3000
        paid subscription_cycle 2026-03-31 to 2026-04-30
          Seats | 3 | 3000 | 2026-04-30 to 2026-05-31
          total 3000
    """)


@pytest.mark.parametrize(
    ("behavior", "expected"),
    [
        ("create_prorations", ["  Unused part of Seats from 2026-04-16 | 0 | -1500 | 2026-04-01 to 2026-04-16",
                               "  Rest of Seats from 2026-04-16 | 2 | 3000 | 2026-04-16 to 2026-05-01",
                               "  Seats | 2 | 6000 | 2026-05-01 to 2026-06-01",
                               "  total 7500"]),
        ("none", ["  Seats | 2 | 6000 | 2026-05-01 to 2026-06-01", "  total 6000"]),
    ],
)  # fmt: skip
def test_a_phase_that_begins_inside_a_period_is_prorated_as_it_says(api: Api, behavior: str, expected: list[str]) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    first = {"items": [{"price": price, "quantity": 1}], "end_date": at("2026-04-16")}
    plan(shop, first, seats(price, 2, proration_behavior=behavior))
    shop.until("2026-05-02")
    assert list(lines(shop.invoices()[-1]))[1:] == expected


def test_a_phase_of_another_interval_begins_new_periods_and_the_last_one_cancels(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    monthly, yearly = shop.price("Seats", unit_amount=3000), shop.price("Seats a year", "year", unit_amount=30000)
    year: Any = {"items": [{"price": yearly}], "duration": {"interval": "year", "interval_count": 1}}
    made = plan(shop, seats(monthly), year, end_behavior="cancel")
    shop.until("2026-05-01T02:00")
    assert list(lines(shop.invoices()[-1])) == [
        "paid subscription_update 2026-04-01 to 2026-05-01",
        "  Seats a year | 1 | 30000 | 2026-05-01 to 2027-05-01",
        "  total 30000",
    ]
    shop.until("2027-05-02")
    done = shop.v1.subscription_schedules.retrieve(made.id)
    assert (done.status, done.completed_at, done.current_phase) == ("completed", at("2027-05-01"), None)
    assert isinstance(done.subscription, str)
    ended = shop.v1.subscriptions.retrieve(done.subscription)
    assert (ended.status, ended.ended_at, ended.schedule) == ("canceled", at("2027-05-01"), None)
    assert [invoice.total for invoice in shop.invoices()] == [3000, 30000, 0]
    assert len(both.events("subscription_schedule.completed")) == 1


def test_a_schedule_that_begins_later_with_a_trial(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    trial = {"items": [{"price": price}], "end_date": at("2026-04-20"), "trial": True}
    made = plan(shop, trial, seats(price, 2), start_date=at("2026-04-10"))
    assert (made.status, made.subscription, made.current_phase) == ("not_started", None, None)
    listed = shop.v1.subscription_schedules.list
    assert [one.id for one in listed({"scheduled": True}).data] == [made.id] and listed({"scheduled": False}).data == []
    shop.until("2026-04-15")
    begun = shop.v1.subscription_schedules.retrieve(made.id, {"expand": ["subscription"]})
    assert isinstance(begun.subscription, stripe.Subscription)
    assert (begun.status, begun.subscription.status, begun.subscription.trial_end) == ("active", "trialing", at("2026-04-20"))
    shop.until("2026-04-21")
    assert list(lines(shop.invoices()[-1])) == [
        "paid subscription_cycle 2026-04-20 to 2026-04-20",
        "  Seats | 2 | 6000 | 2026-04-20 to 2026-05-20",
        "  total 6000",
    ]


def test_from_a_subscription_and_then_other_phases(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    held = shop.subscribe({"price": price, "quantity": 2})
    made = shop.v1.subscription_schedules.create({"from_subscription": held.id})
    assert [(one.start_date, one.end_date, one["items"][0].quantity) for one in made.phases] == [(at("2026-04-01"), at("2026-05-01"), 2)]
    assert shop.v1.subscriptions.retrieve(held.id).schedule == made.id
    coupon = shop.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id
    phases: Any = [
        {"items": [{"price": price, "quantity": 2}], "start_date": at("2026-04-01"), "end_date": at("2026-05-01")},
        seats(price, 5, discounts=[{"coupon": coupon}]),
    ]
    changed = shop.v1.subscription_schedules.update(made.id, {"phases": phases, "end_behavior": "cancel", "metadata": {"a": "b"}})
    assert (len(changed.phases), changed.end_behavior) == (2, "cancel")
    assert changed.metadata is not None and changed.metadata["a"] == "b"
    shop.until("2026-06-02")
    assert shop.written() == text("""
        paid subscription_create 2026-04-01 to 2026-04-01
          Seats | 2 | 6000 | 2026-04-01 to 2026-05-01
          total 6000
        paid subscription_cycle 2026-04-01 to 2026-05-01
          Seats | 5 | 15000 | 2026-05-01 to 2026-06-01 | discount 7500
          total 7500
        paid subscription_cycle 2026-05-01 to 2026-06-01
          total 0
    """)
    assert shop.v1.subscriptions.retrieve(held.id).status == "canceled"


def test_the_current_phase_changes_at_once(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    made = plan(shop, seats(price, 1))
    shop.until("2026-04-16")
    phase: Any = {"items": [{"price": price, "quantity": 3}], "end_date": at("2026-05-01")}
    shop.v1.subscription_schedules.update(made.id, {"phases": [phase], "proration_behavior": "always_invoice"})
    assert list(lines(shop.invoices()[-1]))[1:] == [
        "  Unused part of Seats from 2026-04-16 | 0 | -1500 | 2026-04-01 to 2026-04-16",
        "  Rest of Seats from 2026-04-16 | 3 | 4500 | 2026-04-16 to 2026-05-01",
        "  total 3000",
    ]


def test_what_a_schedule_decides_is_not_changed_beside_it_until_it_is_released(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    made = plan(shop, seats(price, 1), end_behavior="cancel")
    id_ = made.subscription
    assert isinstance(id_, str)
    shop.v1.subscriptions.update(id_, {"metadata": {"team": "blue"}})
    for params in ({"cancel_at_period_end": True}, {"items": [{"price": price, "quantity": 9}]}, {"cancel_at": at("2026-04-20")}):
        sent: Any = params
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.v1.subscriptions.update(id_, sent)
        assert told(refused.value) == (400, "subscription_scheduled", next(iter(sent)))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscription_schedules.create({"from_subscription": id_})
    assert told(refused.value)[1] == "subscription_scheduled"
    released = shop.v1.subscription_schedules.release(made.id, {"preserve_cancel_date": True})
    assert (released.status, released.subscription, released.released_subscription) == ("released", None, id_)
    held = shop.v1.subscriptions.retrieve(id_)
    assert (held.schedule, held.cancel_at, held.metadata["team"]) == (None, at("2026-05-01"), "blue")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscription_schedules.release(made.id)
    assert told(refused.value)[1] == "subscription_schedule_ended"
    assert len(api.events("subscription_schedule.released")) == 1


def test_a_canceled_schedule_ends_its_subscription_and_gives_back_the_rest(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    made = plan(shop, seats(price, 1))
    shop.until("2026-04-11")
    canceled = shop.v1.subscription_schedules.cancel(made.id)
    assert (canceled.status, canceled.canceled_at) == ("canceled", at("2026-04-11"))
    assert list(lines(shop.invoices()[-1]))[1:] == [
        "  Unused part of Seats from 2026-04-11 | 0 | -2000 | 2026-04-01 to 2026-04-11",
        "  total -2000",
    ]
    later = plan(shop, seats(price), start_date=at("2026-06-01"))
    assert shop.v1.subscription_schedules.cancel(later.id).subscription is None
    assert len(api.events("subscription_schedule.canceled")) == 2


def test_a_schedule_ends_with_its_subscription(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    made = plan(shop, seats(price, 1))
    assert isinstance(made.subscription, str)
    shop.v1.subscriptions.cancel(made.subscription)
    assert shop.v1.subscription_schedules.retrieve(made.id).status == "canceled"
    gone = Shop(api, "2026-04-01")
    waiting = plan(gone, seats(gone.price("Seats", unit_amount=3000)), start_date=at("2026-06-01"))
    gone.v1.customers.delete(gone.customer)
    assert gone.v1.subscription_schedules.retrieve(waiting.id).status == "canceled"
    unpaid = Shop(api, "2026-04-01", "pm_card_chargeCustomerFail")
    failing = plan(unpaid, seats(unpaid.price("Seats", unit_amount=3000)))
    unpaid.until("2026-04-05")
    assert unpaid.v1.subscription_schedules.retrieve(failing.id).status == "canceled"
    assert len(api.events("subscription_schedule.aborted")) == 1


SEATS: Any = {"items": [{"price": "{seats}"}]}
CALLS: Any = {"items": [{"price": "{calls}", "quantity": 2}], "duration": months(1)}
NONE: Any = {"items": [{"price": "price_none"}], "duration": months(1)}
MONTH: Any = {**SEATS, "duration": months(1)}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"phases": [SEATS]}, ("subscription_schedule_phase_end_missing", "phases[0][end_date]")),
        ({"phases": [{**MONTH, "end_date": at("2026-05-01")}]}, ("fields_conflict", "phases[0][duration]")),
        ({"phases": [NONE]}, ("resource_missing", "phases[0][items][0][price]")),
        ({"phases": [CALLS]}, ("subscription_quantity_metered", "phases[0][items][0][quantity]")),
        ({"phases": [{**SEATS, "end_date": at("2026-03-01")}]}, ("subscription_time_out_of_range", "phases[0][end_date]")),
        ({"phases": [MONTH, {**MONTH, "trial": True}]}, ("subscription_schedule_trial_late", "phases[1][trial]")),
        ({"phases": [MONTH], "end_behavior": "renew"}, ("subscription_schedule_unsupported", "end_behavior")),
        ({}, ("field_missing", "phases")),
    ],
)
def test_bad_schedules_are_refused_by_name(api: Api, params: Any, expected: tuple[str, str]) -> None:
    shop = Shop(api, "2026-04-01")
    names = {"{seats}": shop.price("Seats", unit_amount=100), "{calls}": shop.metered("Calls", "call", unit_amount=1)}
    phases = [
        {**one, "items": [{**item, "price": names.get(item["price"], item["price"])} for item in one["items"]]} for one in params.get("phases", ())
    ]
    sent: Any = {"customer": shop.customer, **params, **({"phases": phases} if phases else {})}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.subscription_schedules.create(sent)
    assert told(refused.value) == (400, *expected)


def test_phases_follow_on_each_other(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    price = shop.price("Seats", unit_amount=3000)
    made = plan(shop, seats(price, 1))
    for phases in ([seats(price, start_date=at("2026-04-02"))], [seats(price), seats(price, start_date=at("2026-05-02"))]):
        sent: Any = {"phases": phases}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.v1.subscription_schedules.update(made.id, sent)
        assert told(refused.value)[1] == "subscription_schedule_phases_apart"
