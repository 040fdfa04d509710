from copy import deepcopy
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.events.condition import Condition, NumberTest, TextTest
from farthing.core.usage.meter import Aggregation, Meter, Windows
from farthing.core.usage.parse import INNER, OUTER, PER, meter_document, parse_meter

PLAIN = {"id": "m", "event_name": "call", "display_name": "Calls", "default_aggregation": {"formula": "sum"}}
WINDOWED = {
    "id": "m",
    "event_name": "call",
    "ext": {"aggregation": "windowed", "windows": {"unit": "hour", "inner": "max", "outer": "sum", "time_zone": "Europe/London"}},
}


def changed(document, path, value):
    """A copy of the document with the value at a dotted path; None as a value stands for null."""
    copy = deepcopy(document)
    *parents, last = path.split(".")
    node = copy
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = value
    return copy


REFUSALS = [
    ([], "not_an_object", None),
    (changed(PLAIN, "id", None), "field_missing", "id"),
    (changed(PLAIN, "id", ""), "text_empty", "id"),
    (changed(PLAIN, "id", 7), "field_invalid", "id"),
    (changed(PLAIN, "event_name", None), "field_missing", "event_name"),
    (changed(PLAIN, "event_name", "x" * 101), "text_too_long", "event_name"),
    (changed(PLAIN, "event_name", "a\0b"), "text_not_storable", "event_name"),
    (changed(PLAIN, "id", "x" * 256), "text_too_long", "id"),
    (changed(PLAIN, "display_name", "x" * 251), "text_too_long", "display_name"),
    (changed(PLAIN, "display_name", False), "field_invalid", "display_name"),
    (changed(PLAIN, "livemode", False), "field_unknown", "livemode"),
    (changed(PLAIN, "default_aggregation", None), "aggregation_missing", "ext.aggregation"),
    (changed(PLAIN, "default_aggregation", "sum"), "not_an_object", "default_aggregation"),
    (changed(PLAIN, "default_aggregation", {}), "field_missing", "default_aggregation.formula"),
    (changed(PLAIN, "default_aggregation.formula", "max"), "field_invalid", "default_aggregation.formula"),
    (changed(PLAIN, "default_aggregation.extra", 1), "field_unknown", "default_aggregation.extra"),
    (changed(PLAIN, "ext.aggregation", "max"), "aggregations_differ", "ext.aggregation"),
    (changed(PLAIN, "ext.aggregation", "average"), "field_invalid", "ext.aggregation"),
    (changed(PLAIN, "ext", []), "not_an_object", "ext"),
    (changed(PLAIN, "ext.filter", []), "field_unknown", "ext.filter"),
    (changed(PLAIN, "customer_mapping", {"event_payload_key": "user"}), "customer_mapping_unsupported", "customer_mapping.event_payload_key"),
    (changed(PLAIN, "customer_mapping", {"type": "by_name"}), "field_invalid", "customer_mapping.type"),
    (changed(PLAIN, "value_settings", {}), "field_missing", "value_settings.event_payload_key"),
    (changed(PLAIN, "value_settings", {"event_payload_key": "x" * 101}), "text_too_long", "value_settings.event_payload_key"),
    (changed(PLAIN, "event_time_window", "week"), "field_invalid", "event_time_window"),
    (changed(PLAIN, "ext.group_by", "model"), "field_invalid", "ext.group_by"),
    (changed(PLAIN, "ext.group_by", ["model", "model"]), "fields_conflict", "ext.group_by"),
    (changed(PLAIN, "ext.group_by", ["model", 3]), "field_invalid", "ext.group_by[1]"),
    (changed(PLAIN, "ext.group_by", [f"p{i}" for i in range(11)]), "field_invalid", "ext.group_by"),
    (changed(PLAIN, "ext.filters", {}), "field_invalid", "ext.filters"),
    (changed(PLAIN, "ext.filters", [{"in": ["x"]}]), "field_missing", "ext.filters[0].property"),
    (changed(PLAIN, "ext.filters", [{"property": "x"}]), "field_missing", "ext.filters[0]"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "equals": "y"}]), "field_unknown", "ext.filters[0].equals"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "in": ["y"], "gt": 1}]), "fields_conflict", "ext.filters[0].gt"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "in": []}]), "field_missing", "ext.filters[0].in"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "in": "y"}]), "field_invalid", "ext.filters[0].in"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "in": [["y"]]}]), "property_not_scalar", "ext.filters[0].in[0]"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "in": [None]}]), "property_not_scalar", "ext.filters[0].in[0]"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "in": ["y"] * 1001}]), "field_invalid", "ext.filters[0].in"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "exists": True}] * 51), "field_invalid", "ext.filters"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "exists": "yes"}]), "field_invalid", "ext.filters[0].exists"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "gt": "many"}]), "number_malformed", "ext.filters[0].gt"),
    (changed(PLAIN, "ext.filters", [{"property": "x", "gt": "NaN"}]), "number_not_finite", "ext.filters[0].gt"),
    (changed(PLAIN, "ext.percentile", 95), "setting_unused", "ext.percentile"),
    (changed(PLAIN, "ext.per", "hour"), "setting_unused", "ext.per"),
    (changed(PLAIN, "ext.windows", {}), "setting_unused", "ext.windows"),
    (changed(WINDOWED, "ext.percentile", 95), "setting_unused", "ext.percentile"),
    (changed(WINDOWED, "ext.windows", None), "field_missing", "ext.windows"),
    (changed(WINDOWED, "ext.windows.unit", "week"), "field_invalid", "ext.windows.unit"),
    (changed(WINDOWED, "ext.windows.unit", None), "field_missing", "ext.windows.unit"),
    (changed(WINDOWED, "ext.windows.inner", "percentile"), "field_invalid", "ext.windows.inner"),
    (changed(WINDOWED, "ext.windows.outer", "latest"), "field_invalid", "ext.windows.outer"),
    (changed(WINDOWED, "ext.windows.time_zone", "Europe/Lundon"), "time_zone_unknown", "ext.windows.time_zone"),
    (changed(WINDOWED, "ext.windows.time_zone", "../etc/passwd"), "time_zone_unknown", "ext.windows.time_zone"),
    (changed(WINDOWED, "ext.windows.empty_as_zero", 1), "field_invalid", "ext.windows.empty_as_zero"),
    (changed(WINDOWED, "ext.windows.zone", "UTC"), "field_unknown", "ext.windows.zone"),
    (changed(WINDOWED, "ext.windows.count", 5), "window_count_invalid", "ext.windows.count"),
    (changed(WINDOWED, "ext.windows.count", 0), "window_count_invalid", "ext.windows.count"),
    (changed(WINDOWED, "ext.windows.count", "2"), "field_invalid", "ext.windows.count"),
    (changed(WINDOWED, "ext.windows.count", True), "field_invalid", "ext.windows.count"),
    (changed(changed(WINDOWED, "ext.windows.unit", "minute"), "ext.windows.count", 1441), "window_count_invalid", "ext.windows.count"),
    (changed(changed(WINDOWED, "ext.windows.unit", "day"), "ext.windows.count", 367), "window_count_invalid", "ext.windows.count"),
    (changed(changed(WINDOWED, "ext.windows.unit", "month"), "ext.windows.count", 5), "window_count_invalid", "ext.windows.count"),
    (changed(WINDOWED, "ext.windows.outer", "percentile"), "field_missing", "ext.percentile"),
    ({"id": "m", "event_name": "call", "ext": {"aggregation": "percentile"}}, "field_missing", "ext.percentile"),
    ({"id": "m", "event_name": "call", "ext": {"aggregation": "percentile", "percentile": 0}}, "percentile_out_of_range", "ext.percentile"),
    ({"id": "m", "event_name": "call", "ext": {"aggregation": "percentile", "percentile": "100.1"}}, "percentile_out_of_range", "ext.percentile"),
    ({"id": "m", "event_name": "call", "ext": {"aggregation": "percentile", "percentile": "most"}}, "number_malformed", "ext.percentile"),
    ({"id": "m", "event_name": "call", "ext": {"aggregation": "percentile", "percentile": 95.0}}, "number_malformed", "ext.percentile"),
    ({"id": "m", "event_name": "call", "ext": {"aggregation": "time_weighted", "per": "week"}}, "field_invalid", "ext.per"),
]


