"""What is refused before anything is done: paths, methods, bodies, parameters; and what a mistake of ours looks like from outside."""

from __future__ import annotations

import http.client
import json
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.catalogue.coupons import create_coupon
from farthing.core.base.refusal import Refusal, all_refusal_kinds, refusal_kind
from farthing.edges.http.problem import answered, answered_by_code, manner
from farthing.edges.http.routes import ROUTES, Route, _tree, refuse_untaken, route

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_the_envelope_names_the_parameter(api: Api) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.stripe.v1.coupons.create({"percent_off": 200})
    assert told(caught.value) == (400, "percentage_out_of_range", "percent_off")
    assert caught.value.request_id == api.last.headers["Request-Id"]
    assert api.last.body["error"]["type"] == "invalid_request_error"
    assert api.last.body["error"]["message"] == "200 is not above 0 and at most 100. Send one within the bounds named, such as 12.5."


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("percent=5", "parameter_unknown", "percent"),
        ("percent_off=five", "parameter_invalid_decimal", "percent_off"),
        ("amount_off=1.5&currency=usd", "parameter_invalid_integer", "amount_off"),
        ("amount_off=100&currency=xxxx", "currency_unknown", "currency"),
        ("percent_off=5&duration=always", "parameter_invalid_choice", "duration"),
        ("percent_off=5&redeem_by=tomorrow", "parameter_invalid_timestamp", "redeem_by"),
        ("percent_off=5&metadata[a][b]=c", "metadata_invalid", "metadata[a]"),
        ("percent_off=5&percent_off=6", "form_conflict", "percent_off"),
        ("percent_off[x]=5", "parameter_invalid_decimal", "percent_off"),
        ("percent_off=%", "form_malformed", "percent_off"),
        ("percent_off=%zz", "form_malformed", "percent_off"),
        ("name=%ff", "form_malformed", "name"),
        ("name=a%00b", "text_not_storable", "name"),
        ("a[b][c][d][e][f][g][h][i][j][k]=1", "form_too_large", "a[b][c][d][e][f][g][h][i][j][k]"),
        ("percent_off=5&expand[]=customer", "expand_invalid", "expand[0]"),
    ],
)
def test_bad_forms_are_refused_by_place(api: Api, form: str, code: str, param: str) -> None:
    status, *rest = error_of(api.send("POST", "/v1/coupons", content=form, headers=FORM))
    assert rest == [code, param] and status in (400, 413)
    assert api.stripe.v1.coupons.list().data == []


def test_what_is_required_is_named(api: Api) -> None:
    assert error_of(api.post("/v1/products", {"active": "true"})) == (400, "parameter_missing", "name")


