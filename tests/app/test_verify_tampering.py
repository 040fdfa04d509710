"""Verification finds a single altered event, price, line or posting, whoever altered it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from app_books import Books, call, catalogue

from farthing.app.adjust import void

ALTERATIONS = {
    "an event's value": "UPDATE farthing.events SET payload = jsonb_set(payload, '{value}', '\"9\"') WHERE payload ->> 'value' = '8'",
    "an event's time": "UPDATE farthing.events SET at = at + 1 WHERE payload ->> 'value' = '8'",
    "a price": "UPDATE farthing.price_versions SET document = jsonb_set(document, '{tiers,0,unit_amount}', '101') WHERE lineage = 'calls'",
    "a line's amount": "UPDATE farthing.document_lines SET content = jsonb_set(content, '{amount}', '1101') WHERE n = 1",
    "a line's trace": "UPDATE farthing.document_lines SET content = jsonb_set(content, '{derivation,rated,exact}', '\"1101\"') WHERE n = 1",
    "a bill's total": "UPDATE farthing.documents SET content = jsonb_set(content, '{total}', '1')",
    "a line's structure": "UPDATE farthing.document_lines SET content = content #- '{derivation,rated,cells}' WHERE n = 1",
    "a line's amount, to text": "UPDATE farthing.document_lines SET content = jsonb_set(content, '{service}', '7') WHERE n = 1",
    "what a bill was made from": "UPDATE farthing.documents SET pins = pins - 'waived'",
    "a digest": "UPDATE farthing.documents SET digest = repeat('0', 64)",
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_one_altered_row_is_found(what: str, books: Books, database: Any, pg_server: Any) -> None:
    books.apply(catalogue())
    books.log(call("c1", "2025-01-05T00:00:00Z", 8), call("c2", "2025-01-06T00:00:00Z", 4), call("p1", "2025-01-09T00:00:00Z", 999, "payment"))
    books.bill("2025-02-01T00:00:00Z")
    assert books.verify().verified
    with psycopg.connect(database.owner, autocommit=True) as owner:
        table = ALTERATIONS[what].split()[1]
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        altered = owner.execute(ALTERATIONS[what])
        assert altered.rowcount >= 1
    result = books.verify()
    assert not result.verified
    assert result.findings or result.events_altered


@pytest.mark.parametrize(
    ("table", "alteration"),
    [
        ("document_voids", "DELETE FROM farthing.document_voids"),
        ("postings", "UPDATE farthing.postings SET amount = 2 * amount WHERE entry LIKE '%:void'"),
        ("postings", "DELETE FROM farthing.postings WHERE entry LIKE '%:void'"),
    ],
)
def test_an_altered_void_is_found(table: str, alteration: str, books: Books, database: Any) -> None:
    books.apply(catalogue())
    books.log(call("c1", "2025-01-05T00:00:00Z", 8))
    (one,) = books.bill("2025-02-01T00:00:00Z")
    void(books.clerk(), one.number or "", "reissue", "wrong address")
    books.bill("2025-02-01T00:00:00Z")
    assert books.verify().verified
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute(f"ALTER TABLE farthing.{table} DISABLE TRIGGER USER; ALTER TABLE farthing.{table} NO FORCE ROW LEVEL SECURITY")
        assert owner.execute(alteration).rowcount >= 1
    assert books.verify().findings
