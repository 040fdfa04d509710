"""Parameters: nested texts and JSON to typed values, and each way in which they are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.edges.http.wire import contract, forms, params
from farthing.edges.http.wire.contract import Operation


def the(name: str) -> Operation:
    method, path = name.split(" ")
    found = contract.operation(method, path)
    assert found is not None
    return found


def read(name: str, form: str) -> dict[str, Any]:
    return params.read(the(name), forms.decode(form.encode()))


COUPON, PRICE, CUSTOMER = "POST /v1/coupons", "POST /v1/prices", "POST /v1/customers"
SUBSCRIPTION = "POST /v1/subscriptions"
CHANGE = "POST /v1/subscriptions/{subscription_exposed_id}"
INVOICES = "GET /v1/invoices"
WEBHOOK = "POST /v1/webhook_endpoints"
SCHEDULE = "POST /v1/subscription_schedules"
EVENT = "POST /v1/billing/meter_events"
ADVANCE = "POST /v1/test_helpers/test_clocks/{test_clock}/advance"


@pytest.mark.parametrize(
    ("operation", "form", "expected"),
    [
        (COUPON, "", {}),
        (COUPON, "percent_off=12.50&duration=once", {"percent_off": Decimal("12.5"), "duration": "once"}),
        (COUPON, "percent_off=1e-07", {"percent_off": Decimal("0.0000001")}),
        (COUPON, "amount_off=-5&currency=USD", {"amount_off": -5, "currency": "usd"}),
        (COUPON, "amount_off=9223372036854775807", {"amount_off": 2**63 - 1}),
        (COUPON, "amount_off=-9223372036854775808", {"amount_off": -(2**63)}),
        (COUPON, "redeem_by=0", {"redeem_by": 0}),
        (COUPON, "redeem_by=9214646399", {"redeem_by": 9214646399}),
        (COUPON, "metadata=", {"metadata": None}),
        (COUPON, "metadata[a]=1&metadata[b]=", {"metadata": {"a": "1", "b": ""}}),
        (COUPON, "currency_options[eur][amount_off]=5", {"currency_options": {"eur": {"amount_off": 5}}}),
        (COUPON, "expand[]=a&expand[]=b", {"expand": ["a", "b"]}),
        (COUPON, "expand[10]=c&expand[2]=b&expand[0]=a", {"expand": ["a", "b", "c"]}),
        (COUPON, "name=" + "n" * 40, {"name": "n" * 40}),
        (CUSTOMER, "address=&tax_exempt=", {"address": None, "tax_exempt": None}),
        (CUSTOMER, "address[city]=Berlin", {"address": {"city": "Berlin"}}),
        (
            PRICE,
            "currency=usd&tiers[0][up_to]=10&tiers[0][unit_amount_decimal]=0.5&tiers[1][up_to]=inf&tiers[1][flat_amount]=0",
            {"currency": "usd", "tiers": [{"up_to": 10, "unit_amount_decimal": Decimal("0.5")}, {"up_to": "inf", "flat_amount": 0}]},
        ),
        (PRICE, "currency=usd&tiers[][up_to]=10&tiers[][up_to]=inf", {"currency": "usd", "tiers": [{"up_to": 10}, {"up_to": "inf"}]}),
        (PRICE, "currency=usd&active=false", {"currency": "usd", "active": False}),
        (PRICE, "currency=usd&transfer_lookup_key=true", {"currency": "usd", "transfer_lookup_key": True}),
        (SUBSCRIPTION, "trial_end=now", {"trial_end": "now"}),
        (SUBSCRIPTION, "trial_end=1767225600", {"trial_end": 1767225600}),
        (SUBSCRIPTION, "cancel_at=min_period_end", {"cancel_at": "min_period_end"}),
        (SUBSCRIPTION, "default_tax_rates=", {"default_tax_rates": None}),
        (SUBSCRIPTION, "default_tax_rates[0]=txr_1", {"default_tax_rates": ["txr_1"]}),
        (SUBSCRIPTION, "billing_cycle_anchor=1767225600", {"billing_cycle_anchor": 1767225600}),
        (SUBSCRIPTION, "application_fee_percent=", {"application_fee_percent": None}),
        (CHANGE, "billing_cycle_anchor[type]=now", {"billing_cycle_anchor": {"type": "now"}}),
        (CHANGE, "cancel_at=", {"cancel_at": None}),
        (SCHEDULE, "start_date=now", {"start_date": "now"}),
        (INVOICES, "created=5&limit=3", {"created": 5, "limit": 3}),
        (INVOICES, "created[gte]=5&created[lt]=9", {"created": {"gte": 5, "lt": 9}}),
        (EVENT, "event_name=e&payload[value]=5&payload[0]=", {"event_name": "e", "payload": {"value": "5", "0": ""}}),
    ],
)
def test_forms_are_typed(operation: str, form: str, expected: dict[str, Any]) -> None:
    found = read(operation, form)
    assert found == expected
    assert repr(found) == repr(expected)  # types too: True is 1, and Decimal("5") is 5


@pytest.mark.parametrize(
    ("operation", "form", "code", "field"),
    [
        (COUPON, "percent_of=5", "parameter_unknown", "percent_of"),
        (COUPON, "applies_to[product]=p", "parameter_unknown", "applies_to[product]"),
        (PRICE, "currency=usd&tiers[0][up_too]=5", "parameter_unknown", "tiers[0][up_too]"),
        (PRICE, "active=true", "parameter_missing", "currency"),
        (PRICE, "currency=usd&tiers[0][flat_amount]=5", "parameter_missing", "tiers[0][up_to]"),
        (COUPON, "currency_options[eur][x]=1", "parameter_unknown", "currency_options[eur][x]"),
        (COUPON, "currency_options[eur]=1", "parameter_invalid_object", "currency_options[eur]"),
        (COUPON, "name=", "parameter_invalid_empty", "name"),
        (COUPON, "amount_off=", "parameter_invalid_empty", "amount_off"),
        (COUPON, "expand[]=", "parameter_invalid_empty", "expand[0]"),
        (COUPON, "applies_to=", "parameter_invalid_empty", "applies_to"),
        (COUPON, "amount_off=5.0", "parameter_invalid_integer", "amount_off"),
        (COUPON, "amount_off=+5", "parameter_invalid_integer", "amount_off"),
        (COUPON, "amount_off=٥", "parameter_invalid_integer", "amount_off"),
        (COUPON, "amount_off=9223372036854775808", "parameter_invalid_integer", "amount_off"),
        (COUPON, "amount_off=" + "9" * 5000, "parameter_invalid_integer", "amount_off"),
        (COUPON, "amount_off[a]=1", "parameter_invalid_integer", "amount_off"),
        (PRICE, "currency=usd&active=1", "parameter_invalid_boolean", "active"),
        (PRICE, "currency=usd&active[a]=true", "parameter_invalid_boolean", "active"),
        (COUPON, "percent_off=ten", "parameter_invalid_decimal", "percent_off"),
        (COUPON, "percent_off=NaN", "parameter_invalid_decimal", "percent_off"),
        (COUPON, "percent_off=1e999", "parameter_invalid_decimal", "percent_off"),
        (COUPON, "percent_off=0.0000000000000000001", "parameter_invalid_decimal", "percent_off"),
        (COUPON, "percent_off[0]=1", "parameter_invalid_decimal", "percent_off"),
        (COUPON, "redeem_by=-1", "parameter_invalid_timestamp", "redeem_by"),
        (COUPON, "redeem_by=9214646400", "parameter_invalid_timestamp", "redeem_by"),
        (COUPON, "redeem_by=tomorrow", "parameter_invalid_timestamp", "redeem_by"),
        (COUPON, "duration=twice", "parameter_invalid_choice", "duration"),
        (COUPON, "duration[0]=once", "parameter_invalid_choice", "duration"),
        (WEBHOOK, "url=u&enabled_events[0]=nothing.happened", "parameter_invalid_choice", "enabled_events[0]"),
        (COUPON, "currency=usdollar", "currency_unknown", "currency"),
        (COUPON, "currency=xx", "currency_unknown", "currency"),
        (COUPON, "name[first]=x", "parameter_invalid_text", "name"),
        (COUPON, "name[]=x", "parameter_invalid_text", "name"),
        (COUPON, "name=" + "n" * 41, "parameter_too_long", "name"),
        ("POST /v1/products", "name=n&description=" + "d" * 5001, "parameter_too_long", "description"),  # of 40,000, longer than an answer's
        ("POST /v1/payment_methods", "billing_details[name]=" + "n" * 5001, "parameter_too_long", "billing_details[name]"),  # of any length
        (EVENT, "event_name=e&payload[" + "k" * 201 + "]=1", "parameter_too_long", "payload"),
        (COUPON, "applies_to=p", "parameter_invalid_object", "applies_to"),
        (COUPON, "applies_to[]=p", "parameter_invalid_object", "applies_to"),
        (COUPON, "metadata=x", "parameter_invalid_object", "metadata"),
        (COUPON, "expand=a", "parameter_invalid_list", "expand"),
        (COUPON, "expand[a]=a", "parameter_invalid_list", "expand[a]"),
        (COUPON, "expand[01]=a", "parameter_invalid_list", "expand[01]"),
        (SUBSCRIPTION, "default_tax_rates=txr_1", "parameter_invalid_list", "default_tax_rates"),
        (SUBSCRIPTION, "default_tax_rates[a]=txr_1", "parameter_invalid_list", "default_tax_rates[a]"),
        (COUPON, "&".join(f"expand[{n}]=a" for n in range(1001)), "parameter_too_many", "expand"),
        (EVENT, "event_name=e&" + "&".join(f"payload[k{n}]=a" for n in range(1001)), "parameter_too_many", "payload"),
        (COUPON, "&".join(f"metadata[{n}]=a" for n in range(51)), "metadata_invalid", "metadata"),
        (COUPON, "metadata[" + "k" * 41 + "]=a", "metadata_invalid", "metadata[" + "k" * 41 + "]"),
        (COUPON, "metadata[k]=" + "v" * 501, "metadata_invalid", "metadata[k]"),
        (COUPON, "metadata[k][l]=v", "metadata_invalid", "metadata[k]"),
        (SUBSCRIPTION, "trial_end=never", "parameter_invalid_choice", "trial_end"),
        (SUBSCRIPTION, "trial_end[a]=now", "parameter_invalid_text", "trial_end"),
        (PRICE, "currency=usd&tiers[0][up_to]=infinity", "parameter_invalid_choice", "tiers[0][up_to]"),
        (PRICE, "currency=usd&tiers[0][up_to][x]=1", "parameter_invalid_text", "tiers[0][up_to]"),
        (CHANGE, "billing_cycle_anchor=now", "parameter_invalid_object", "billing_cycle_anchor"),
        (INVOICES, "created=today", "parameter_invalid_integer", "created"),
        (INVOICES, "created[gte]=today", "parameter_invalid_integer", "created[gte]"),
        (INVOICES, "created[after]=1", "parameter_unknown", "created[after]"),
        (ADVANCE, "", "parameter_missing", "frozen_time"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(operation: str, form: str, code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(operation, form)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert len(refused.value.message) < 400 or code == "parameter_invalid_choice"


@pytest.mark.parametrize(
    ("operation", "form", "message"),
    [
        (COUPON, "duration=twice", '"twice" is none of forever, once, repeating.'),
        (COUPON, "percent_of=5", 'there is no parameter "percent_of"; is percent_off meant?'),
        (COUPON, "zzz=5", 'there is no parameter "zzz".'),
        (PRICE, "active=true", "currency is required."),
        (SUBSCRIPTION, "trial_end=never", '"never" is not now or a time in seconds.'),
        (PRICE, "currency=usd&tiers[0][up_to]=all", '"all" is not inf or a whole number.'),
    ],
)
def test_messages_say_what_would_fit(operation: str, form: str, message: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(operation, form)
    assert refused.value.message == message


def test_a_text_is_the_last_of_several_types() -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "string", "enum": ["now"]}]}
    operation = Operation("POST", "/v1/x", None, None, False, False, {"type": "object", "properties": {"x": schema}})
    assert [params.read(operation, {"x": sent})["x"] for sent in ("5", "now", "never")] == [5, "now", "never"]


V2_EVENT, V2_STREAM, V2_SESSION = "POST /v2/billing/meter_events", "POST /v2/billing/meter_event_stream", "POST /v2/billing/meter_event_session"


def test_json_is_typed() -> None:
    event = {"event_name": "e", "payload": {"value": "5"}, "timestamp": "2026-01-01T00:00:00.5Z"}
    expected = event | {"timestamp": 1767225600_500000}
    assert params.read_json(the(V2_EVENT), event) == expected
    assert params.read_json(the(V2_STREAM), {"events": [event, event]}) == {"events": [expected, expected]}
    assert params.read_json(the(V2_SESSION), {}) == {}
    assert params.read_json(the(COUPON), {"amount_off": 5, "percent_off": Decimal("0.50"), "expand": ["a"]}) == {
        "amount_off": 5,
        "percent_off": Decimal("0.5"),
        "expand": ["a"],
    }
    assert params.read_json(the(PRICE), {"currency": "usd", "active": True, "unit_amount": "7"}) == {
        "currency": "usd",
        "active": True,
        "unit_amount": 7,
    }


@pytest.mark.parametrize(
    ("operation", "document", "code", "field"),
    [
        (V2_EVENT, [], "parameter_invalid_object", None),
        (V2_EVENT, None, "parameter_invalid_object", None),
        (V2_EVENT, {"event_name": "e"}, "parameter_missing", "payload"),
        (V2_EVENT, {"event_name": 5, "payload": {}}, "parameter_invalid_text", "event_name"),
        (V2_EVENT, {"event_name": None, "payload": {}}, "parameter_invalid_text", "event_name"),
        (V2_EVENT, {"event_name": "e", "payload": {"value": 5}}, "parameter_invalid_text", "payload[value]"),
        (V2_EVENT, {"event_name": "e", "payload": []}, "parameter_invalid_object", "payload"),
        (V2_EVENT, {"event_name": "\ud800", "payload": {}}, "text_not_storable", "event_name"),
        (V2_EVENT, {"event_name": "e", "payload": {"\0": "x"}}, "text_not_storable", "payload"),
        (V2_EVENT, {"event_name": "e", "payload": {}, "timestamp": "2026-01-01"}, "timestamp_malformed", "timestamp"),
        (V2_EVENT, {"event_name": "e", "payload": {}, "timestamp": "2026-01-01T00:00:00"}, "timestamp_naive", "timestamp"),
        (V2_EVENT, {"event_name": "e", "payload": {}, "timestamp": 5}, "parameter_invalid_text", "timestamp"),
        (V2_STREAM, {"events": {"a": 1}}, "parameter_invalid_list", "events[a]"),
        (V2_STREAM, {"events": [{"payload": {}}]}, "parameter_missing", "events[0][event_name]"),
        (V2_STREAM, {"events": [{}] * 1001}, "parameter_too_many", "events"),
        (V2_SESSION, {"x": 1}, "parameter_unknown", "x"),
        (COUPON, {"amount_off": 5.0}, "parameter_invalid_integer", "amount_off"),
        (COUPON, {"amount_off": True}, "parameter_invalid_integer", "amount_off"),
        (COUPON, {"amount_off": 10**5000}, "parameter_invalid_integer", "amount_off"),
        (COUPON, {"percent_off": 0.5}, "parameter_invalid_decimal", "percent_off"),
        (COUPON, {"metadata": {"a[b]": "c"}}, "metadata_invalid", "metadata[a[b]]"),
        (COUPON, {"metadata": {"": "c"}}, "metadata_invalid", "metadata[]"),
        (COUPON, {"metadata": {"a": 5}}, "metadata_invalid", "metadata[a]"),
    ],
)
def test_json_that_does_not_fit_is_refused_by_name(operation: str, document: Any, code: str, field: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        params.read_json(the(operation), document)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_json_of_any_depth_is_refused() -> None:
    deep: Any = "x"
    for _ in range(20_000):
        deep = {"a": deep}
    for name in ("metadata", "percent_off", "amount_off", "name", "applies_to", "expand", "redeem_by", "duration"):
        with pytest.raises(Refusal):
            params.read_json(the(COUPON), {name: deep})


GARBAGE = ["", "0", "1", "-1", "true", "now", "inf", "usd", "NaN", "1e5", "é", "[", "9" * 25, "2026-01-01T00:00:00Z", "once", "txr_1"]
OPERATIONS = list(contract.operations())


def nested(names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(st.sampled_from(GARBAGE), st.text(max_size=5))
    return st.recursive(leaves, lambda inner: st.one_of(st.dictionaries(names, inner, max_size=4), st.lists(inner, max_size=3)), max_leaves=10)


def names_in(shape: contract.Shape) -> set[str]:
    found = set(shape.fields)
    for inner in (*shape.fields.values(), *shape.options, *([shape.inner] if shape.inner else [])):
        found |= names_in(inner)
    return found


@given(st.data())
def test_anything_nested_is_read_or_refused(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    names = st.sampled_from([*sorted(names_in(operation.params)), "0", "1", "x"])
    top = st.sampled_from(sorted(operation.params.fields) or ["x"])
    sent = data.draw(st.dictionaries(top, nested(names), max_size=4))
    for reader in (params.read, params.read_json):
        try:
            found = reader(operation, sent)
        except Refusal as refusal:
            assert refusal.field is not None and refusal.message
        else:
            assert set(found) == set(sent)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=5), st.sampled_from(GARBAGE)),
    lambda inner: st.one_of(st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=10,
)


@given(st.data())
def test_any_json_is_read_or_refused(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    top = st.sampled_from(sorted(operation.params.fields) or ["x"])
    sent = data.draw(st.one_of(JSON, st.dictionaries(top, JSON, max_size=3)))
    try:
        params.read_json(operation, sent)
    except Refusal as refusal:
        assert refusal.message


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_decimals_are_kept_exactly(number: Decimal) -> None:
    found = params.read(the(COUPON), {"percent_off": str(number)})["percent_off"]
    assert isinstance(found, Decimal) and found == number