def test_a_parameter_that_is_not_served_is_named(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert error_of(api.get("/v1/events?delivery_success=true")) == (400, "parameter_unsupported", "delivery_success")
    served = ROUTES["POST", "/v1/products"]
    taken = {"name": None, "package_dimensions": {"height": None}, "marketing_features": {"*": {"name": None}}}
    monkeypatch.setitem(ROUTES, ("POST", "/v1/products"), replace(served, taken=taken))
    for name, value in {"url": "https://a.example", "package_dimensions[length]": "5", "metadata[a]": "b"}.items():
        form = {"name": "x", "package_dimensions[height]": "1", "package_dimensions[weight]": "1", "package_dimensions[width]": "1", name: value}
        whole = {"package_dimensions[length]": "1", **form} if name.startswith("package") else {"name": "x", name: value}
        assert error_of(api.post("/v1/products", whole))[:2] == (400, "parameter_unsupported")
    assert api.stripe.v1.products.list().data == []
    assert api.post("/v1/products", {"name": "x", "marketing_features[0][name]": "fast"}).status_code == 200


def test_a_route_may_require_what_the_contract_does_not(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROUTES, ("POST", "/v1/coupons"))
    route("POST", "/v1/coupons", lambda call: create_coupon(call.desk, call.params), ("percent_off", "name!"))
    assert error_of(api.post("/v1/coupons", {"percent_off": "5"})) == (400, "parameter_missing", "name")
    assert api.post("/v1/coupons", {"percent_off": "5", "name": "x"}).status_code == 200
    monkeypatch.delitem(ROUTES, ("POST", "/v1/coupons"))


@pytest.mark.parametrize(
    ("takes", "params", "refused"),
    [
        (("a",), {"a": {"b": [1]}}, None),
        (("a",), {"a": 1, "expand": ["x"], "b": 2}, "b"),
        (("a[b]",), {"a": {"b": {"c": 1}}}, None),
        (("a[b]",), {"a": {"b": 1, "c": 2}}, "a[c]"),
        (("a[b]", "a[c][d]"), {"a": {"b": 1, "c": {"d": 1, "e": 2}}}, "a[c][e]"),
        (("a[][b]",), {"a": [{"b": 1}, {"b": 1, "c": 2}]}, "a[1][c]"),
        (("a[*][b]",), {"a": {"usd": {"b": 1}, "eur": {"c": 1}}}, "a[eur][c]"),
        (("a[b]",), {"a": None}, None),
        ((), {}, None),
    ],
)
def test_what_a_route_takes_may_be_a_part(takes: tuple[str, ...], params: dict[str, Any], refused: str | None) -> None:
    try:
        refuse_untaken(_tree(takes), params)
    except Refusal as refusal:
        assert (refusal.code, refusal.field) == ("parameter_unsupported", refused)
    else:
        assert refused is None


def test_a_route_is_one_of_the_contract_and_declared_once() -> None:
    for method, path, takes in (
        ("GET", "/v1/nowhere", ()),
        ("PUT", "/v1/coupons", ()),
        ("GET", "/v1/coupons", ("colour",)),
        ("GET", "/v1/coupons", ()),
        ("GET", "/v1/coupons", ("created", "created[gt]")),
        ("GET", "/v1/coupons", ("created[gt]", "created")),
    ):
        with pytest.raises(ValueError, match=r"contract|parameter|already|in part"):
            route(method, path, lambda _: {}, takes)


def test_an_operation_that_is_not_served_is_named_and_not_tried_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROUTES, ("POST", "/v1/tax_rates"))
    before = len(api.recorder.answers)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.client(api.key, max_network_retries=3).v1.tax_rates.create({"display_name": "VAT", "inclusive": False, "percentage": 19})
    assert told(caught.value) == (400, "operation_unsupported", None)
    assert "POST /v1/tax_rates" in str(caught.value) and len(api.recorder.answers) == before + 1


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/coupon", "/v1/coupons/", "/v1/coupons/x/y", "/v3/coupons", "//v1/coupons", "/v1//coupons"])
def test_an_unknown_path_is_404(api: Api, path: str) -> None:
    assert error_of(api.http.get(httpx.URL(api.running.url + path))) == (404, "url_unknown", None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "DELETE", "TRACE"])
def test_other_methods_are_405(api: Api, method: str) -> None:
    response = api.send(method, "/v1/coupons")
    assert error_of(response) == (405, "method_not_allowed", None) and response.headers["Allow"] == "GET, POST"


def test_head_is_405_without_a_body(api: Api) -> None:
    response = api.http.head("/v1/coupons")
    assert (response.status_code, response.headers["Allow"], response.content) == (405, "GET, POST", b"")


