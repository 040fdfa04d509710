"""Every worked example of docs/meters.md, run."""

import re
from pathlib import Path

import pytest

from farthing.core.base.exact import show
from farthing.core.base.time import Interval, parse_instant
from farthing.core.events.event import Event
from farthing.core.events.parse import decode_json, parse_fact
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.meter import Aggregation
from farthing.core.usage.parse import parse_meter
from farthing.core.usage.select import by_group, matches

PAGE = (Path(__file__).parents[2] / "docs" / "meters.md").read_text(encoding="utf-8")
EXAMPLES = [decode_json(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def events_of(example) -> list[Event]:
    events = []
    for position, (timestamp, payload) in enumerate(example["events"], start=1):
        document = {"identifier": str(position), "event_name": "call", "timestamp": timestamp, "payload": {"stripe_customer_id": "c", **payload}}
        fact = parse_fact(document)
        assert isinstance(fact, Event)
        events.append(Event(fact.identifier, fact.event_name, fact.customer, fact.at, fact.properties, position))
    return events


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["meter"]["id"] for example in EXAMPLES])
def test_example(example):
    meter = parse_meter(example["meter"])
    interval = Interval(*(parse_instant(bound) for bound in example["interval"]))
    events = events_of(example)
    if "groups" in example:
        found = [[dict(group), show(aggregate(meter, share, interval).quantity)] for group, share in by_group(meter, events).items()]
        assert found == example["groups"]
        return
    usage = aggregate(meter, [event for event in events if matches(meter, event)], interval)
    expected = example["usage"]
    assert show(usage.quantity) == expected["quantity"]
    assert usage.events == expected["events"]
    assert usage.set_aside == expected.get("set_aside", 0)
    assert {name: show(figure) for name, figure in usage.details} == expected.get("details", {})


def test_every_aggregation_has_an_example():
    assert {parse_meter(example["meter"]).aggregation for example in EXAMPLES} == set(Aggregation)
