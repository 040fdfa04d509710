from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval
from farthing.core.events.condition import Condition, TextTest
from farthing.core.events.event import Event
from farthing.core.events.log import Metered, SetAside
from farthing.core.usage.aggregate import aggregate
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.select import by_group, group_of, judge, matches

INTERVAL = Interval(0, 100)
values = st.sampled_from(["a", "b", ""])
payloads = st.fixed_dictionaries({}, optional={"model": values, "region": values, "value": st.sampled_from(["1", "2.5", "-1", "x"])})
events = st.lists(st.tuples(st.sampled_from(["call", "other"]), st.integers(-10, 110), payloads), max_size=30).map(
    lambda rows: [Event(f"e{i}", name, "c", at, payload, i) for i, (name, at, payload) in enumerate(rows, start=1)]
)
FILTER = Condition((TextTest("region", "not_in", ("b",)),))


@given(events=events)
def test_groups_partition_what_the_meter_takes(events):
    meter = Meter("m", "call", Aggregation.SUM, filters=FILTER, group_by=("model", "region"))
    groups = by_group(meter, events)
    taken = [event for event in events if matches(meter, event)]
    assert sorted((e for share in groups.values() for e in share), key=lambda e: e.position) == taken
    for group, share in groups.items():
        assert share
        assert all(group_of(meter, event) == group for event in share)
    assert list(groups) == sorted(groups)


@given(events=events, aggregation=st.sampled_from([Aggregation.SUM, Aggregation.COUNT]))
def test_the_sum_over_groups_is_the_whole(events, aggregation):
    meter = Meter("m", "call", aggregation, filters=FILTER, group_by=("model",))
    whole = aggregate(meter, [event for event in events if matches(meter, event)], INTERVAL)
    parts = [aggregate(meter, share, INTERVAL) for share in by_group(meter, events).values()]
    assert sum(part.quantity for part in parts) == whole.quantity
    assert sum(part.events for part in parts) == whole.events
    assert sum(part.set_aside for part in parts) == whole.set_aside


def test_name_and_filters_both_decide():
    meter = Meter("m", "call", Aggregation.COUNT, filters=FILTER)

    def event(name, **properties):
        return Event("e", name, "c", 0, properties)

    assert matches(meter, event("call"))
    assert matches(meter, event("call", region="a"))
    assert not matches(meter, event("call", region="b"))
    assert not matches(meter, event("other"))


def test_fates_by_meters():
    total = Meter("total", "call", Aggregation.SUM)
    number = Meter("number", "call", Aggregation.COUNT)
    good = Event("a", "call", "c", 0, {"value": "1"})
    unreadable = Event("b", "call", "c", 0, {"value": "x"})
    unknown = Event("c", "other", "c", 0, {"value": "1"})
    assert judge([total, number], good) == Metered(("total", "number"))
    assert judge([total, number], unreadable) == Metered(("number",))
    assert judge([total], unreadable) == SetAside("value_unreadable")
    assert judge([total, number], unknown) == SetAside("meter_unknown")
