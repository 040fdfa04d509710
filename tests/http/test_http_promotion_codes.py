"""Promotion codes and discounts, through the official SDK."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe
from http_service import Api, error_of, told

from farthing.app.catalogue.discounts import discount_document, end_of
from farthing.app.catalogue.promotion_codes import redeem_promotion_code
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.edges.http.pool import ApiStore
from farthing.edges.postgres.store import PostgresStore
from farthing.edges.postgres.supervisor import SERVICE, Server
from farthing.main import new_id

Form = dict[str, str]


def refused(api: Api, path: str, form: Form) -> tuple[str | None, str | None]:
    status, code, param = error_of(api.post(path, form))
    assert status == 400
    return code, param


def desk(api: Api) -> Desk:
    return Desk(api.store(), api.clock.at, new_id)


def coupon(api: Api, **params: Any) -> str:
    sent: Any = {"percent_off": 10, **params}
    return api.stripe.v1.coupons.create(sent).id


def code(api: Api, **params: Any) -> str:
    """A new promotion code, of a new coupon unless one is named."""
    promotion = {"type": "coupon", "coupon": params.pop("coupon", None) or coupon(api)}
    return api.stripe.v1.promotion_codes.create({"promotion": promotion, **params}).id  # type: ignore[typeddict-item]  # made of parts


def redeeming(api: Api, id_: str, customer: str = "cus_1", store: ApiStore | None = None, **named: Any) -> str:
    """The code of the refusal with which a redemption ends, "" if it is done."""
    try:
        redeem_promotion_code(Desk(store or api.store(), api.clock.at, new_id), id_, customer, "discounts[0][promotion_code]", **named)
    except Refusal as refusal:
        assert refusal.field == "discounts[0][promotion_code]"
        return refusal.code
    return ""


def test_a_promotion_code(both: Api) -> None:
    of = coupon(both)
    made = both.stripe.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": of}, "code": "Summer-20", "metadata": {"a": "b"}})
    assert both.last.body == {
        "id": made.id,
        "object": "promotion_code",
        "active": True,
        "code": "Summer-20",
        "created": both.clock.at // 1_000_000,
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {"a": "b"},
        "promotion": {"coupon": of, "type": "coupon"},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    }
    assert made.id.startswith("promo_")
    shown = both.stripe.v1.promotion_codes.retrieve(made.id, {"expand": ["promotion.coupon"]})
    assert shown.promotion.coupon.percent_off == 10  # type: ignore[union-attr]  # expanded
    assert [event["data"]["object"]["id"] for event in both.events("promotion_code.created")] == [made.id]


def test_a_code_is_made_where_none_is_sent(api: Api) -> None:
    codes = {api.stripe.v1.promotion_codes.retrieve(code(api)).code for _ in range(3)}
    assert len(codes) == 3 and all(len(one) == 8 and one.isalnum() and one == one.upper() for one in codes)


REFUSED: list[tuple[Form, str, str]] = [
    ({"promotion[coupon]": "none"}, "resource_missing", "promotion[coupon]"),
    ({"promotion[coupon]": "OVER"}, "coupon_expired", "promotion[coupon]"),
    ({"promotion[type]": "gift"}, "parameter_invalid_choice", "promotion[type]"),
    ({"coupon": "ONE"}, "parameter_unknown", "coupon"),
    ({"code": "a b"}, "promotion_code_malformed", "code"),
    ({"code": "ä"}, "promotion_code_malformed", "code"),
    ({"code": "x" * 501}, "parameter_too_long", "code"),
    ({"code": "taken"}, "promotion_code_taken", "code"),
    ({"customer": "cus_none"}, "resource_missing", "customer"),
    ({"customer_account": "acct_1"}, "parameter_unsupported", "customer_account"),
    ({"expires_at": "1767225600"}, "promotion_code_beyond_coupon", "expires_at"),
    ({"expires_at": "1767225701"}, "promotion_code_beyond_coupon", "expires_at"),
    ({"max_redemptions": "0"}, "number_not_positive", "max_redemptions"),
    ({"max_redemptions": "6"}, "promotion_code_beyond_coupon", "max_redemptions"),
    ({"restrictions[minimum_amount]": "500"}, "field_missing", "restrictions[minimum_amount_currency]"),
    ({"restrictions[minimum_amount_currency]": "usd"}, "field_missing", "restrictions[minimum_amount]"),
    (
        {"restrictions[minimum_amount]": "0", "restrictions[minimum_amount_currency]": "usd"},
        "number_not_positive",
        "restrictions[minimum_amount]",
    ),
    ({"restrictions[currency_options][eur][minimum_amount]": "5"}, "fields_conflict", "restrictions[currency_options]"),
]
MINIMUM: list[tuple[Form, str, str]] = [
    ({"[usd][minimum_amount]": "5"}, "fields_conflict", "[usd]"),
    ({"[xxx][minimum_amount]": "5"}, "currency_unknown", "[xxx]"),
    ({"[eur][minimum_amount]": "0"}, "number_not_positive", "[eur][minimum_amount]"),
]


@pytest.mark.parametrize(("form", "wrong", "param"), REFUSED)
def test_a_promotion_code_that_makes_no_sense_is_refused(api: Api, form: Form, wrong: str, param: str) -> None:
    coupon(api, id="ONE", max_redemptions=5, redeem_by=api.clock.at // 1_000_000 + 100)
    code(api, code="TAKEN")
    coupon(api, id="OVER", redeem_by=api.clock.at // 1_000_000 + 1)
    if form.get("promotion[coupon]") == "OVER":
        api.clock.forward(2)
    base = {"promotion[type]": "coupon", "promotion[coupon]": "ONE"}
    assert refused(api, "/v1/promotion_codes", {**base, **form}) == (wrong, param)
    assert len(api.stripe.v1.promotion_codes.list().data) == 1


def test_a_promotion_names_its_coupon(api: Api) -> None:
    assert refused(api, "/v1/promotion_codes", {"promotion[type]": "coupon"}) == ("field_missing", "promotion[coupon]")


@pytest.mark.parametrize(("form", "wrong", "param"), MINIMUM)
def test_minimum_amounts_that_make_no_sense_are_refused(api: Api, form: Form, wrong: str, param: str) -> None:
    place = "restrictions[currency_options]"
    sent = {f"{place}{name}": value for name, value in form.items()}
    base = {"promotion[type]": "coupon", "promotion[coupon]": coupon(api)}
    minimum = {"restrictions[minimum_amount]": "500", "restrictions[minimum_amount_currency]": "usd"}
    assert refused(api, "/v1/promotion_codes", {**base, **minimum, **sent}) == (wrong, place + param)
    made = api.post("/v1/promotion_codes", {**base, **minimum}).json()["id"]
    assert refused(api, f"/v1/promotion_codes/{made}", sent) == (wrong, place + param)


def test_active_codes_differ_regardless_of_case(both: Api) -> None:
    base = {"promotion[type]": "coupon", "promotion[coupon]": coupon(both)}
    first = code(both, code="SUMMER")
    assert refused(both, "/v1/promotion_codes", {**base, "code": "Summer"}) == ("promotion_code_taken", "code")
    off = code(both, code="summer", active=False)
    assert refused(both, f"/v1/promotion_codes/{off}", {"active": "true"}) == ("promotion_code_taken", "code")
    both.stripe.v1.promotion_codes.update(first, {"active": False})
    assert both.stripe.v1.promotion_codes.update(off, {"active": True}).active is True
    assert refused(both, f"/v1/promotion_codes/{first}", {"active": "true"}) == ("promotion_code_taken", "code")


def test_a_code_whose_time_is_over_gives_its_name_free(both: Api) -> None:
    first = code(both, code="SUMMER", expires_at=both.clock.at // 1_000_000 + 60)
    both.clock.forward(59)
    assert both.stripe.v1.promotion_codes.retrieve(first).active is True
    both.clock.forward(1)
    assert both.stripe.v1.promotion_codes.retrieve(first).active is False
    assert both.stripe.v1.promotion_codes.list({"active": True}).data == []
    second = code(both, code="summer")
    assert [one.id for one in both.stripe.v1.promotion_codes.list({"active": True}).data] == [second]
    assert refused(both, f"/v1/promotion_codes/{first}", {"active": "true"}) == ("promotion_code_unusable", "active")


def test_lists(both: Api) -> None:
    customer, of = both.stripe.v1.customers.create().id, coupon(both)
    made = [code(both, code=name, active=False) for name in ("Summer", "SUMMER", "summer-26")]
    own = code(both, code="own", customer=customer, coupon=of)

    def listed(**params: Any) -> list[str]:
        return [one.id for one in both.stripe.v1.promotion_codes.list(params).data]  # type: ignore[arg-type]  # made of parts

    assert listed() == [own, *reversed(made)]
    assert listed(code="sUMMER") == [made[1], made[0]]
    assert listed(code="sUMMER", limit=1) == [made[1]] and both.last.body["has_more"] is True
    assert listed(code="sUMMER", limit=1, starting_after=made[1]) == [made[0]] and both.last.body["has_more"] is False
    assert listed(code="summer", active=True) == [] and listed(code="summer", active=False) == [made[1], made[0]]
    assert listed(customer=customer) == [own] and listed(coupon=of) == [own]
    path = "/v1/promotion_codes"
    assert error_of(both.get(path, params={"code": "own", "ending_before": own}))[1:] == ("fields_conflict", "ending_before")
    assert error_of(both.get(path, params={"code": "own", "starting_after": made[0]}))[1:] == ("resource_missing", "starting_after")


def test_a_code_is_redeemed_with_its_coupon(both: Api) -> None:
    of = coupon(both)
    id_ = code(both, coupon=of, code="TWICE", max_redemptions=2)
    row = redeem_promotion_code(desk(both), id_, "cus_1", "promotion_code")
    assert (row.kind, row.id, row.document["times_redeemed"]) == ("coupon", of, 1)
    assert redeeming(both, id_) == ""
    now = both.stripe.v1.promotion_codes.retrieve(id_)
    assert (now.active, now.times_redeemed) == (False, 2)
    assert redeeming(both, id_) == "promotion_code_unusable"
    assert both.stripe.v1.coupons.retrieve(of).times_redeemed == 2
    assert code(both, code="twice")  # its name is free again
    assert redeeming(both, "promo_none") == "resource_missing"


def test_a_code_ends_with_its_coupon(both: Api) -> None:
    of = coupon(both, max_redemptions=1)
    one, other = (code(both, coupon=of) for _ in range(2))
    assert redeeming(both, one) == ""
    assert redeeming(both, other) == "promotion_code_unusable"
    assert both.stripe.v1.promotion_codes.retrieve(other).active is False
    third = code(both, coupon=(gone := coupon(both)))
    both.stripe.v1.coupons.delete(gone)
    assert redeeming(both, third) == "promotion_code_unusable"


def test_a_code_for_a_customer(both: Api) -> None:
    customer = both.stripe.v1.customers.create().id
    id_ = code(both, customer=customer)
    assert redeeming(both, id_, "cus_other") == "promotion_code_other_customer"
    assert redeeming(both, id_, customer) == ""


@pytest.mark.parametrize(
    ("kind", "document", "wrong"),
    [
        ("invoice", {"status": "paid"}, "promotion_code_first_time"),
        ("invoice", {"status": "void"}, ""),
        ("charge", {"status": "succeeded"}, "promotion_code_first_time"),
        ("charge", {"status": "failed"}, ""),
    ],
)
def test_a_code_for_a_first_purchase(both: Api, kind: str, document: dict[str, Any], wrong: str) -> None:
    id_ = code(both, restrictions={"first_time_transaction": True})
    both.store().add(kind, "x_1", 1, {"id": "x_1", "object": kind, "customer": "cus_1", **document})
    assert redeeming(both, id_, "cus_2") == ""
    assert redeeming(both, id_, "cus_1") == wrong


def test_a_code_with_a_minimum(both: Api) -> None:
    options = {"eur": {"minimum_amount": 450}}
    id_ = code(both, restrictions={"minimum_amount": 500, "minimum_amount_currency": "usd", "currency_options": options})
    assert both.last.body["restrictions"]["currency_options"] == {"eur": {"minimum_amount": 450}, "usd": {"minimum_amount": 500}}
    changed: Any = {"restrictions": {"currency_options": {"jpy": {"minimum_amount": 700}}}}
    both.stripe.v1.promotion_codes.update(id_, changed)
    tries = [(None, None), (499, "usd"), (449, "eur"), (699, "jpy"), (9999, "chf")]
    assert {redeeming(both, id_, subtotal=subtotal, currency=currency) for subtotal, currency in tries} == {"promotion_code_minimum"}
    for subtotal, currency in ((500, "usd"), (450, "eur"), (700, "jpy")):
        assert redeeming(both, id_, subtotal=subtotal, currency=currency) == ""


def test_metadata_changes(api: Api) -> None:
    id_ = code(api, metadata={"a": "1"})
    changed = api.stripe.v1.promotion_codes.update(id_, {"metadata": {"b": "2"}})
    assert changed.metadata is not None and changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert refused(api, f"/v1/promotion_codes/{id_}", {"code": "x"}) == ("parameter_unknown", "code")


def row(duration: str, months: int | None = None) -> Row:
    return Row("coupon", "TEN", 1, 1, {"id": "TEN", "duration": duration, "duration_in_months": months})


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
        ("2026-01-31T10:00:00Z", 2, "2026-03-31T10:00:00Z"),
        ("2024-01-31T00:00:00Z", 1, "2024-02-29T00:00:00Z"),
        ("2026-11-15T23:59:59Z", 12, "2027-11-15T23:59:59Z"),
    ],
)
def test_a_repeating_discount_ends_after_calendar_months(start: str, months: int, end: str) -> None:
    assert end_of(row("repeating", months), parse_instant(start) // 1_000_000) == parse_instant(end) // 1_000_000


def test_other_discounts_have_no_end_of_their_own() -> None:
    assert end_of(row("once"), 1) is None and end_of(row("forever"), 1) is None


def test_a_customers_discount(both: Api) -> None:
    id_ = both.stripe.v1.customers.create().id
    for method in ("GET", "DELETE"):
        assert error_of(both.send(method, f"/v1/customers/{id_}/discount")) == (404, "resource_missing", "customer")
    found = both.store().find("coupon", coupon(both))
    kept = both.store().find("customer", id_)
    assert found is not None and kept is not None
    document = discount_document(desk(both), found, customer=id_, start=5)
    assert document["id"].startswith("di_")
    both.store().put(Row(kept.kind, kept.id, kept.created, kept.place, {**kept.document, "discount": document}))
    assert both.get(f"/v1/customers/{id_}/discount").json() == document
    assert both.send("DELETE", f"/v1/customers/{id_}/discount").json()["deleted"] is True
    assert both.stripe.v1.customers.retrieve(id_).discount is None
    assert [event["data"]["object"]["id"] for event in both.events("customer.discount.deleted")] == [document["id"]]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        both.stripe.v1.customers.delete_discount("cus_none")
    assert told(caught.value) == (404, "resource_missing", "customer")


def test_a_code_is_redeemed_as_often_as_it_may_be_whoever_comes_at_once(api_pg: Api, pg_server: Server) -> None:
    of = coupon(api_pg)
    ids = [code(api_pg, coupon=of, max_redemptions=3) for _ in range(2)]

    def redeem(n: int) -> str:
        with PostgresStore.open(pg_server.dsn("farthing_http_suite", SERVICE), api_pg.account, "test") as store:
            return redeeming(api_pg, ids[n % 2], store=store)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(redeem, range(12)))
    assert sorted(outcomes) == [""] * 6 + ["promotion_code_unusable"] * 6
    assert api_pg.stripe.v1.coupons.retrieve(of).times_redeemed == 6


def test_of_the_same_codes_at_once_one_is_made(api_pg: Api) -> None:
    form = {"promotion[type]": "coupon", "promotion[coupon]": coupon(api_pg), "code": "SUMMER"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api_pg.post("/v1/promotion_codes", form), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {error_of(answer)[1] for answer in answers if answer.status_code == 400} == {"promotion_code_taken"}
