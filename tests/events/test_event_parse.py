import hashlib
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.canonical import canonical_json
from farthing.core.base.exact import parse_number, show
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.base.time import parse_instant
from farthing.core.events import refusals
from farthing.core.events.event import Cancel, Event, Replace
from farthing.core.events.parse import EARLIEST, LATEST, content_hash, decode_json, event_document, parse_fact

EVENT = {
    "identifier": "req-1",
    "event_name": "call",
    "timestamp": "2024-01-31T12:00:00Z",
    "payload": {"stripe_customer_id": "cus_1", "value": "1", "region": "eu"},
}
CANCEL = {"type": "cancel", "event_name": "call", "cancel": {"identifier": "req-1"}}
REPLACE = {"type": "replace", "replace": {"identifier": "req-0"}, "event": EVENT}
CLOUD = {
    "specversion": "1.0",
    "id": "42",
    "source": "https://api.example/eu",
    "type": "call",
    "subject": "cus_1",
    "time": "2024-01-31T13:00:00+01:00",
    "datacontenttype": "application/json; charset=utf-8",
    "data": {"value": 1, "region": "eu"},
}


def changed(document, path, value):
    copy = deepcopy(document)
    *parents, last = path.split(".")
    node = copy
    for name in parents:
        node = node[name]
    node[last] = value
    return copy


