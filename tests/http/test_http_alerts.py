"""Alerts over the wire: when a customer's usage reaches a threshold, once, and exactly."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from billing_world import Shop
from http_service import Api, error_of, told


def meter(api: Api, event_name: str, formula: str = "sum") -> str:
    sent: Any = {"display_name": event_name, "event_name": event_name, "default_aggregation": {"formula": formula}}
    return api.stripe.v1.billing.meters.create(sent).id


def alert(shop: Shop, of: str, gte: int, **more: Any) -> stripe.billing.Alert:
    threshold = {"gte": gte, "meter": of, "recurrence": "one_time", "filters": [{"type": "customer", "customer": shop.customer}]}
    sent: Any = {"alert_type": "usage_threshold", "title": "Much", "usage_threshold": threshold, **more}
    return shop.v1.billing.alerts.create(sent)


def minute(api: Api) -> None:
    api.clock.forward(60)
    api.work()


def triggered(api: Api) -> list[tuple[str, int]]:
    objects = [event["data"]["object"] for event in api.events("billing.alert.triggered")]
    return [(one["customer"], one["value"]) for one in objects]


def test_an_alert_is_triggered_once_when_usage_reaches_its_threshold(both: Api) -> None:
    shop, other = Shop(both, "2026-04-01"), Shop(both, "2026-04-01")
    calls = meter(both, "call")
    made = alert(shop, calls, 100)
    assert (made.status, made.usage_threshold and made.usage_threshold.gte) == ("active", 100)
    other.uses("call", 1000, "2026-04-01")
    shop.uses("call", 99, "2026-04-01")
    minute(both)
    assert triggered(both) == []
    shop.uses("call", 1, "2026-04-01")
    minute(both)
    assert triggered(both) == [(shop.customer, 100)]
    shop.uses("call", 500, "2026-04-01")
    minute(both)
    shop.v1.billing.alerts.deactivate(made.id)
    shop.v1.billing.alerts.activate(made.id)
    minute(both)
    assert len(triggered(both)) == 1


def test_usage_before_the_alert_does_not_count(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls = meter(api, "call")
    shop.uses("call", 60, "2026-04-01")
    shop.until("2026-04-02")
    alert(shop, calls, 100)
    shop.uses("call", 60, "2026-04-02")
    minute(api)
    assert triggered(api) == []
    shop.until("2026-04-03")
    shop.uses("call", 40, "2026-04-02T12:00")
    minute(api)
    assert triggered(api) == [(shop.customer, 100)]


def test_what_is_cancelled_does_not_count(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls = meter(api, "call", "count")
    alert(shop, calls, 3)
    for name in ("a", "b", "c"):
        shop.uses("call", 7, "2026-04-01", name)
    cancel: Any = {"event_name": "call", "type": "cancel", "cancel": {"identifier": "b"}}
    shop.v1.billing.meter_event_adjustments.create(cancel)
    minute(api)
    assert triggered(api) == []
    shop.uses("call", 7, "2026-04-01", "d")
    minute(api)
    assert triggered(api) == [(shop.customer, 3)]


def test_an_alert_that_is_not_active_looks_at_nothing(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls, texts = meter(api, "call"), meter(api, "text")
    first, second, third = alert(shop, calls, 1), alert(shop, calls, 1), alert(shop, texts, 1)
    alerts = shop.v1.billing.alerts
    assert (alerts.deactivate(first.id).status, alerts.archive(second.id).status) == ("inactive", "archived")
    shop.uses("call", 5, "2026-04-01")
    minute(api)
    assert triggered(api) == []
    assert alerts.activate(first.id).status == "active"
    minute(api)
    assert triggered(api) == [(shop.customer, 5)]
    assert [one.id for one in alerts.list({"meter": calls}).data] == [second.id, first.id]
    assert [one.id for one in alerts.list({"alert_type": "usage_threshold", "limit": 1}).data] == [third.id]
    assert alerts.retrieve(second.id).status == "archived"
    for act, of, code in (
        (alerts.activate, first, "alert_status"),
        (alerts.activate, second, "alert_archived"),
        (alerts.archive, second, "alert_archived"),
        (alerts.deactivate, second, "alert_archived"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            act(of.id)
        assert told(refused.value) == (400, code, "id")


REFUSED = [
    ({"usage_threshold[gte]": "0"}, "alert_threshold", "usage_threshold[gte]"),
    ({"usage_threshold[filters][0][customer]": "cus_none"}, "resource_missing", "usage_threshold[filters][0][customer]"),
    ({"usage_threshold[filters][0][customer]": None}, "alert_filter", "usage_threshold[filters]"),
    ({"usage_threshold[filters][0][customer]": None, "usage_threshold[filters][0][type]": None}, "alert_filter", "usage_threshold[filters]"),
    ({"usage_threshold[meter]": "mtr_none"}, "resource_missing", "usage_threshold[meter]"),
    ({"usage_threshold[recurrence]": "daily"}, "parameter_invalid", "usage_threshold[recurrence]"),
    ({"title": None}, "parameter_missing", "title"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED)
def test_what_makes_no_alert(api: Api, params: dict[str, Any], code: str, param: str) -> None:
    shop = Shop(api, "2026-04-01")
    valid = {
        "alert_type": "usage_threshold",
        "title": "Much",
        "usage_threshold[gte]": "1",
        "usage_threshold[meter]": meter(api, "call"),
        "usage_threshold[recurrence]": "one_time",
        "usage_threshold[filters][0][type]": "customer",
        "usage_threshold[filters][0][customer]": shop.customer,
    }
    sent = {name: value for name, value in {**valid, **params}.items() if value is not None}
    status, found, field = error_of(api.post("/v1/billing/alerts", sent))
    assert (status, found, field) == (400, code, param) or (found or "").startswith(code)


def test_no_alert_without_a_threshold_or_on_a_meter_that_takes_no_events(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls = meter(api, "call")
    assert error_of(api.post("/v1/billing/alerts", {"alert_type": "usage_threshold", "title": "x"})) == (400, "field_missing", "usage_threshold")
    shop.v1.billing.meters.deactivate(calls)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        alert(shop, calls, 1)
    assert told(refused.value) == (400, "alert_meter", "usage_threshold[meter]")
