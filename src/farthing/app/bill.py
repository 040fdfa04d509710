"""Close billing periods: for each contract, every period that has ended becomes drafts by the flow, and drafts become final.

A run that dies anywhere is simply run again: drafts of a contract are replaced by the next run, a final document is never made
twice (its place in the contract's series is unique), and what one run has not billed the next one does, by difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from farthing.app.raters import Rater
from farthing.app.store import LinePayload, Progress, Store, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval
from farthing.core.catalog.terms import Grant
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Shelf
from farthing.core.flow import Facts, bill, over_term, periods_due, postings_for
from farthing.core.invoice.causes import News, carrying_names, touched
from farthing.core.invoice.document import content_digest, document_content, line_document, read_document
from farthing.core.invoice.invoice import Document, Issued
from farthing.core.ledger.periods import period_for
from farthing.core.ledger.postings import posting_document
from farthing.core.settlement.grants import Earlier
from farthing.core.settlement.originals import originals

SEMANTICS = 1
"""The version of the billing rules; a document is recomputed by the rules it was made by."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who bills: the store, the engine that rates, the instant at which it books, and a maker of ids (given a prefix)."""

    store: Store
    rater: Rater
    at: Instant
    new_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Books:
    """What a contract's bills are made from, read once for a run."""

    shelf: Shelf
    known: int
    position: int


def open_books(store: Store) -> Books:
    """The catalogue and the log as they are known now."""
    known, position = store.revision(), store.head()
    return Books(Shelf(store.prices(), store.meters(), over_term), known, position)


@dataclass(frozen=True, slots=True)
class Held:
    """A contract that could not be billed further: its `period` (None: its corrections) and all later ones wait until the refusal's
    reason is mended. The refusal's field begins with the item that it is about, where it is about one."""

    contract: str
    customer: str
    period: Interval | None
    refusal: Refusal


def bill_until(
    clerk: Clerk,
    until: Instant,
    customers: Sequence[str] | None,
    on_progress: Callable[[Progress], None],
    on_held: Callable[[Held], None],
) -> Iterator[StoredDocument]:
    """Bill every contract's periods that have ended by `until`, in order; yields the final documents as they are made.

    Late facts about periods billed before are corrected on the next period's bill; `correct` does so at once. A contract whose bill
    is refused is told to `on_held`; the others are billed. Errors: those of a store that is not there.
    """
    books = open_books(clerk.store)
    contracts = [c for c in clerk.store.contracts() if customers is None or c.customer in customers]
    for done, contract in enumerate(contracts):
        on_progress(Progress("billing", done, len(contracts)))
        for period in unbilled(clerk.store, contract, until):
            try:
                made = list(finalise(clerk, contract, draft(clerk, contract, books, period)))
            except Refusal as refusal:
                on_held(_held(contract, period, refusal))
                break
            yield from made
    on_progress(Progress("billing", len(contracts), len(contracts)))


def correct(clerk: Clerk, customers: Sequence[str] | None, on_held: Callable[[Held], None]) -> Iterator[StoredDocument]:
    """Correct what late facts made wrong on final bills, at once and apart from any period's bill; refusals as in `bill_until`."""
    books = open_books(clerk.store)
    for contract in clerk.store.contracts():
        if customers is None or contract.customer in customers:
            try:
                made = list(finalise(clerk, contract, draft(clerk, contract, books, None)))
            except Refusal as refusal:
                on_held(_held(contract, None, refusal))
                continue
            yield from made


def _held(contract: Contract, period: Interval | None, refusal: Refusal) -> Held:
    """The contract held; a refusal of the database itself is about no contract, and ends the run."""
    if refusal.code.startswith("database_"):
        raise refusal
    return Held(contract.id, contract.customer, period, refusal)


def unbilled(store: Store, contract: Contract, until: Instant) -> Iterator[Interval]:
    """The contract's periods that have ended and have no final bill yet, in order."""
    billed = {read_document(document.content).period for document in store.documents(contract.id)}
    return (period for period in periods_due(contract, until) if period not in billed)


def draft(clerk: Clerk, contract: Contract, books: Books, period: Interval | None, part: bool = False) -> tuple[StoredDocument, ...]:
    """Compute and save the drafts of one period (None: corrections only), in place of all earlier drafts of the contract."""
    facts = gather(clerk.store, contract, books, period, part)
    documents = bill(facts, lambda terms: clerk.rater.rate(terms, books.position))
    pins = pins_of(facts, clerk.rater.engine)
    drafts = tuple(_stored(clerk.new_id("in"), contract.id, document, pins) for document in documents)
    clerk.store.save_drafts(contract.id, drafts, {one.id: line_payloads(one) for one in drafts})
    return drafts