def test_what_is_missing_is_404_in_the_path_and_400_in_a_parameter(both: Api) -> None:
    for missing in (
        lambda: both.stripe.v1.coupons.retrieve("NONE"),
        lambda: both.stripe.v1.coupons.update("NONE", {"name": "x"}),
        lambda: both.stripe.v1.coupons.delete("NONE"),
        lambda: both.stripe.v1.products.retrieve("prod_none"),
        lambda: both.stripe.v1.tax_rates.update("txr_none", {"active": False}),
        lambda: both.stripe.v1.events.retrieve("evt_none"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            missing()
        assert told(caught.value) == (404, "resource_missing", "id")
    made = both.stripe.v1.products.create({"name": "x"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.products.update(made.id, {"default_price": "price_none"})
    assert told(caught.value) == (400, "resource_missing", "default_price")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        ("%", 400, "id_invalid"),
        ("%g1", 400, "id_invalid"),
        ("%ff", 400, "id_invalid"),
        ("a%00b", 400, "text_not_storable"),
        ("%2F..%2F", 404, "resource_missing"),
    ],
)
def test_ids_in_the_path_are_percent_encoded(api: Api, raw: str, status: int, code: str) -> None:
    host, port = api.running.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("GET", f"/v1/coupons/{raw}", headers={"Authorization": f"Bearer {api.key}"})
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["error"]["code"]) == (status, code)


@pytest.mark.parametrize("type_", ["application/json", "multipart/form-data; boundary=x", "text/plain", "nonsense"])
def test_bodies_of_other_types_are_415(api: Api, type_: str) -> None:
    response = api.send("POST", "/v1/coupons", content=b"percent_off=5", headers={"Content-Type": type_})
    assert error_of(response) == (415, "content_type_unsupported", "Content-Type")


def test_a_form_needs_no_type_and_may_have_a_charset(api: Api) -> None:
    assert api.send("POST", "/v1/coupons", content=b"percent_off=5").status_code == 200
    assert (
        api.send("POST", "/v1/coupons", content=b"percent_off=5", headers={"Content-Type": FORM["Content-Type"] + "; charset=utf-8"}).status_code
        == 200
    )


def test_query_and_body_are_read_together(api: Api) -> None:
    made = api.send("POST", "/v1/coupons?name=Both", content=b"percent_off=5", headers=FORM).json()
    assert (made["name"], made["percent_off"]) == ("Both", 5)


def test_a_body_has_a_size(api: Api) -> None:
    announced = api.send("POST", "/v1/coupons", content=b"name=" + b"x" * 1_048_577, headers=FORM)
    assert error_of(announced) == (413, "body_too_large", None)
    pieces = api.send("POST", "/v1/coupons", content=(b"x" * 100_000 for _ in range(11)), headers=FORM)
    assert error_of(pieces) == (413, "body_too_large", None)
    many = api.send("POST", "/v1/coupons", content=b"&".join(b"a%d=1" % n for n in range(5001)), headers=FORM)
    assert error_of(many)[:2] == (413, "form_too_large")


def test_a_mistake_of_ours_is_told_to_the_log_alone(both: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Any) -> Any:
        raise KeyError("the secret inside")

    monkeypatch.setitem(ROUTES, ("GET", "/v1/coupons"), Route(broken, {}, False))
    with caplog.at_level(logging.ERROR, "farthing.http"), pytest.raises(stripe.APIError) as caught:
        both.stripe.v1.coupons.list()
    assert told(caught.value) == (500, "server_error", None) and caught.value.request_id is not None
    assert "secret" not in str(both.last.body) and "Traceback" not in str(both.last.body)
    assert caught.value.request_id in caplog.text and "the secret inside" in caplog.text


def test_an_answer_that_cannot_be_written_undoes_the_work(both: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwritable(call: Any) -> Any:
        return {**create_coupon(call.desk, call.params).document, "name": object()}

    monkeypatch.setitem(ROUTES, ("POST", "/v1/coupons"), Route(unwritable, {"percent_off": None}, True))
    assert error_of(both.post("/v1/coupons", {"percent_off": "5"})) == (500, "server_error", None)
    assert both.stripe.v1.coupons.list().data == []


def test_any_version_is_taken_and_one_is_answered(api: Api) -> None:
    for version in ("2020-08-27", "2026-10-28.endive", "nonsense"):
        assert api.get("/v1/coupons", headers={"Stripe-Version": version}).headers["Stripe-Version"] == "2026-10-28.endive"


def test_refusals_are_answered_as_declared() -> None:
    kind = refusal_kind("declared_in_a_test", "Meaning.", "Remedy.")
    assert manner(Refusal(kind, "x.")).status == 400
    answered(kind, 409)
    assert (manner(Refusal(kind, "x.")).status, manner(Refusal(kind, "x.")).headers) == (409, {"Stripe-Should-Retry": "false"})
    answered_by_code(kind.code, 402, "card_error", {})
    assert (manner(Refusal(kind, "x.")).type, manner(Refusal(kind, "x.")).headers) == ("card_error", {})
    assert manner(Refusal(refusal_kind("database_busy", *_declared("database_busy")), "x.")).status == 503


def _declared(code: str) -> tuple[str, str]:
    kind = next(one for one in all_refusal_kinds() if one.code == code)
    return kind.meaning, kind.remedy


def test_health_and_readiness_need_no_key(both: Api) -> None:
    for path, text in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        response = httpx.get(both.running.url + path)
        assert (response.status_code, response.text) == (200, text)
