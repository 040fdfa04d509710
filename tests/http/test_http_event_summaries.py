"""Event summaries: exact figures of the log as it is at the moment of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from http_service import Api, error_of

from farthing.app.usage.summaries import decimal_of
from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.events.exact_json import decode_json
from farthing.core.usage.aggregate import aggregate

HOUR, DAY = 3600, 86_400
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z, when the clock of the tests begins
START = NEW_YEAR - 2 * DAY


def make_meter(api: Api, formula: Any = "sum", ext: Any = None) -> str:
    more = {} if ext is None else {"ext": json.dumps(ext)}
    form: Any = {"display_name": "Calls", "event_name": "call", "default_aggregation": {"formula": formula}, **more}
    return api.stripe.v1.billing.meters.create(form).id


def use(api: Api, at: int, value: str, customer: str = "cus_1", **more: str) -> str:
    form = {"event_name": "call", "timestamp": str(at), "payload[stripe_customer_id]": customer, "payload[value]": value}
    answer = api.post("/v1/billing/meter_events", {**form, **{f"payload[{name}]": text for name, text in more.items()}})
    assert answer.status_code == 200
    return answer.json()["identifier"]


def ask(api: Api, meter: str, **params: Any) -> Any:
    return api.get(f"/v1/billing/meters/{meter}/event_summaries", params={"customer": "cus_1", "start_time": START, "end_time": NEW_YEAR, **params})


def values(api: Api, meter: str, **params: Any) -> list[Decimal]:
    answer = ask(api, meter, **params)
    return [Decimal(one["aggregated_value"]) for one in decode_json(answer.content)["data"]]


def test_one_summary_of_the_whole_time(both: Api) -> None:
    meter = make_meter(both)
    for at, value in ((START, "0.1"), (START + 1, "0.2"), (NEW_YEAR - 1, "5"), (NEW_YEAR, "100"), (START - 1, "100")):
        use(both, at, value)
    use(both, START, "7", customer="cus_2")
    params: Any = {"customer": "cus_1", "start_time": START, "end_time": NEW_YEAR}
    (summary,) = both.stripe.v1.billing.meters.event_summaries.list(meter, params).data
    assert (summary.object, summary.meter, summary.start_time, summary.end_time) == ("billing.meter_event_summary", meter, START, NEW_YEAR)
    assert b'"aggregated_value":5.3' in ask(both, meter).content  # 5.3 and nothing behind it: no float is in between
    assert summary.id == ask(both, meter).json()["data"][0]["id"]


@pytest.mark.parametrize(("formula", "expected"), [("sum", "12.5"), ("count", "3"), ("last", "2.5")])
def test_the_formulas(both: Api, formula: str, expected: str) -> None:
    meter = make_meter(both, formula)
    for at, value in ((START + 5, "7"), (START + 9, "2.5"), (START + 2, "3")):
        use(both, at, value)
    assert values(both, meter) == [Decimal(expected)]


def test_large_and_long_numbers_keep_every_digit(both: Api) -> None:
    meter = make_meter(both)
    use(both, START, "99999999999999999999.999999999999999999")
    use(both, START, "0.000000000000000001")
    assert values(both, meter) == [Decimal("100000000000000000000")]
    use(both, START, "0.000000000000000003")
    assert values(both, meter) == [Decimal("100000000000000000000.000000000000000003")]


def test_without_events_it_is_zero(api: Api) -> None:
    meter = make_meter(api)
    assert values(api, meter) == [0] and values(api, meter, value_grouping_window="day") == [0, 0]


def test_windows_newest_first(both: Api) -> None:
    meter = make_meter(both)
    for hour, value in ((0, "1"), (0, "2"), (23, "4"), (24, "8"), (47, "16")):
        use(both, START + hour * HOUR + 1, value)
    days = ask(both, meter, value_grouping_window="day").json()["data"]
    assert [(one["start_time"], one["end_time"], one["aggregated_value"]) for one in days] == [
        (START + DAY, NEW_YEAR, 24),
        (START, START + DAY, 7),
    ]
    hours = ask(both, meter, value_grouping_window="hour", limit=100).json()["data"]
    assert len(hours) == 48 and [one["aggregated_value"] for one in hours if one["aggregated_value"]] == [16, 8, 4, 3]


def test_pages_both_ways(both: Api) -> None:
    meter = make_meter(both)
    for hour in range(48):
        if hour % 5 == 0:
            use(both, START + hour * HOUR, str(hour))
    params: Any = {"customer": "cus_1", "start_time": START, "end_time": NEW_YEAR, "value_grouping_window": "hour", "limit": 7}
    page = both.stripe.v1.billing.meters.event_summaries.list(meter, params)
    every = list(page.auto_paging_iter())
    assert [one.start_time for one in every] == list(range(NEW_YEAR - HOUR, START - 1, -HOUR)) and len({one.id for one in every}) == 48
    assert [one.aggregated_value for one in every] == [hour if hour % 5 == 0 else 0 for hour in reversed(range(48))]
    back = both.stripe.v1.billing.meters.event_summaries.list(meter, {**params, "ending_before": every[20].id})
    assert [one.id for one in back.data] == [one.id for one in every[13:20]] and back.has_more
    first = both.stripe.v1.billing.meters.event_summaries.list(meter, {**params, "ending_before": every[3].id})
    assert [one.id for one in first.data] == [one.id for one in every[:3]] and not first.has_more
    last = both.stripe.v1.billing.meters.event_summaries.list(meter, {**params, "starting_after": every[-1].id})
    assert (last.data, last.has_more) == ([], False)


def test_an_event_is_in_the_next_read_and_out_once_it_is_cancelled(both: Api) -> None:
    meter = make_meter(both)
    for n in range(1, 6):
        name = use(both, START + n, "2")
        assert values(both, meter) == [2 * n]
    both.stripe.v1.billing.meter_event_adjustments.create({"event_name": "call", "type": "cancel", "cancel": {"identifier": name}})
    assert values(both, meter) == [8]


def test_further_aggregations(both: Api) -> None:
    meter = make_meter(both, ext={"aggregation": "time_weighted", "filters": [{"property": "disk", "in": ["a"]}]})
    use(both, START - DAY, "6", disk="a")
    use(both, START - DAY + 1, "1000", disk="b")
    use(both, START + 12 * HOUR, "8", disk="a")
    assert values(both, meter) == [6 * 12 + 8 * 36]
    assert values(both, meter, value_grouping_window="day") == [8 * 24, 6 * 12 + 8 * 12]


def test_a_figure_that_does_not_end_is_rounded_at_the_eighteenth_decimal(api: Api) -> None:
    meter = make_meter(api, ext={"aggregation": "time_weighted", "per": "period"})
    use(api, START + 32 * HOUR, "1")
    assert values(api, meter) == [Decimal("0.333333333333333333")]
    assert decimal_of(Fraction(2, 3)) == Decimal("0.666666666666666667") and decimal_of(Fraction(-2, 3)) == Decimal("-0.666666666666666667")


@pytest.mark.parametrize(("aggregation", "found"), [("sum", "5"), ("max", None)])
def test_groups_are_added_up_only_where_that_means_anything(api: Api, aggregation: str, found: str | None) -> None:
    meter = make_meter(api, ext={"aggregation": aggregation, "group_by": ["model"]})
    use(api, START, "2", model="a")
    use(api, START, "3", model="b")
    if found is None:
        assert error_of(ask(api, meter)) == (400, "meter_grouped", None)
    else:
        assert values(api, meter) == [Decimal(found)]


def test_the_same_by_the_core(api: Api) -> None:
    meter = make_meter(api)
    for n in range(40):
        use(api, START + n * 4321, f"{n}.{n:02}")
    core = api.store().meters()[meter]
    events = [Event(f"{n}", "call", "cus_1", (START + n * 4321) * 1_000_000, {"value": f"{n}.{n:02}"}, n + 1) for n in range(40)]
    for window, length in (("hour", HOUR), ("day", DAY)):
        shown = values(api, meter, value_grouping_window=window, limit=100)
        starts = range(NEW_YEAR - length, START - 1, -length)
        assert [Fraction(one) for one in shown] == [
            aggregate(core, events, Interval(start * 1_000_000, (start + length) * 1_000_000)).quantity for start in starts
        ]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"start_time": NEW_YEAR}, "summary_range_invalid", "end_time"),
        ({"start_time": START + 1}, "summary_range_invalid", "start_time"),
        ({"end_time": NEW_YEAR - 59}, "summary_range_invalid", "end_time"),
        ({"start_time": START + 60, "value_grouping_window": "hour"}, "summary_range_invalid", "start_time"),
        ({"end_time": NEW_YEAR - HOUR, "value_grouping_window": "day"}, "summary_range_invalid", "end_time"),
        ({"value_grouping_window": "week"}, "parameter_invalid_choice", "value_grouping_window"),
        ({"customer": ""}, "parameter_invalid_empty", "customer"),
        ({"limit": 0}, "limit_out_of_range", "limit"),
        ({"starting_after": "mtrusg_x"}, "summary_cursor_unknown", "starting_after"),
        ({"ending_before": "mtrusg_" + "0" * 30}, "summary_cursor_unknown", "ending_before"),
        ({"starting_after": "a", "ending_before": "b"}, "fields_conflict", "ending_before"),
        ({"start_time": "now"}, "parameter_invalid_timestamp", "start_time"),
    ],
)
def test_what_cannot_be_summed_up_is_refused_by_name(api: Api, params: Mapping[str, Any], code: str, param: str) -> None:
    assert error_of(ask(api, make_meter(api), **params)) == (400, code, param)


def test_a_cursor_of_another_list_is_refused(api: Api) -> None:
    meter = make_meter(api)
    other = ask(api, meter, value_grouping_window="hour").json()["data"][0]["id"]
    assert error_of(ask(api, meter, value_grouping_window="day", starting_after=other))[1] == "summary_cursor_unknown"
    assert error_of(ask(api, meter, value_grouping_window="hour", customer="cus_2", starting_after=other))[1] == "summary_cursor_unknown"


@pytest.mark.parametrize("missing", ["customer", "start_time", "end_time"])
def test_what_is_required(api: Api, missing: str) -> None:
    params = {"customer": "cus_1", "start_time": START, "end_time": NEW_YEAR}
    del params[missing]
    answer = api.get(f"/v1/billing/meters/{make_meter(api)}/event_summaries", params=params)
    assert error_of(answer) == (400, "parameter_missing", missing)


def test_an_unknown_meter(api: Api) -> None:
    assert error_of(ask(api, "mtr_none")) == (404, "resource_missing", "id")