def finalise(clerk: Clerk, contract: Contract, drafts: Iterable[StoredDocument]) -> Iterator[StoredDocument]:
    """Make drafts final: number, postings in the first open accounting period, and grants used; all drafts of a run as one change, so
    that no run is half final."""
    made = []
    with clerk.store.transaction():
        for one in drafts:
            document = read_document(one.content)
            accounting = period_for(clerk.at, contract.billing.zone, clerk.store.closed_through())
            postings = [posting_document(posting) for posting in postings_for(document, accounting)]
            number = clerk.store.finalise(one, line_payloads(one), postings, document.grants_used)
            made.append(StoredDocument(one.id, one.contract, one.kind, "final", one.content, one.digest, one.pins, number))
    yield from made


def gather(store: Store, contract: Contract, books: Books, period: Interval | None, part: bool = False) -> Facts:
    """Everything that the next bill of a contract is made from."""
    final = list(store.documents(contract.id))
    news = _news(store, contract, books, final)
    earlier = _earlier(contract, books, final, news, period)
    spans = (*earlier, *(() if period is None else (period,)))
    return Facts(
        contract=contract,
        shelf=books.shelf,
        period=period,
        earlier=earlier,
        known=books.known,
        position=books.position,
        issued=_within(store.issued(contract.id), spans),
        waived=store.waived(contract.id),
        grants=tuple(store.grants(contract.customer)),
        news=news,
        part=part,
        originals=originals_of(final),
    )


def _news(store: Store, contract: Contract, books: Books, final: Sequence[StoredDocument]) -> News:
    """What became known since the contract was last billed."""
    if not final:
        return News()
    pins = final[-1].pins
    return news_between(store, contract, books.shelf, (pins["position"], pins["revision"]), (books.position, books.known))


def news_between(store: Store, contract: Contract, shelf: Shelf, after: tuple[int, int], up_to: tuple[int, int]) -> News:
    """What became known about a contract behind one (log position, revision), up to another."""
    lineages = sorted({item.price for version in contract.versions for item in version.value.items})
    prices = [version for name in lineages for version in shelf.prices.get(name, ())]
    return News(
        facts=tuple(store.facts_between(after[0], up_to[0], contract.customer)),
        prices=tuple(version for version in prices if after[1] < version.revision <= up_to[1]),
        agreements=tuple(version for version in contract.versions if after[1] < version.revision <= up_to[1]),
    )


def _earlier(contract: Contract, books: Books, final: Sequence[StoredDocument], news: News, current: Interval | None) -> tuple[Interval, ...]:
    """The billed periods whose keys have to be compared again. With a term all of them, since its keys run over several."""
    billed = {read_document(document.content).period for document in final}
    periods = [period for period in periods_due(contract, max((p.end for p in billed), default=contract.active.start)) if period in billed]
    carrying = carrying_names(books.shelf.meters.values())
    again = [period for period in periods if period != current and touched(news, period, carrying)]
    return tuple(period for period in periods if period != current) if again and contract.term is not None else tuple(again)


def _within(issued: Iterable[Issued], spans: Sequence[Interval]) -> tuple[Issued, ...]:
    return tuple(one for one in issued if any(one.key.segment.overlap(span) for span in spans))


def originals_of(final: Iterable[StoredDocument]) -> dict[str, Earlier]:
    """What each final document comes to with the corrections of it so far, and the after-tax grants used on it."""
    return originals((stored.number or stored.id, read_document(stored.content)) for stored in final)


def _stored(id_: str, contract: str, document: Document, pins: Mapping[str, Any]) -> StoredDocument:
    content = document_content(document)
    return StoredDocument(id_, contract, document.kind, "draft", content, content_digest(content), pins)


def line_payloads(stored: StoredDocument) -> tuple[LinePayload, ...]:
    """The lines of a document, each with its id: the document's, a colon, and the line's number from 1."""
    lines = read_document(stored.content).lines
    return tuple(LinePayload(f"{stored.id}:{n}", line_document(line)) for n, line in enumerate(lines, start=1))


def pins_of(facts: Facts, engine: str) -> dict[str, Any]:
    """What a document was computed from, so that it can be computed again: places in log and catalogue, and what neither holds."""
    return {
        "position": facts.position,
        "revision": facts.known,
        "semantics": SEMANTICS,
        "tzdata": version("tzdata"),
        "engine": engine,
        "part": facts.part,
        "period": None if facts.period is None else [facts.period.start, facts.period.end],
        "earlier": [[span.start, span.end] for span in facts.earlier],
        "waived": dict(facts.waived),
        "grants": [[g.id, g.currency, g.remaining, g.applies, g.priority] for g in facts.grants],
    }


def read_pins(pins: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Facts` that pins hold."""
    period = pins["period"]
    return {
        "known": pins["revision"],
        "position": pins["position"],
        "part": pins["part"],
        "period": None if period is None else Interval(*period),
        "earlier": tuple(Interval(*span) for span in pins["earlier"]),
        "waived": dict(pins["waived"]),
        "grants": tuple(Grant(*grant) for grant in pins["grants"]),
    }
