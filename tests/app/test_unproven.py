"""A line that only one path can compute is reported as unproven, and nothing is then called verified."""

from __future__ import annotations

from typing import Any

from app_books import Books, catalogue


def test_a_number_that_the_kernel_does_not_read_is_rated_by_core_and_reported(books: Books) -> None:
    document = catalogue()
    document["meters"][0]["value_settings"] = {"event_payload_key": "bytes"}
    books.apply(document)
    event: dict[str, Any] = {"identifier": "e", "event_name": "call", "timestamp": "2025-01-05T00:00:00Z"}
    books.log({**event, "payload": {"stripe_customer_id": "acme", "bytes": "1e1"}})
    books.bill("2025-02-01T00:00:00Z")
    result = books.verify()
    if books.rater.engine == "core":
        assert not result.verified
        assert [reason.startswith("calls of acme: ") for _, reason in result.unproven] == [True]
    assert result.findings == []