@pytest.mark.parametrize(("document", "code", "field"), REFUSALS, ids=[f"{code}-{field}" for _, code, field in REFUSALS])
def test_refusals(document, code, field):
    with pytest.raises(Refusal) as refused:
        parse_meter(document)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_every_refusal_of_meters_has_a_row():
    import farthing.core.usage.refusals as module

    declared = {kind.code for kind in vars(module).values() if hasattr(kind, "remedy")}
    assert declared <= {code for _, code, _ in REFUSALS}


def test_fields_of_the_wire_alone():
    meter = parse_meter(
        {
            **PLAIN,
            "default_aggregation": {"formula": "last"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
            "value_settings": {"event_payload_key": "seats"},
            "event_time_window": "hour",
        }
    )
    assert meter == Meter("m", "call", Aggregation.LATEST, "seats", display_name="Calls", event_time_window="hour")


def test_null_is_absent():
    mapped = {**PLAIN, "customer_mapping": {"type": None, "event_payload_key": None}}
    assert parse_meter(mapped) == parse_meter(PLAIN)
    assert parse_meter({**PLAIN, "ext": None, "customer_mapping": None, "value_settings": None, "event_time_window": None}) == parse_meter(PLAIN)


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
filters = st.lists(
    st.one_of(
        st.builds(TextTest, names, st.sampled_from(["in", "not_in"]), st.lists(names, min_size=1, max_size=3).map(tuple)),
        st.builds(TextTest, names, st.sampled_from(["exists", "absent"])),
        st.builds(NumberTest, names, st.sampled_from(["lt", "lte", "gt", "gte"]), st.decimals(-9999, 9999, places=6).map(Fraction)),
    ),
    max_size=3,
).map(lambda tests: Condition(tuple(tests)))


@st.composite
def meters(draw):
    aggregation = draw(st.sampled_from(list(Aggregation)))
    windows, percentile = None, None
    if aggregation is Aggregation.WINDOWED:
        unit, count = draw(st.sampled_from([("minute", 5), ("hour", 6), ("day", 7), ("month", 3)]))
        zone = draw(st.sampled_from(["UTC", "Asia/Kolkata"]))
        windows = Windows(unit, count, draw(st.sampled_from(INNER)), draw(st.sampled_from(OUTER)), zone, draw(st.booleans()))
    if aggregation is Aggregation.PERCENTILE or (windows and windows.outer is Aggregation.PERCENTILE):
        percentile = Fraction(draw(st.integers(1, 1000)), 10)
    return Meter(
        id=draw(names),
        event_name=draw(names),
        aggregation=aggregation,
        value_key=draw(names),
        filters=draw(filters),
        group_by=tuple(draw(st.lists(names, max_size=3, unique=True))),
        percentile=percentile,
        windows=windows,
        per_micros=draw(st.sampled_from(sorted(PER.values()))) if aggregation is Aggregation.TIME_WEIGHTED else PER["hour"],
        display_name=draw(st.one_of(st.just(""), names)),
        event_time_window=draw(st.sampled_from([None, "day", "hour"])),
    )


@given(meter=meters())
def test_a_document_reads_back_as_the_same_meter(meter):
    assert parse_meter(meter_document(meter)) == meter
