"""Keys, lines and documents as text: what is written reads back, and a digest holds everything but places in the log."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval, parse_instant
from farthing.core.catalog.terms import ChargeKey, Discount, TaxRate
from farthing.core.events.event import Cancel, Event
from farthing.core.invoice.assemble import corrected_documents, following, spanned, split_corrections
from farthing.core.invoice.desired import describe
from farthing.core.invoice.document import content_digest, document_content, issued_from, key_text, line_document, read_document, read_key, read_line
from farthing.core.invoice.invoice import Cause, Document, Issued, Line
from farthing.testing.world import World

HOSTILE = ("", "a", '","', "[", "]", "\\", '"', "\n", "é", "🜁", "1", "null", ",,", "a\x00b", "cell", "' OR 1=1")
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
intervals = st.tuples(st.integers(-(10**17), 10**17), st.integers(1, 10**17)).map(lambda p: Interval(p[0], p[0] + p[1]))
groups = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
keys = st.builds(ChargeKey, texts, texts, texts, texts, intervals, groups, st.sampled_from(("usd", "jpy")))


@given(keys)
def test_a_key_reads_back_from_its_text(key: ChargeKey) -> None:
    assert read_key(key_text(key)) == key


@given(keys, keys)
def test_two_keys_have_one_text_only_if_they_are_one(one: ChargeKey, other: ChargeKey) -> None:
    assert (key_text(one) == key_text(other)) == (one == other)


@given(keys, texts, texts)
def test_moving_text_between_fields_makes_another_key(key: ChargeKey, left: str, right: str) -> None:
    one, other = replace(key, item=left, price=right), replace(key, item=left + right, price="")
    assert key_text(one) != key_text(other) or one == other


MAY = Interval(parse_instant("2025-05-01T00:00:00Z"), parse_instant("2025-06-01T00:00:00Z"))
KEY = ChargeKey("c", "k", "api", "calls", MAY, (("region", "eu"), ("cell", "x")), "usd")
DERIVATION: dict[str, Any] = {
    "exact": "10/3",
    "position": 7,
    "first": 1,
    "rated": {"cells": [{"usage": {"first": 3, "last": 9, "quantity": "1"}}], "exact": "10/3"},
}


def line(amount: int = 3, **more: Any) -> Line:
    return Line("charge", more.pop("key", KEY), "API", MAY, Fraction(1, 3), Fraction(10, 3), amount, more.pop("derivation", DERIVATION), **more)


FULL = line(
    discounts=(Discount("d", Fraction(1, 3), None, ("api",)), Discount("f", None, 5)),
    tax_rates=(TaxRate("t", "VAT", Fraction(19, 100), True, "DE"),),
    discount=1,
    discount_parts=(("d", 1),),
    credit=-1,
    credit_parts=(("g", -1),),
    taxes=(("t", 3, 1),),
    previously=8,
    corrects="INV-1",
    causes=(Cause("event", "e", "position 4"),),
    causes_more=2,
)


def document(*lines: Line) -> Document:
    return Document("invoice", "c", "k", "usd", MAY, "Europe/London", lines, 1, 2, 3, 4, 5, 6, 7, 8, (("g", 9), ("h", -1)), ("INV-1",))


def test_a_line_and_a_document_read_back() -> None:
    assert read_line(json.loads(json.dumps(line_document(FULL)))) == FULL
    whole = document(FULL, line())
    assert read_document(json.loads(json.dumps(document_content(whole)))) == whole


def test_what_was_issued_is_no_part_of_a_line() -> None:
    before = Issued(KEY, "API", MAY, Fraction(0), Fraction(0), 0, 0, (), (), "INV-1")
    assert line_document(replace(FULL, issued=before)) == line_document(FULL)


def test_a_digest_leaves_out_places_in_the_log_and_nothing_else() -> None:
    content = document_content(document(FULL))
    other = json.loads(json.dumps(content))
    (changed,) = other["lines"]
    changed["derivation"]["position"] = 8
    changed["derivation"]["rated"]["cells"][0]["usage"].update(first=30, last=90)
    changed["causes"][0]["at"] = "position 5"
    assert content_digest(other) == content_digest(content)
    for name, value in (("first", 2), ("exact", "3")):
        altered = json.loads(json.dumps(content))
        altered["lines"][0]["derivation"][name] = value
        assert content_digest(altered) != content_digest(content), name


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict | list):
        places = node.items() if isinstance(node, dict) else enumerate(node)
        return [found for place, value in places for found in leaves(value, (*path, place))]
    return [path]


def test_any_other_altered_value_alters_the_digest() -> None:
    content = document_content(document(FULL))
    places = {"position", "at", "last"}
    for path in leaves(content):
        if path[-1] in places or path[-2:] == ("usage", "first"):
            continue
        altered = json.loads(json.dumps(content))
        node = altered
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = "altered"
        assert content_digest(altered) != content_digest(content), path


def test_issued_sums_the_lines_of_a_key_by_discount_grant_and_rate() -> None:
    first = replace(FULL, causes=(), kind="charge")
    second = line(-2, discount_parts=(("d", -1), ("e", 4)), credit_parts=(("h", 2),), taxes=(("t", -1, 0),), derivation={"exact": "4/3"})
    issued = issued_from([("INV-1", first), ("INV-2", replace(second, service=Interval(MAY.start, MAY.end + 5)))])
    assert (issued.amount, issued.exact, issued.quantity, issued.document) == (1, Fraction(4, 3), Fraction(2, 3), "INV-1")
    assert (issued.discount_parts, issued.discount) == ((("d", 0), ("e", 4)), 4)
    assert (issued.credit_parts, issued.credit) == ((("g", -1), ("h", 2)), 1)
    assert issued.taxes == (("t", 2, 1),)
    assert issued.service == Interval(MAY.start, MAY.end + 5)


@pytest.mark.parametrize(
    ("group", "cell", "text"),
    [
        ((), None, "API"),
        ((("region", "eu"),), None, "API (region eu)"),
        ((("region", ""), ("kind", "x")), None, "API (region none, kind x)"),
        ((), "peak", "API: peak"),
        ((), "", "API: events that no rule takes"),
        ((("region", "eu"),), "peak", "API: peak (region eu)"),
    ],
)
def test_what_a_line_is_called(group: tuple[tuple[str, str], ...], cell: str | None, text: str) -> None:
    assert describe("API", group, cell) == text


def test_charges_after_a_credit_note_count_it_as_billed_before() -> None:
    charge, correction = line(5, previously=8), replace(line(-3), kind="correction", corrects="INV-1")
    charges, corrections = split_corrections((correction, charge))
    assert (charges, corrections) == ((charge,), (correction,))
    assert [one.previously for one in following(charges, corrections)] == [5]


def test_documents_corrected_are_named_once_in_order() -> None:
    lines = [replace(line(), corrects=number) for number in ("INV-2", None, "INV-1", "INV-2")]
    assert corrected_documents(lines) == ("INV-1", "INV-2")


def test_a_document_without_a_period_spans_the_service_of_its_lines() -> None:
    later = Interval(MAY.end, MAY.end + 3)
    assert spanned([replace(line(), service=later), line()]) == Interval(MAY.start, MAY.end + 3)


CONTRACT = {
    "id": "k",
    "customer": "c",
    "currency": "usd",
    "starts_at": "2025-01-01T00:00:00Z",
    "billing": {"interval": "month", "anchor": "2025-01-01T00:00:00"},
    "items": [{"id": "calls", "description": "Calls", "price": "calls", "meter": "regions"}],
}


def world(**more: Any) -> World:
    made = World()
    made.meter({"id": "regions", "event_name": "call", "default_aggregation": {"formula": "sum"}, "ext": {"group_by": ["region"]}})
    made.price("calls", {"id": "calls-1", "currency": "usd", "unit_amount": 10})
    made.contract({**CONTRACT, **more})
    return made


def month(n: int) -> int:
    return parse_instant(f"2025-{n:02}-01T00:00:00Z")


def call(id_: str, at: int, value: int, region: str = "eu") -> Event:
    return Event(id_, "call", "c", at, {"value": str(value), "region": region})


def test_a_period_without_lines_makes_an_invoice_of_nothing_and_counts_as_billed() -> None:
    made = world()
    (bill,) = made.bill("k", month(2))
    assert (bill.document.kind, bill.document.lines, bill.document.total) == ("invoice", (), 0)
    assert bill.document.period == Interval(month(1), month(2))
    assert made.bill("k", month(2)) == []
    assert read_document(document_content(bill.document)) == bill.document


def test_a_group_that_is_gone_is_billed_down_to_nothing_and_may_come_back() -> None:
    made = world()
    made.log(call("a", month(1), 7))
    made.bill("k", month(2))
    made.log(Cancel("a", "call"))
    (down,) = made.correct("k")
    assert [(one.description, one.quantity, one.amount) for one in down.document.lines] == [("Calls (region eu)", -7, -70)]
    assert (down.document.kind, down.document.corrects) == ("credit_note", ("INV-1",))
    made.log(call("b", month(1), 2))
    (back,) = made.correct("k")
    assert [(one.amount, one.previously, one.corrects) for one in back.document.lines] == [(20, 0, "INV-1")]
    assert back.document.kind == "invoice"


def test_corrections_that_outweigh_a_period_stand_on_a_credit_note_before_its_invoice() -> None:
    made = world()
    made.log(call("a", month(1), 7))
    made.bill("k", month(2))
    made.log(Cancel("a", "call"))
    made.log(call("b", month(2), 3))
    note, invoice = made.bill("k", month(3))
    assert (note.document.kind, note.document.total, note.document.period) == ("credit_note", -70, Interval(month(1), month(2)))
    assert (invoice.document.kind, invoice.document.total, invoice.document.period) == ("invoice", 30, Interval(month(2), month(3)))


def test_corrections_that_a_period_outweighs_stand_on_its_invoice() -> None:
    made = world()
    made.log(call("a", month(1), 3))
    made.bill("k", month(2))
    made.log(Cancel("a", "call"))
    made.log(call("b", month(2), 7))
    (invoice,) = made.bill("k", month(3))
    assert [(one.kind, one.amount) for one in invoice.document.lines] == [("correction", -30), ("charge", 70)]
    assert (invoice.document.total, invoice.document.corrects) == (40, ("INV-1",))
