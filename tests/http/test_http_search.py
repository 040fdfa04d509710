"""Searches: the grammar of queries, and their pages."""

from __future__ import annotations

from typing import Any

import pytest
from http_service import Api, error_of
from hypothesis import given
from hypothesis import strategies as st

from farthing.app.resources.table import Test as Condition
from farthing.core.base.refusal import Refusal
from farthing.edges.http.search import read_query

FIELDS = {"name": "text", "email": "token", "active": "boolean", "amount": "number", "metadata": "metadata"}


@pytest.mark.parametrize(
    ("query", "tests", "any_of"),
    [
        ('name:"Pro"', [Condition("name", "eq", "Pro")], False),
        ("name~'pro'", [Condition("name", "has", "pro")], False),
        ('-name:"Pro"', [Condition("name", "eq", "Pro", True)], False),
        ('active:"true" AND amount>10', [Condition("active", "eq", True), Condition("amount", "gt", 10)], False),
        ('active:"false"  amount<=-5', [Condition("active", "eq", False), Condition("amount", "lte", -5)], False),
        ('amount>="7" OR amount<2 OR amount:3', [Condition("amount", "gte", 7), Condition("amount", "lt", 2), Condition("amount", "eq", 3)], True),
        ('metadata["a.b c"]:"x AND y"', [Condition("metadata.a.b c", "eq", "x AND y")], False),
        ("-metadata['k']:null", [Condition("metadata.k", "eq", None, True)], False),
        (r'name:"say \"hi\" \\ it\'s"', [Condition("name", "eq", 'say "hi" \\ it\'s')], False),
        ('email:"a@b.example"', [Condition("email", "eq", "a@b.example")], False),
        ('name : "x"', [Condition("name", "eq", "x")], False),
    ],
)
def test_queries_are_read(query: str, tests: list[Condition], any_of: bool) -> None:
    read = read_query(query, FIELDS)
    assert (list(read.tests), read.any_of) == (tests, any_of)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "search_malformed"),
        ("   ", "search_malformed"),
        ("name", "search_malformed"),
        ("name:", "search_malformed"),
        ('name:"x', "search_malformed"),
        ("name:x", "search_malformed"),
        ('name:"x" AND', "search_malformed"),
        ('AND name:"x"', "search_malformed"),
        ('name:"x" and name:"y"', "search_malformed"),
        ('name:"x"name:"y"', "search_malformed"),
        ('(name:"x")', "search_malformed"),
        ('name:"x" AND name:"y" OR name:"z"', "search_malformed"),
        ('name:"x" name:"y" OR name:"z"', "search_malformed"),
        ("amount>1.5", "search_malformed"),
        ('amount>"many"', "search_malformed"),
        ('amount~"1"', "search_malformed"),
        ('name>"x"', "search_malformed"),
        ('email~"x"', "search_malformed"),
        ('active:"yes"', "search_malformed"),
        ('metadata["k"]~"x"', "search_malformed"),
        ('metadata:"x"', "search_field_unknown"),
        ('name["k"]:"x"', "search_field_unknown"),
        ('phone:"x"', "search_field_unknown"),
        (" AND ".join(['name:"x"'] * 11), "search_malformed"),
        ("name:" + '"' + "x" * 2000 + '"', "search_malformed"),
    ],
)
def test_what_is_no_query_is_refused(query: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_query(query, FIELDS)
    assert (caught.value.code, caught.value.field) == (code, "query")


@given(st.text(st.sampled_from("nameAND OR:~-\"'\\[]<>=5 null{}"), max_size=60))
def test_any_text_is_read_or_refused(query: str) -> None:
    try:
        read_query(query, FIELDS)
    except Refusal as refusal:
        assert refusal.code in ("search_malformed", "search_field_unknown")


@given(st.text(max_size=50))
def test_a_quoted_value_is_itself(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert read_query(f'name:"{quoted}"', FIELDS).tests == (Condition("name", "eq", value),)


def found(api: Api, query: str, **params: Any) -> list[str]:
    return [one.name for one in api.stripe.v1.products.search({"query": query, **params}).auto_paging_iter()]


def test_products_are_found(both: Api) -> None:
    for name, more in {
        "Basic plan": {"metadata": {"tier": "1"}},
        "Pro Plan": {"metadata": {"tier": "2"}, "description": "for teams", "shippable": True},
        "Addon": {"active": False, "url": "https://a.example"},
    }.items():
        both.stripe.v1.products.create({"name": name, **more})
    assert found(both, 'name~"PLAN"') == ["Pro Plan", "Basic plan"]
    assert found(both, 'name:"Pro Plan"') == ["Pro Plan"] and found(both, 'name:"pro plan"') == []
    assert found(both, 'active:"false"') == ["Addon"]
    assert found(both, '-active:"false" AND metadata["tier"]:"1"') == ["Basic plan"]
    assert found(both, 'metadata["tier"]:"2" OR url:"https://a.example"') == ["Addon", "Pro Plan"]
    assert found(both, 'metadata["tier"]:null') == ["Addon"]
    assert found(both, 'description~"team" shippable:"true"') == ["Pro Plan"]
    assert found(both, 'name~"nothing"') == []


def test_results_come_in_pages(both: Api) -> None:
    for n in range(5):
        both.stripe.v1.products.create({"name": f"p{n}"})
    assert found(both, 'name~"p"', limit=2) == ["p4", "p3", "p2", "p1", "p0"]
    page = both.stripe.v1.products.search({"query": 'name~"p"', "limit": 2})
    assert (page.object, page.url, page.has_more, len(page.data)) == ("search_result", "/v1/products/search", True, 2)
    last = both.stripe.v1.products.search({"query": 'name~"p"', "limit": 5})
    assert (last.has_more, both.last.body["next_page"]) == (False, None)


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("", "parameter_missing", "query"),
        ("query=", "parameter_invalid_empty", "query"),
        ("query=x", "search_malformed", "query"),
        ("query=name:'x'&limit=0", "limit_out_of_range", "limit"),
        ("query=name:'x'&page=%21", "search_page_unknown", "page"),
        ("query=name:'x'&page=bm9uZQ", "search_page_unknown", "page"),
        ("query=name:'x'&page=bm9uZQ==", "search_page_unknown", "page"),
        ("query=name:'x'&expand[]=total_count", "expand_invalid", "expand[0]"),
    ],
)
def test_what_a_search_does_not_take_is_refused(api: Api, query: str, code: str, param: str) -> None:
    assert error_of(api.get(f"/v1/products/search?{query}")) == (400, code, param)
