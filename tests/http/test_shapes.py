"""Shapes of answers: blank documents, what expands, and the check that other tests use."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.edges.http.wire import contract, shapes

COUPON: dict[str, Any] = {"id": "co", "created": 1, "duration": "once", "livemode": False, "times_redeemed": 0, "valid": True}
RESOURCES = sorted({name for one in contract.operations() for name in (one.result, one.listed) if name is not None})


def test_a_blank_document_has_what_there_is_no_choice_about() -> None:
    made = shapes.blank("coupon")
    assert made["object"] == "coupon"
    assert made["amount_off"] is None
    assert "valid" not in made and "applies_to" not in made
    assert shapes.check(made | COUPON, "coupon") == []


def test_a_blank_document_has_lists_and_objects_inside() -> None:
    made = shapes.blank("subscription")
    assert made["items"] == {"object": "list", "data": [], "has_more": False}
    assert made["discounts"] == [] and made["metadata"] == {}
    assert made["automatic_tax"] == {"disabled_reason": None, "liability": None}
    assert shapes.blank("subscription_schedule")["pause_schedules"] == []


def test_blank_documents_are_not_shared() -> None:
    shapes.blank("subscription")["items"]["data"].append(1)
    assert shapes.blank("subscription")["items"]["data"] == []


@pytest.mark.parametrize("name", RESOURCES)
def test_a_blank_document_lacks_only_what_must_be_chosen(name: str) -> None:
    """Every problem of a blank resource is that something required is missing."""
    problems = shapes.check(shapes.blank(name), name)
    assert [problem for problem in problems if "is a required property" not in problem and "valid under any" not in problem] == []


def test_every_schema_can_be_used() -> None:
    for name in shapes.schemas():
        assert isinstance(shapes.blank(name), dict)
        for path, targets in shapes.expandable(name).items():
            assert path and all(target in shapes.schemas() for target in targets)
        shapes.json_schema(shapes.schemas()[name])


def test_every_reference_leads_to_a_schema() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for inner in value.values() for one in references(inner)]
        return [one for inner in value for one in references(inner)] if isinstance(value, list) else []

    missing = {one for one in references(dict(shapes.schemas())) if one.removeprefix(shapes.REF) not in shapes.schemas()}
    assert missing == set()


@pytest.mark.parametrize(
    ("name", "path", "targets"),
    [
        ("product", "default_price", ("price",)),
        ("subscription", "latest_invoice", ("invoice",)),
        ("subscription", "customer", ("customer", "deleted_customer")),
        ("subscription", "items.data.discounts", ("discount",)),
        ("invoice", "discounts", ("discount", "deleted_discount")),
        ("invoice", "lines.data.pricing.price_details.price", ("price",)),
        ("invoice", "confirmation_secret", ()),
        ("invoice", "payments", ()),
        ("price", "tiers", ()),
        ("price", "currency_options", ()),
        ("coupon", "applies_to", ()),
        ("customer", "subscriptions", ()),
        ("charge", "refunds", ()),
    ],
)
def test_fields_that_expand(name: str, path: str, targets: tuple[str, ...]) -> None:
    assert shapes.expandable(name)[path] == targets


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("product", "name"),
        ("invoice", "shipping_details"),
        ("coupon", "metadata"),
        ("subscription", "latest_invoice.customer"),
    ],
)
def test_fields_that_do_not_expand(name: str, path: str) -> None:
    assert path not in shapes.expandable(name)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"duration": "sometimes"}, "duration: 'sometimes' is not one of ['forever', 'once', 'repeating']"),
        ({"created": True}, "created: True is not of type 'integer'"),
        ({"amount_off": "5"}, "amount_off: '5' is not of type 'integer', 'null'"),
        ({"valid": None}, "valid: None is not of type 'boolean'"),
        ({"metadata": {"a": 1}}, "metadata.a: 1 is not of type 'string'"),
        ({"applies_to": {}}, "applies_to: 'products' is a required property"),
        ({"currency": "USD"}, "currency: 'USD' does not match '^[a-z]{3}$'"),
        ({"surprise": 1}, "(all): Additional properties are not allowed ('surprise' was unexpected)"),
    ],
)
def test_a_check_names_what_is_wrong(change: dict[str, Any], problem: str) -> None:
    assert shapes.check(shapes.blank("coupon") | COUPON | change, "coupon") == [problem]


def test_a_check_tells_what_is_wrong_with_something_expanded() -> None:
    account = shapes.blank("credit_note") | {"customer": shapes.blank("customer")}
    assert "customer: 'id' is a required property" in shapes.check(account, "credit_note")


def test_a_check_of_answers_knows_pages_and_deleted_resources() -> None:
    one, many, search, removed = (
        contract.operation(*key)
        for key in (
            ("GET", "/v1/customers/{customer}"),
            ("GET", "/v1/coupons"),
            ("GET", "/v1/customers/search"),
            ("DELETE", "/v1/coupons/{coupon}"),
        )
    )
    assert one is not None and many is not None and search is not None and removed is not None
    assert shapes.check_answer(one, {"id": "cus_1", "object": "customer", "deleted": True}) == []
    assert shapes.check_answer(removed, {"id": "co", "object": "coupon", "deleted": True}) == []
    page = {"object": "list", "url": "/v1/coupons", "has_more": False, "data": [shapes.blank("coupon") | COUPON]}
    assert shapes.check_answer(many, page) == []
    assert shapes.check_answer(many, page | {"has_more": None, "url": None}) == ["has_more: None is wrong", "url: None is wrong"]
    assert shapes.check_answer(many, page | {"data": [shapes.blank("coupon") | COUPON | {"valid": 1}]}) == [
        "data[0].valid: 1 is not of type 'boolean'"
    ]
    assert shapes.check_answer(search, {"object": "search_result", "url": "/v1/customers/search", "has_more": False, "data": []}) == []
