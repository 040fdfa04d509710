"""What verification found is said in JSON, as the documents are written: no value of a programming language."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from app_books import Books, call, catalogue


def test_findings_show_values_as_json(books: Books, database: Any) -> None:
    books.apply(catalogue())
    books.log(call("c1", "2025-01-05T00:00:00Z", 8))
    books.bill("2025-02-01T00:00:00Z")
    change = "jsonb_set(content, '{derivation,rated,odd}', '{\"a\": null, \"b\": true}')"
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("ALTER TABLE farthing.document_lines DISABLE TRIGGER USER; ALTER TABLE farthing.document_lines NO FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE farthing.postings DISABLE TRIGGER USER; ALTER TABLE farthing.postings NO FORCE ROW LEVEL SECURITY")
        assert owner.execute(f"UPDATE farthing.document_lines SET content = {change} WHERE n = 1").rowcount == 1
        assert owner.execute("UPDATE farthing.postings SET amount = 2 * amount").rowcount >= 2
    found = {finding.field: finding for finding in books.verify().findings}
    assert json.loads(found["derivation"].stored)["rated"]["odd"] == {"a": None, "b": True}
    assert [posting["amount"] % 2 for posting in json.loads(found["postings"].stored)] == [0] * len(json.loads(found["postings"].recomputed))
