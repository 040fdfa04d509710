"""The books in the database: an entry that is out of balance, incomplete, late or altered is refused by the database itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.catalog.terms import Grant
from farthing.core.ledger.periods import AccountingPeriod
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.builders import MONTHLY, bill, line, open_contract

FEB = "2025-02"
Leg = tuple[int, str, int, str, str]  # leg, ledger account, amount, currency, period

ENTRIES = "INSERT INTO entries (account, mode, entry, seller_entity, kind, legs) VALUES "
ENTRY = ENTRIES + "(current_account(), 'test', '{name}', 'default', 'invoice', {legs})"
POSTING = "(current_account(), 'test', '{name}', {leg}, '{code}', '', {amount}, '{currency}', '{period}', 'acme', 'acme-1', 'by hand')"
POSTINGS = "INSERT INTO postings (account, mode, entry, leg, ledger_account, subject, amount, currency, period, customer, contract, memo) VALUES "
GOOD: tuple[Leg, ...] = ((1, "receivable", 100, "usd", "2025-02"), (2, "revenue", -100, "usd", "2025-02"))


def postings(name: str, legs: Sequence[Leg]) -> str:
    columns = ("leg", "code", "amount", "currency", "period")
    return POSTINGS + ", ".join(POSTING.format(name=name, **dict(zip(columns, leg, strict=True))) for leg in legs)


def entry(name: str, legs: Sequence[Leg], stated: int | None = None) -> bytes:
    """An entry with its legs in one statement."""
    return f"WITH e AS ({ENTRY.format(name=name, legs=len(legs) if stated is None else stated)}) {postings(name, legs)}".encode()


def refused(connection: psycopg.Connection[Any], statement: bytes) -> str:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    return f"{caught.value.sqlstate} {caught.value.diag.message_primary}"


@pytest.fixture
def service(account: Any) -> Any:
    with account.connect() as connection:
        yield connection


def test_a_balanced_entry_is_taken_in_several_currencies_too(service: Any) -> None:
    service.execute(entry("one", GOOD))
    service.execute(entry("fx", (*GOOD, (3, "fx_loss", 7, "eur", "2025-02"), (4, "cash", -7, "eur", "2025-03"))))
    assert service.execute("SELECT count(*) FROM postings").fetchone() == (6,)


@pytest.mark.parametrize(
    ("legs", "why"),
    [
        (((1, "receivable", 100, "usd", FEB), (2, "revenue", -99, "usd", FEB)), "FT002 entry x is out of balance by 1 minor units of usd"),
        (((1, "receivable", 100, "usd", FEB), (2, "revenue", -100, "eur", FEB)), "FT002 entry x is out of balance by"),
        (((1, "receivable", 2**62, "usd", FEB), (2, "cash", 2**62, "usd", FEB)), "FT002 entry x is out of balance by 9223372036854775808"),
        (((1, "receivable", 100, "usd", FEB), (2, "slush", -100, "usd", FEB)), "FT004 entry x posts to slush, which is not in the chart"),
        (((1, "receivable", 100, "usd", FEB), (3, "revenue", -100, "usd", FEB)), "FT002 entry x states 2 legs and was given 2"),
        (((1, "receivable", 100, "usd", FEB), (1, "revenue", -100, "usd", FEB)), "23505 duplicate key"),
        (((1, "receivable", 0, "usd", FEB), (2, "revenue", 0, "usd", FEB)), "23514 "),
        (((1, "receivable", 100, "usd", "2025-13"), (2, "revenue", -100, "usd", "2025-13")), "23514 "),
        (((1, "receivable", 100, "usd", "soon"), (2, "revenue", -100, "usd", "soon")), "23514 "),
    ],
)
def test_an_entry_that_breaks_the_books_is_refused(service: Any, legs: Sequence[Leg], why: str) -> None:
    assert refused(service, entry("x", legs)).startswith(why)
    assert service.execute("SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM postings)").fetchone() == (0, 0)


def test_one_bad_entry_among_many_refuses_the_statement(service: Any) -> None:
    many = [entry(f"e{n}", GOOD if n != 70 else (GOOD[0], (2, "revenue", -101, "usd", "2025-02"))).decode() for n in range(100)]
    headers = f"WITH e AS ({ENTRIES}"
    headers += ", ".join(f"(current_account(), 'test', 'e{n}', 'default', 'invoice', 2)" for n in range(100)) + ") "
    legs = ", ".join(one.split("VALUES ", 2)[2] for one in many)
    assert refused(service, (headers + POSTINGS + legs).encode()).startswith("FT002 entry e70 is out of balance by -1")


def test_legs_and_entry_belong_together(service: Any) -> None:
    assert refused(service, postings("x", GOOD).encode()).startswith("FT002 entry x states 0 legs and was given 2"), "legs without an entry"
    assert refused(service, ENTRY.format(name="x", legs=2).encode()).startswith("FT002 entry x has no legs")
    assert refused(service, entry("x", GOOD, stated=3)).startswith("FT002 entry x states 3 legs and was given 2")
    assert refused(service, entry("x", GOOD[:1])).startswith("23514 "), "one leg cannot balance"


def test_an_entry_cannot_be_completed_later_nor_added_to(service: Any) -> None:
    with service.transaction():
        service.execute(entry("x", GOOD))
        with pytest.raises(psycopg.errors.UniqueViolation), service.transaction():
            service.execute(postings("x", GOOD).encode())
        more = ((3, "cash", 5, "usd", "2025-02"), (4, "receivable", -5, "usd", "2025-02"))
        with pytest.raises(psycopg.Error, match="entry x states 2 legs and was given 2"), service.transaction():
            service.execute(postings("x", more).encode())
    assert service.execute("SELECT sum(amount), count(*) FROM postings").fetchone() == (0, 2)


def close(connection: psycopg.Connection[Any], period: str) -> None:
    closing = "INSERT INTO period_closings (account, mode, seller_entity, period) VALUES (current_account(), 'test', 'default', %s)"
    connection.execute(closing, (period,))


def test_a_closed_period_takes_no_entry_and_is_never_reopened(service: Any, store: PostgresStore) -> None:
    open_contract(store)
    store.finalise(*bill("in_1", line(100)))
    close(service, "2025-02")
    assert store.closed_through() == AccountingPeriod(2025, 2)
    assert refused(service, entry("x", GOOD)).startswith("FT003 entry x books into 2025-02, but its books are closed through 2025-02")
    with pytest.raises(Refusal) as caught:
        store.finalise(*bill("in_2", line(5, "seats"), books="2025-01"))
    assert caught.value.code == "period_closed"
    assert store.finalise(*bill("in_2", line(5, "seats"), books="2025-03")) == "INV-000002"
    for period, state in (("2025-01", "FT003"), ("2025-02", "23505")):
        with pytest.raises(psycopg.Error) as again:
            close(service, period)
        assert again.value.sqlstate == state
    close(service, "2025-04")
    assert store.closed_through() == AccountingPeriod(2025, 4)


def test_books_that_do_not_exist_take_no_entry(service: Any) -> None:
    statement = entry("x", GOOD).replace(b"'default'", b"'elsewhere'")
    assert refused(service, statement).startswith("FT003 entry x books into 2025-02, but its books are missing")


def test_a_period_does_not_close_under_an_entry_that_is_being_booked(account: Any, service: Any) -> None:
    order: list[str] = []

    def closing() -> None:
        with account.connect() as other:
            close(other, "2025-02")
            order.append("closed")

    with service.transaction():
        service.execute(entry("x", GOOD))
        thread = threading.Thread(target=closing)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "the closing waits for the entry"
        order.append("booked")
    thread.join(30)
    assert order == ["booked", "closed"]
    assert refused(service, entry("y", GOOD)).startswith("FT003")


def test_an_entry_waits_for_a_closing_and_is_then_refused(account: Any, service: Any) -> None:
    found: list[str] = []

    def booking() -> None:
        with account.connect() as other:
            found.append(refused(other, entry("x", GOOD)))

    with service.transaction():
        close(service, "2025-02")
        thread = threading.Thread(target=booking)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(30)
    assert found[0].startswith("FT003")


def test_amounts_beyond_what_the_books_hold_are_refused_by_name(store: PostgresStore) -> None:
    open_contract(store)
    with pytest.raises(Refusal) as caught:
        store.finalise(*bill("in_1", line(2**63)))
    assert caught.value.code == "number_too_large"
    assert store.finalise(*bill("in_1", line(2**63 - 1))) == "INV-000001"


def test_finalising_side_by_side_gives_every_bill_one_number(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    first = open_store(account)
    for n in range(4):
        open_contract(first, f"c{n}", f"k{n}")
    bills = [bill(f"in_{n}_{m}", line(10, f"item {m}", contract_id=f"k{n}", customer=f"c{n}")) for n in range(4) for m in range(6)]
    numbers: list[tuple[str, str]] = []

    def work(seed: int) -> None:
        with PostgresStore.open(account.service, account.name, "test") as own:
            for n in range(len(bills)):
                one = bills[(n * 7 + seed * 5) % len(bills)]
                numbers.append((one[0].id, own.finalise(*one)))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(numbers) == 4 * 24
    assert len(set(numbers)) == 24, "the same bill always has the same number"
    assert sorted({number for _, number in numbers}) == [f"INV-{n:06d}" for n in range(1, 25)]
    assert [one.sequence for one in first.documents()] == list(range(1, 25))
    assert sum(one.amount for n in range(4) for one in first.issued(f"k{n}")) == 240


def test_two_bills_computed_from_the_same_books_cannot_both_become_final(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    stores = [open_store(account) for _ in range(4)]
    open_contract(stores[0])
    for round_ in range(5):
        outcomes: list[str] = []
        barrier = threading.Barrier(4)

        def work(n: int, outcomes: list[str] = outcomes, barrier: threading.Barrier = barrier, round_: int = round_) -> None:
            one = bill(f"in_{round_}_{n}", line(100, f"item {round_}"), period=MONTHLY.period(n if round_ % 2 else 0))
            barrier.wait()
            try:
                outcomes.append(stores[n].finalise(*one)[:3])
            except Refusal as refusal:
                outcomes.append(refusal.code)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == ["INV", *["document_outdated"] * 3]
    assert [one.number for one in stores[0].documents()] == [f"INV-{n:06d}" for n in range(1, 6)], "refused bills leave no gap"


def test_a_grant_is_not_used_twice_by_bills_side_by_side(account: Any, open_store: Callable[..., PostgresStore]) -> None:
    stores = [open_store(account) for _ in range(3)]
    for n in range(3):
        open_contract(stores[0], "acme", f"k{n}")
    stores[0].put_grant("acme", Grant("g", "usd", 100, "after_tax"))
    outcomes: list[str] = []

    def work(n: int) -> None:
        try:
            outcomes.append(stores[n].finalise(*bill(f"in_{n}", line(100, contract_id=f"k{n}"), used=[("g", 60)]))[:3])
        except Refusal as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["INV", "grant_exhausted", "grant_exhausted"]
    assert [grant.remaining for grant in stores[0].grants("acme")] == [40]
