"""A row for every refusal of the store: what is there already, missing, or would break the books; and of the database itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from app_books import TIERS, Books, call, catalogue

from farthing.app.bill import line_payloads
from farthing.app.explain import explain
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import parse_instant
from farthing.core.invoice.document import content_digest
from farthing.edges.postgres.migrate import Migration, migrate, migrations
from farthing.edges.postgres.session import Patience
from farthing.edges.postgres.store import PostgresStore


def assert_refused(code: str, work: Any) -> None:
    with pytest.raises(Exception) as caught:
        work()
    assert getattr(caught.value, "code", None) == code, caught.value


@pytest.fixture
def made(books: Books) -> Books:
    books.apply({**catalogue(), "grants": [{"id": "g", "customer": "acme", "currency": "usd", "amount": 500, "applies": "after_tax"}]})
    books.log(call("c1", "2025-01-05T00:00:00Z", 8))
    return books


def test_what_is_there_with_other_content_is_refused_and_the_same_is_not(made: Books) -> None:
    made.apply(catalogue())
    meter = {**catalogue()["meters"][0], "default_aggregation": {"formula": "count"}}
    assert_refused("meter_changed", lambda: made.apply({"meters": [meter]}))
    assert_refused("price_version_changed", lambda: made.apply({"prices": [{"lineage": "calls", "price": {**TIERS, "tiers": TIERS["tiers"][1:]}}]}))
    made.bill("2025-02-01T00:00:00Z")
    assert_refused("contract_changed", lambda: made.apply({"contracts": [{**catalogue()["contracts"][0], "currency": "eur"}]}))
    grant = {"id": "g", "customer": "acme", "currency": "usd", "amount": 501, "applies": "after_tax"}
    assert_refused("grant_changed", lambda: made.apply({"grants": [grant]}))


def test_what_is_not_there_is_refused(made: Books) -> None:
    assert_refused(
        "customer_unknown", lambda: made.apply({"grants": [{"id": "h", "customer": "x", "currency": "usd", "amount": 1, "applies": "after_tax"}]})
    )
    amendment = {"contract": "none", "effective_from": "2025-01-01T00:00:00Z", "items": catalogue()["contracts"][0]["items"]}
    assert_refused("contract_unknown", lambda: made.apply({"amendments": [amendment]}))
    assert_refused("line_unknown", lambda: explain(made.store, "INV-000009:1"))


def test_a_catalogue_document_is_written_whole_or_not_at_all(made: Books) -> None:
    before = made.store.revision()
    assert_refused("currency_unknown", lambda: made.apply({"customers": [{"id": "new"}], "prices": [{"lineage": "x", "price": {"currency": "zz"}}]}))
    assert (made.store.revision(), "new" in made.store.customers()) == (before, False)


def test_finalising_refuses_what_would_break_the_books(made: Books) -> None:
    [final] = made.bill("2025-02-01T00:00:00Z")
    lines = line_payloads(final)
    postings = list(made.store.postings(final.id))
    assert_refused("document_changed", lambda: made.store.finalise(replace(final, digest="0" * 64), lines, postings, ()))
    other = replace(final, id="in_other", digest=content_digest(final.content))
    again = tuple(replace(line, id=f"in_other:{n}") for n, line in enumerate(lines, start=1))
    assert_refused("document_outdated", lambda: made.store.finalise(other, again, postings, ()))
    assert made.store.finalise(final, lines, postings, ()) == final.number
    assert [document.number for document in made.store.documents()] == [final.number]


BROKEN = {
    "entry_unbalanced": ([(100, "receivable"), (-99, "revenue")], ()),
    "ledger_account_unknown": ([(100, "receivable"), (-100, "slush_fund")], ()),
    "grant_unknown": ([(100, "receivable"), (-100, "revenue")], [("nobody", 1)]),
    "grant_exhausted": ([(100, "receivable"), (-100, "revenue")], [("g", 501)]),
}


def fresh_draft(made: Books, legs: list[tuple[int, str]]) -> tuple[Any, Any, list[dict[str, Any]]]:
    """A document of a later period that bills nothing yet, with postings as given."""
    [final] = made.bill("2025-02-01T00:00:00Z")
    content = {**final.content, "lines": [], "period": ["2025-02-01T00:00:00+00:00", "2025-03-01T00:00:00+00:00"]}
    pins = {**final.pins, "period": [parse_instant(at) for at in content["period"]]}
    document = replace(final, id="in_next", content=content, digest=content_digest(content), pins=pins, number=None)
    fields = {"subject": "", "currency": "usd", "entry": "invoice", "period": "2025-06", "customer": "acme", "contract": "acme-1", "memo": "m"}
    return document, (), [{"account": account, "amount": amount, **fields} for amount, account in legs]


@pytest.mark.parametrize("code", BROKEN)
def test_the_database_itself_refuses_a_broken_entry_or_grant(code: str, made: Books) -> None:
    legs, grants = BROKEN[code]
    document, lines, postings = fresh_draft(made, legs)
    assert_refused(code, lambda: made.store.finalise(document, lines, postings, grants))
    assert len(list(made.store.documents())) == 1


def test_a_closed_accounting_period_takes_no_posting_and_later_bookings_go_to_the_first_open_one(made: Books, database: Any) -> None:
    document, lines, postings = fresh_draft(made, [(100, "receivable"), (-100, "revenue")])
    with psycopg.connect(database.owner, autocommit=True, options="-c search_path=farthing -c farthing.account=1 -c farthing.mode=test") as owner:
        owner.execute("INSERT INTO period_closings (account, mode, seller_entity, period) VALUES (1, 'test', 'default', '2025-06')")
    assert_refused("period_closed", lambda: made.store.finalise(document, lines, postings, ()))
    [late] = made.bill("2025-03-01T00:00:00Z")
    assert {posting["period"] for posting in made.store.postings(late.id)} == {"2025-07"}


def test_the_database_is_refused_by_name_where_it_is_not_what_it_should_be(database: Any) -> None:
    assert_refused("account_unknown", lambda: PostgresStore.open(database.service, "nobody", "test"))
    nowhere = database.service.replace("farthing_test", "no_such_database_farthing_test")
    assert_refused("database_unavailable", lambda: PostgresStore.open(nowhere, "default", "test", Patience(return_=0.1)))
    steps = migrations()
    assert_refused("migration_changed", lambda: migrate(database.owner, (Migration(steps[0].name, steps[0].text + b"-- changed"), *steps[1:])))
    assert_refused("database_newer", lambda: migrate(database.owner, steps[:-1]))


def test_a_role_that_could_get_round_row_security_is_refused(database: Any, pg_server: Any) -> None:
    pg_server._administer("ALTER ROLE farthing_service BYPASSRLS")
    try:
        assert_refused("database_role_unsafe", lambda: PostgresStore.open(database.service, "default", "test"))
    finally:
        pg_server._administer("ALTER ROLE farthing_service NOBYPASSRLS")


def test_an_older_server_is_refused(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farthing.edges.postgres.session.OLDEST_SERVER", 990_000)
    assert_refused("database_too_old", lambda: PostgresStore.open(database.service, "default", "test"))


def test_a_lock_that_another_holds_too_long_is_refused_as_busy(made: Books, database: Any) -> None:
    patience = Patience(lock=0.05, return_=0.2, clashes=1)
    with psycopg.connect(database.owner) as other, PostgresStore.open(database.service, "default", "test", patience) as store:
        other.execute("LOCK TABLE farthing.catalogue_heads IN ACCESS EXCLUSIVE MODE")
        assert_refused("database_busy", lambda: store.put_customer("late", {"id": "late"}))


def test_an_empty_database_is_not_migrated(pg_server: Any) -> None:
    pg_server.create_database("farthing_empty")
    try:
        assert_refused("database_not_migrated", lambda: PostgresStore.open(pg_server.dsn("farthing_empty"), "default", "test"))
    finally:
        pg_server.drop_database("farthing_empty")


def test_every_refusal_of_the_store_says_what_to_do(made: Books) -> None:
    with pytest.raises(Refusal) as caught:
        explain(made.store, "nonsense")
    assert caught.value.document()["message"].endswith("such as INV-000001:1.")
