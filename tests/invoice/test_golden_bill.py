"""The stored form of bills: one bill that has everything, told anew, is the document and the digest that are on file beside this test.

What is stored of a final bill is what `farthing verify` computes again and what its digest is over. A field more or less, another order of a
list or another text, and no bill that was ever final verifies any more. Where the form has to change on purpose, that is a new semantics
version (`SEMANTICS` in app/bill.py), old bills keep theirs, and `PYTHONPATH=src python tests/invoice/test_golden_bill.py` writes the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from farthing.core.base.canonical import canonical_json
from farthing.core.base.time import Interval, parse_instant
from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Cancel, Event, Replace
from farthing.core.invoice.document import content_digest, document_content, read_document
from farthing.core.invoice.invoice import Document
from farthing.testing.world import World

FILE = Path(__file__).parent / "golden_bill.json"
STALE = "the stored form of bills is another now: old bills would stop verifying (see this test's docstring)"

METERS: list[dict[str, Any]] = [
    {"id": "calls", "event_name": "call", "default_aggregation": {"formula": "sum"}, "ext": {"group_by": ["region"]}},
    {"id": "payments", "event_name": "payment", "default_aggregation": {"formula": "count"}},
    {"id": "storage", "event_name": "level", "ext": {"aggregation": "time_weighted", "per": "day"}},
    {"id": "jobs", "event_name": "job", "default_aggregation": {"formula": "sum"}},
    {"id": "bulk", "event_name": "bulk", "default_aggregation": {"formula": "sum"}},
]
TIERS = [{"up_to": 10, "unit_amount": 30, "flat_amount": 7}, {"up_to": "inf", "unit_amount_decimal": "12.5"}]
RULES = [
    {"label": "Home", "when": [{"property": "country", "in": ["GB"]}], "fees": [{"percent": "1.5", "fixed_amount": 20}]},
    {"label": "Abroad", "fees": [{"percent": "3.25", "fixed_amount": 20}]},
]
PRICES: dict[str, dict[str, Any]] = {
    "calls": {"tiers_mode": "graduated", "tiers": TIERS, "ext": {"accumulate": "term"}},
    "fees": {"ext": {"rate_card": {"round_per": "event", "line_per_cell": True, "rules": RULES}}},
    "storage": {"unit_amount_decimal": "0.37", "ext": {"minimum": {"amount": 900}, "rounding": {"mode": "up"}}},
    "jobs": {"unit_amount": 50, "ext": {"conversion": {"divide_by": 1024, "round": "up", "unit": "KiB"}, "allowance": {"units": 2}}},
    "seats": {"unit_amount": 1999},
    "bulk": {
        "tiers_mode": "volume",
        "tiers": [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 50}],
        "ext": {"accumulate": "term"},
    },
}
ITEMS: list[dict[str, Any]] = [
    {"id": "calls", "description": "API calls – Anrufe", "price": "calls", "meter": "calls"},
    {"id": "fees", "description": "Card fees", "price": "fees", "meter": "payments"},
    {"id": "storage", "description": "Storage", "price": "storage", "meter": "storage"},
    {"id": "jobs", "description": "Jobs", "price": "jobs", "meter": "jobs"},
    {"id": "seats", "description": "Seats", "price": "seats", "quantity": "2.5"},
    {"id": "bulk", "description": "Bulk", "price": "bulk", "meter": "bulk"},
    {"id": "setup", "description": "Set-up", "price": "seats", "quantity": 1},
]
BILLING = {"interval": "month", "anchor": "2025-03-01T00:00:00", "time_zone": "Europe/London"}
TERMS = {
    "discounts": [{"id": "launch", "percent": "12.5", "items": ["calls", "seats"]}, {"id": "all", "percent": "1"}, {"id": "voucher", "amount": 250}],
    "tax_rates": [
        {"id": "levy", "name": "Levy", "percent": "2", "inclusive": True},
        {"id": "vat", "name": "VAT", "percent": "20", "jurisdiction": "GB"},
    ],
}


def at(text: str) -> int:
    return parse_instant(f"2025-{text}:00Z")


def event(id_: str, name: str, when: str, value: str, **properties: str) -> Event:
    return Event(id_, name, "acme", at(when), {"value": value, **properties})


def told() -> Document:
    """March is billed, corrected, the correction becomes void, something is waived; then much becomes known, and April is billed."""
    world = World()
    for meter in METERS:
        world.meter(meter)
    for lineage, price in PRICES.items():
        world.price(lineage, {"id": f"{lineage}-1", "currency": "gbp", **price})
    who = {"id": "acme-1", "customer": "acme", "currency": "gbp", "starts_at": "2025-03-01T00:00:00Z", "billing": BILLING}
    world.contract({**who, "term": {**BILLING, "interval": "year"}, "items": ITEMS, **TERMS})
    # names against the alphabet, so that sorting what is used would show
    world.grant(Grant("z-prepaid", "gbp", 4900, "before_tax", 10))
    world.grant(Grant("y-promise", "gbp", 4500, "before_tax"))
    world.grant(Grant("b-goodwill", "gbp", 100, "after_tax", 20))
    world.grant(Grant("a-gift", "gbp", 900, "after_tax"))
    for fact in (
        event("c1", "call", "03-05T10:00", "6", region="eu"),
        event("c2", "call", "03-06T10:00", "7.25", region="eu"),
        event("p1", "payment", "03-07T10:00", "1999", country="GB"),
        event("p2", "payment", "03-08T10:00", "8000", country="FR"),
        event("l1", "level", "03-10T06:00", "11"),
        event("j1", "job", "03-11T00:00", "5000"),
        event("b1", "bulk", "03-12T00:00", "9"),
    ):
        world.log(fact)
    world.bill("acme-1", at("04-01T00:00"))
    world.log(event("j2", "job", "03-12T00:00", "9000"))
    world.correct("acme-1")
    world.void("INV-2", waive=False)
    world.grant(Grant("x-bonus", "gbp", 500, "before_tax", 70))
    (first,) = (bill for bill in world.bills if bill.number == "INV-1")
    (seats,) = (line for line in first.document.lines if line.key.item == "seats")
    world.waive("acme-1", seats.key, 11)
    for n in range(102):
        world.log(event(f"s{n:03}", "payment", "03-20T10:00", "100", country="GB"))
    world.log(Cancel("c2", "call"))
    world.log(Replace("p2", event("p2'", "payment", "03-08T10:00", "8000", country="GB")))
    world.log(event("c3", "call", "04-02T10:00", "3", region="eu"))
    world.log(event("c4", "call", "04-03T10:00", "40", region=""))
    world.log(event("p3", "payment", "04-04T10:00", "12345", country="US"))
    world.log(event("b2", "bulk", "04-05T00:00", "2"))  # 11 in all are cheaper than 9 were
    world.log(event("j3", "job", "04-05T10:00", "7000"))
    storage = {"id": "storage-2", "currency": "gbp", **PRICES["storage"], "unit_amount_decimal": "4.37"}
    world.price("storage", storage, Interval(at("03-01T00:00"), at("04-15T23:00")))
    world.amend({"contract": "acme-1", "effective_from": "2025-03-21T00:00:00Z", "change": [{"id": "seats", "quantity": "4"}]})
    world.amend({"contract": "acme-1", "effective_from": "2025-03-01T00:00:00Z", "remove": ["setup"]})
    (bill,) = world.bill("acme-1", at("05-01T00:00"))
    return bill.document


def written(content: dict[str, Any]) -> str:
    """The file: a row for each field of the bill and of its lines."""
    lines = [",\n".join(f"   {json.dumps(name)}: {canonical_json(value)}" for name, value in line.items()) for line in content["lines"]]
    fields = [f" {json.dumps(name)}: {canonical_json(value)}" for name, value in content.items() if name != "lines"]
    bill = ",\n".join([*fields, ' "lines": [\n  {\n' + "\n  },\n  {\n".join(lines) + "\n  }\n ]"])
    return f'{{"digest": "{content_digest(content)}",\n"document": {{\n{bill}\n}}}}\n'


def golden() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def test_the_same_facts_give_the_bill_on_file_to_the_letter() -> None:
    content, on_file = document_content(told()), golden()["document"]
    assert {**content, "lines": len(content["lines"])} == {**on_file, "lines": len(on_file["lines"])}, STALE
    for n, (line, stored) in enumerate(zip(content["lines"], on_file["lines"], strict=True), start=1):
        assert line == stored, f"line {n}: {STALE}"
    assert canonical_json(content) == canonical_json(on_file), STALE  # 1 and True are equal, but not in a bill


def test_the_bill_on_file_has_the_digest_on_file() -> None:
    assert content_digest(golden()["document"]) == golden()["digest"], STALE


def test_the_bill_on_file_reads_back_as_it_is() -> None:
    on_file = golden()["document"]
    assert canonical_json(document_content(read_document(on_file))) == canonical_json(on_file), STALE


def test_the_bill_on_file_has_everything() -> None:
    """So that no part of the form goes unpinned: every field is set somewhere, and there is each kind of cause, line, grant and rate."""
    bill = golden()["document"]
    assert [name for name, value in bill.items() if not value] == []
    lines = bill["lines"]
    assert [name for name in lines[0] if not any(line[name] for line in lines)] == []
    assert {line["kind"] for line in lines} == {"charge", "correction"}
    assert {cause["kind"] for line in lines for cause in line["causes"]} == {"event", "cancel", "replace", "price", "contract", "void", "waiver"}
    assert [id_ for id_, _ in bill["grants_used"]] != sorted(id_ for id_, _ in bill["grants_used"])
    assert {units > 0 for line in lines for _, units in line["credit_parts"]} == {True, False}
    assert any(line["derivation"].get("before") for line in lines)
    assert any(line["derivation"].get("lowered") for line in lines)
    assert any(line["derivation"]["price"]["id"] == "" for line in lines), "a reversal"
    assert any(line["causes_more"] for line in lines)


if __name__ == "__main__":
    FILE.write_text(written(document_content(told())), encoding="utf-8")