REFUSALS = [
    (None, "not_an_object", None),
    ([EVENT], "not_an_object", None),
    ({}, "field_missing", "payload"),
    (changed(EVENT, "extra", 1), "field_unknown", "extra"),
    (changed(EVENT, "identifier", None), "field_missing", "identifier"),
    (changed(EVENT, "identifier", ""), "text_empty", "identifier"),
    (changed(EVENT, "identifier", 7), "field_invalid", "identifier"),
    (changed(EVENT, "identifier", "x" * 256), "text_too_long", "identifier"),
    (changed(EVENT, "identifier", "a\0"), "text_not_storable", "identifier"),
    (changed(EVENT, "identifier", "a\ud800"), "text_not_storable", "identifier"),
    (changed(EVENT, "event_name", "x" * 101), "text_too_long", "event_name"),
    (changed(EVENT, "event_name", None), "field_missing", "event_name"),
    (changed(EVENT, "timestamp", None), "field_missing", "timestamp"),
    (changed(EVENT, "timestamp", 1706702400), "timestamp_malformed", "timestamp"),
    (changed(EVENT, "timestamp", "2024-01-31T12:00:00"), "timestamp_naive", "timestamp"),
    (changed(EVENT, "timestamp", "2024-02-30T12:00:00Z"), "timestamp_malformed", "timestamp"),
    (changed(EVENT, "timestamp", "2024-01-31T12:00:00.1234567Z"), "timestamp_too_precise", "timestamp"),
    (changed(EVENT, "timestamp", "1969-12-31T23:59:59.999999Z"), "event_time_out_of_range", "timestamp"),
    (changed(EVENT, "timestamp", "2262-01-01T00:00:00Z"), "event_time_out_of_range", "timestamp"),
    (changed(EVENT, "timestamp", "9999-12-31T23:59:59-23:00"), "event_time_out_of_range", "timestamp"),
    (changed(EVENT, "timestamp", "0001-01-01T00:00:00+23:00"), "event_time_out_of_range", "timestamp"),
    (changed(EVENT, "timestamp", "0000-02-29T00:00:00Z"), "event_time_out_of_range", "timestamp"),
    (changed(EVENT, "timestamp", "0000-02-30T00:00:00Z"), "timestamp_malformed", "timestamp"),
    (changed(EVENT, "payload", None), "field_missing", "payload"),
    (changed(EVENT, "payload", "x"), "not_an_object", "payload"),
    (changed(EVENT, "payload", {"value": "1"}), "field_missing", "payload.stripe_customer_id"),
    (changed(EVENT, "payload.stripe_customer_id", ""), "text_empty", "payload.stripe_customer_id"),
    (changed(EVENT, "payload.stripe_customer_id", 5), "field_invalid", "payload.stripe_customer_id"),
    (changed(EVENT, "payload.stripe_customer_id", "x" * 256), "text_too_long", "payload.stripe_customer_id"),
    (changed(EVENT, "payload.tags", ["a"]), "property_not_scalar", "payload.tags"),
    (changed(EVENT, "payload.tags", {"a": 1}), "property_not_scalar", "payload.tags"),
    (changed(EVENT, "payload.value", [1]), "property_not_scalar", "payload.value"),
    (changed(EVENT, "payload.value", "many"), "number_malformed", "payload.value"),
    (changed(EVENT, "payload.value", ""), "number_malformed", "payload.value"),
    (changed(EVENT, "payload.value", " 1"), "number_malformed", "payload.value"),
    (changed(EVENT, "payload.value", True), "number_malformed", "payload.value"),
    (changed(EVENT, "payload.value", 1.5), "number_malformed", "payload.value"),
    (changed(EVENT, "payload.value", "NaN"), "number_not_finite", "payload.value"),
    (changed(EVENT, "payload.value", "-Infinity"), "number_not_finite", "payload.value"),
    (changed(EVENT, "payload.value", "1e20"), "number_too_large", "payload.value"),
    (changed(EVENT, "payload.value", 10**20), "number_too_large", "payload.value"),
    (changed(EVENT, "payload.value", "0." + "0" * 18 + "1"), "number_too_large", "payload.value"),
    (changed(EVENT, "payload.weight", 1.5), "number_malformed", "payload.weight"),
    (changed(EVENT, "payload.weight", Decimal("NaN")), "number_not_finite", "payload.weight"),
    (changed(EVENT, "payload.weight", -(10**20)), "number_too_large", "payload.weight"),
    (changed(EVENT, "payload.weight", b"1"), "number_malformed", "payload.weight"),
    (changed(EVENT, "payload.region", "x" * 1001), "text_too_long", "payload.region"),
    (changed(EVENT, "payload.region", "a\0b"), "text_not_storable", "payload.region"),
    (changed(EVENT, "payload", {"stripe_customer_id": "c", "": 1}), "text_empty", 'payload.""'),
    (changed(EVENT, "payload", {"stripe_customer_id": "c", "n" * 101: 1}), "text_too_long", 'payload."' + "n" * 56 + "..."),
    (changed(EVENT, "payload", {"stripe_customer_id": "c", **{f"p{i}": 1 for i in range(101)}}), "properties_too_many", "payload"),
    (changed(EVENT, "payload", {"stripe_customer_id": "c", **{f"p{i:02}": "x" * 900 for i in range(20)}}), "payload_too_large", "payload"),
    (changed(CANCEL, "type", "erase"), "fact_type_unknown", "type"),
    (changed(CANCEL, "type", None), "fact_type_unknown", "type"),
    (changed(CANCEL, "type", {}), "fact_type_unknown", "type"),
    (changed(CANCEL, "extra", 1), "field_unknown", "extra"),
    (changed(CANCEL, "event_name", None), "field_missing", "event_name"),
    (changed(CANCEL, "cancel", None), "field_missing", "cancel"),
    (changed(CANCEL, "cancel", "req-1"), "not_an_object", "cancel"),
    (changed(CANCEL, "cancel", {}), "field_missing", "cancel.identifier"),
    (changed(CANCEL, "cancel.reason", "x"), "field_unknown", "cancel.reason"),
    (changed(CANCEL, "cancel.identifier", "x" * 256), "text_too_long", "cancel.identifier"),
    (changed(REPLACE, "cancel", {}), "field_unknown", "cancel"),
    (changed(REPLACE, "replace", None), "field_missing", "replace"),
    (changed(REPLACE, "replace.identifier", ""), "text_empty", "replace.identifier"),
    (changed(REPLACE, "replace.identifier", "req-1"), "replacement_names_itself", "event.identifier"),
    (changed(REPLACE, "event", None), "field_missing", "event"),
    (changed(REPLACE, "event", []), "not_an_object", "event"),
    (changed(REPLACE, "event", CANCEL), "field_unknown", "event.type"),
    (changed(REPLACE, "event.payload.value", "x"), "number_malformed", "event.payload.value"),
    (changed(REPLACE, "event", changed(CLOUD, "subject", None)), "field_missing", "event.subject"),
    (changed(CLOUD, "specversion", "0.3"), "cloudevent_version_unsupported", "specversion"),
    (changed(CLOUD, "specversion", 1), "cloudevent_version_unsupported", "specversion"),
    (changed(CLOUD, "id", None), "field_missing", "id"),
    (changed(CLOUD, "id", ""), "text_empty", "id"),
    (changed(CLOUD, "source", None), "field_missing", "source"),
    (changed(CLOUD, "source", "a b"), "field_invalid", "source"),
    (changed(CLOUD, "source", "x" * 254), "text_too_long", "id"),
    (changed(CLOUD, "type", None), "field_missing", "type"),
    (changed(CLOUD, "time", None), "field_missing", "time"),
    (changed(CLOUD, "time", "2024-01-31T12:00:00"), "timestamp_naive", "time"),
    (changed(CLOUD, "subject", None), "field_missing", "subject"),
    (changed(CLOUD, "Trace-Parent", "x"), "field_unknown", "Trace-Parent"),
    (changed(CLOUD, "data", [1]), "cloudevent_data_not_json", "data"),
    (changed(CLOUD, "data", "value=1"), "cloudevent_data_not_json", "data"),
    (changed(CLOUD, "data_base64", "AAAA"), "cloudevent_data_not_json", "data_base64"),
    (changed(CLOUD, "datacontenttype", "application/xml"), "cloudevent_data_not_json", "datacontenttype"),
    (changed(CLOUD, "data.tags", [1]), "property_not_scalar", "data.tags"),
    (changed(CLOUD, "data.stripe_customer_id", "cus_2"), "fields_conflict", "data.stripe_customer_id"),
]


