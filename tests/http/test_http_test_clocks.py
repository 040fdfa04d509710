"""Test clocks over the wire."""

from __future__ import annotations

import pytest
import stripe
from http_service import Api, error_of, told

START = 1_767_225_600


def test_a_clock_is_made_shown_and_listed(both: Api) -> None:
    clocks = both.stripe.v1.test_helpers.test_clocks
    made = clocks.create({"frozen_time": START + 100, "name": "a year"})
    assert made.id.startswith("clock_")
    assert (made.status, made.name, made.frozen_time, made.livemode) == ("ready", "a year", START + 100, False)
    assert made.deletes_after == START + 30 * 86_400
    unnamed = clocks.create({"frozen_time": START})
    assert unnamed.name is None
    assert clocks.retrieve(made.id) == made
    assert [one.id for one in clocks.list().data] == [unnamed.id, made.id]
    assert [event["data"]["object"]["id"] for event in both.events("test_helpers.test_clock.created")] == [made.id, unnamed.id]


def test_a_clock_advances_while_nobody_may_change_what_lives_by_it(both: Api) -> None:
    clocks = both.stripe.v1.test_helpers.test_clocks
    id_ = clocks.create({"frozen_time": START}).id
    moving = clocks.advance(id_, {"frozen_time": START + 86_400})
    assert (moving.status, moving.frozen_time) == ("advancing", START)
    assert moving.status_details.advancing is not None
    assert moving.status_details.advancing.target_frozen_time == START + 86_400
    with pytest.raises(stripe.RateLimitError) as error:
        clocks.advance(id_, {"frozen_time": START + 86_401})
    assert told(error.value) == (429, "test_clock_advancing", None)
    both.work()
    there = clocks.retrieve(id_)
    assert (there.status, there.frozen_time) == ("ready", START + 86_400)
    (event,) = both.events("test_helpers.test_clock.ready")
    assert event["data"]["object"] == there.to_dict()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        clocks.advance(id_, {"frozen_time": START + 86_400})
    assert told(refused.value) == (400, "frozen_time_not_later", "frozen_time")


def test_a_clock_is_deleted(both: Api) -> None:
    clocks = both.stripe.v1.test_helpers.test_clocks
    id_ = clocks.create({"frozen_time": START}).id
    assert clocks.delete(id_).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as error:
        clocks.retrieve(id_)
    assert told(error.value)[0:2] == (404, "resource_missing")


def test_what_is_missing_or_not_served_is_named(api: Api) -> None:
    assert error_of(api.post("/v1/test_helpers/test_clocks", {})) == (400, "parameter_missing", "frozen_time")
    refused = api.post("/v1/test_helpers/test_clocks", {"frozen_time": START, "customer": "cus_1"})
    assert error_of(refused) == (400, "parameter_unsupported", "customer")


def test_there_are_none_in_live_mode(api: Api) -> None:
    key = api.add_key("sk_live_" + api.key[8:])
    with pytest.raises(stripe.InvalidRequestError) as error:
        api.client(key).v1.test_helpers.test_clocks.create({"frozen_time": START})
    assert told(error.value) == (400, "test_mode_only", None)