@pytest.mark.parametrize(("document", "code", "field"), REFUSALS, ids=[f"{code}-{str(field)[:30]}" for _, code, field in REFUSALS])
def test_refusals(document, code, field):
    with pytest.raises(Refusal) as refused:
        parse_fact(document)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_every_refusal_of_event_documents_has_a_row():
    declared = {kind.code for kind in vars(refusals).values() if isinstance(kind, RefusalKind)}
    by_json = {"json_malformed", "key_repeated"}  # test_exact_json.py
    by_log = {"identifier_conflict", "event_replaced_already", "replacement_circular", "cancel_names_other_event"}  # test_event_log.py
    assert declared - by_json - by_log <= {code for _, code, _ in REFUSALS}


def test_an_event():
    payload = {"stripe_customer_id": "cus_1", "n": 12, "d": Decimal("1.50"), "t": True, "f": False, "z": None, "s": " 01 "}
    event = parse_fact(changed(EVENT, "payload", payload))
    at = parse_instant("2024-01-31T12:00:00Z")
    assert event == Event("req-1", "call", "cus_1", at, {"n": "12", "d": "1.5", "t": "true", "f": "false", "s": " 01 "})
    assert event.position == 0


CANONICAL = [("1.0", "1"), (1, "1"), ("+1", "1"), ("01", "1"), ("1e2", "100"), ("-0", "0"), ("1.", "1"), (".5", "0.5")]


@pytest.mark.parametrize(("raw", "text"), [*CANONICAL, (Decimal("1E+2"), "100"), (Decimal("-0.0"), "0")])
def test_value_is_canonical(raw, text):
    event = parse_fact(changed(EVENT, "payload.value", raw))
    assert isinstance(event, Event)
    assert event.properties["value"] == text


def test_limits_are_inclusive():
    payload = {"stripe_customer_id": "c" * 255, "n" * 100: "x" * 1000, **{f"p{i}": i for i in range(99)}}
    event = parse_fact({**EVENT, "identifier": "i" * 255, "event_name": "e" * 100, "payload": payload})
    assert isinstance(event, Event)
    assert len(event.properties) == 100
    assert parse_fact(changed(EVENT, "timestamp", "1970-01-01T00:00:00Z")).at == EARLIEST
    assert parse_fact(changed(EVENT, "timestamp", "2261-12-31T23:59:59.999999Z")).at == LATEST - 1


def test_a_cancellation_and_a_replacement():
    assert parse_fact(CANCEL) == Cancel("req-1", "call")
    assert parse_fact(REPLACE) == Replace("req-0", parse_fact(EVENT))
    assert parse_fact(changed(REPLACE, "event", CLOUD)) == Replace("req-0", parse_fact(CLOUD))


def test_a_cloudevent():
    event = parse_fact({**CLOUD, "traceparent": "00-abc", "dataschema": "https://schema.example/1"})
    at = parse_instant("2024-01-31T12:00:00Z")
    assert event == Event("https://api.example/eu 42", "call", "cus_1", at, {"value": "1", "region": "eu"})
    without_data = {name: value for name, value in CLOUD.items() if name not in ("data", "datacontenttype")}
    assert parse_fact(without_data).properties == {}
    assert parse_fact(changed(CLOUD, "data.stripe_customer_id", "cus_1")) == parse_fact(CLOUD)
    assert parse_fact(changed(CLOUD, "datacontenttype", "application/vnd.acme.usage+json")) == parse_fact(CLOUD)


@given(st.lists(st.tuples(st.text("ab/%#", min_size=1, max_size=4), st.text("ab/ %#", min_size=1, max_size=4)), min_size=2, max_size=8, unique=True))
def test_identifiers_of_cloudevents_are_unambiguous(pairs):
    identifiers = {parse_fact({**CLOUD, "source": source, "id": name}).identifier for source, name in pairs}
    assert len(identifiers) == len(pairs)


storable = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
named = storable.filter(bool)
decimals = st.decimals(-(10**6), 10**6, places=9, allow_nan=False, allow_infinity=False)
scalars = st.one_of(storable, st.integers(-(10**20) + 1, 10**20 - 1), st.booleans(), st.none(), decimals)
numbers = st.one_of(st.integers(-(10**9), 10**9), decimals)
timestamps = st.datetimes(datetime(1970, 1, 1), datetime(2261, 12, 31)).map(lambda moment: moment.isoformat() + "Z")


@st.composite
def events(draw):
    payload = draw(st.dictionaries(named.filter(lambda name: name not in ("value", "stripe_customer_id")), scalars, max_size=5))
    if draw(st.booleans()):
        payload["value"] = draw(numbers)
    payload["stripe_customer_id"] = draw(named)
    return {"identifier": draw(named), "event_name": draw(named), "timestamp": draw(timestamps), "payload": payload}


@st.composite
def facts(draw):
    event = draw(events())
    match draw(st.sampled_from(["event", "cancel", "replace"])):
        case "event":
            return event
        case "cancel":
            return {"type": "cancel", "event_name": event["event_name"], "cancel": {"identifier": event["identifier"]}}
        case _:
            return {"type": "replace", "replace": {"identifier": event["identifier"] + "0"}, "event": event}


@given(document=facts())
def test_a_document_reads_back_as_the_same_fact(document):
    fact = parse_fact(document)
    assert parse_fact(event_document(fact)) == fact
    assert event_document(parse_fact(event_document(fact))) == event_document(fact)
    assert parse_fact(decode_json(canonical_json(event_document(fact)))) == fact


@given(document=facts())
def test_the_hash_is_over_the_canonical_document(document):
    fact = parse_fact(document)
    expected = hashlib.sha256(canonical_json(event_document(fact)).encode()).digest()[:16]
    assert content_hash(fact) == expected


@given(value=numbers, document=events())
def test_equal_numbers_have_the_same_content_in_whatever_form(value, document):
    def with_value(raw):
        return content_hash(parse_fact({**document, "payload": {**document["payload"], "value": raw}}))

    forms = [value, str(value), show(parse_number(value)), Decimal(value), f"{Decimal(value):.12f}"]
    assert len({with_value(form) for form in forms}) == 1
    other = show(parse_number(value) + Fraction(1, 1000))
    assert with_value(other) != with_value(value)


def test_the_hash_tells_every_part_apart():
    documents = [
        EVENT,
        changed(EVENT, "identifier", "req-2"),
        changed(EVENT, "event_name", "other"),
        changed(EVENT, "timestamp", "2024-01-31T12:00:00.000001Z"),
        changed(EVENT, "payload.stripe_customer_id", "cus_2"),
        changed(EVENT, "payload.region", "uk"),
        changed(EVENT, "payload.region", None),
        CANCEL,
        changed(CANCEL, "event_name", "other"),
        REPLACE,
        changed(REPLACE, "replace.identifier", "req-9"),
    ]
    assert len({content_hash(parse_fact(document)) for document in documents}) == len(documents)
    same = changed(EVENT, "timestamp", "2024-01-31T13:00:00.000+01:00")
    assert content_hash(parse_fact(same)) == content_hash(parse_fact(EVENT))


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=12), inner, max_size=3)),
    max_leaves=6,
)
keys = st.sampled_from([*EVENT, *CANCEL, *REPLACE, *CLOUD])
parts = st.one_of(anything, st.sampled_from(["1.0", "cancel", "replace", EVENT, CLOUD]))


@given(document=st.one_of(anything, st.dictionaries(keys, parts)))
def test_whatever_comes_is_read_or_refused_by_name(document):
    try:
        fact = parse_fact(document)
    except Refusal as refused:
        assert refused.document()["code"]
    else:
        assert parse_fact(event_document(fact)) == fact
