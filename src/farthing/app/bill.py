"""Close billing periods: for each contract, every period that has ended becomes drafts by the flow, and drafts become final.

A run that dies anywhere is simply run again: drafts of a contract are replaced by the next run, a final document is never made
twice (its place in the contract's series is unique), and what one run has not billed the next one does, by difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import islice
from typing import Any

from farthing.app.history import History, number_of
from farthing.app.raters import Answers, Asked, Rater
from farthing.app.refusals import CUSTOMER_UNKNOWN
from farthing.app.store import LinePayload, Progress, Store, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import BEGINNING, Instant, Interval
from farthing.core.catalog.terms import Grant, Terms
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Shelf
from farthing.core.flow import Due, Facts, bill, bills_due, over_term, periods_due, postings_for, terms_to_rate
from farthing.core.invoice.adjustment import Adjustment, adjustment_document, read_adjustment
from farthing.core.invoice.causes import LateFact, News, carrying_names, touched
from farthing.core.invoice.document import content_digest, document_content, key_text, read_document
from farthing.core.invoice.invoice import Document
from farthing.core.ledger.periods import period_for
from farthing.core.ledger.postings import posting_document

SEMANTICS = 1
"""The version of the billing rules; a document is recomputed by the rules it was made by."""
BILLS_AT_ONCE = 100
"""For how many bills usage is read and rated together."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who bills: the store, the engine that rates, the instant at which it books, and a maker of ids (given a prefix). `usable` says which
    of a customer's grants may be used under a contract, and in which order; by default all that the store has."""

    store: Store
    rater: Rater
    at: Instant
    new_id: Callable[[str], str]
    usable: Callable[[Contract], Sequence[Grant]] | None = None

    def grants(self, contract: Contract) -> tuple[Grant, ...]:
        """The grants that may be used under a contract, with what remains of each."""
        return tuple(self.store.grants(contract.customer) if self.usable is None else self.usable(contract))


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


CORRECTIONS = Due(None)
"""Nothing is due but the corrections of what was billed."""


@dataclass(frozen=True, slots=True)
class _Work:
    """Bills of one contract to make (`CORRECTIONS`: only those), in order, with what rating came to for the terms of each, as foreseen."""

    contract: Contract
    history: History
    place: int  # of the contract among all
    dues: Sequence[Due]
    late: dict[int, list[LateFact]] = field(default_factory=dict)  # by the log position of the last bill before
    answers: list[Answers] = field(default_factory=list)


def bill_until(
    clerk: Clerk,
    until: Instant,
    customers: Sequence[str] | None,
    on_progress: Callable[[Progress], None],
    on_held: Callable[[Held], None],
) -> Iterator[StoredDocument]:
    """Bill every contract's periods that have ended by `until`, in order; yields the final documents as they are made.

    Late facts about periods billed before are corrected on the next period's bill; `correct` does so at once. A contract whose bill
    is refused is told to `on_held`; the others are billed. Errors: customer_unknown; those of a store that is not there.
    """
    contracts = _contracts(clerk.store, customers)
    yield from _bill(clerk, contracts, lambda history: list(unbilled(history, until)), on_held, on_progress=on_progress)
    on_progress(Progress("billing", len(contracts), len(contracts)))


def bill_part(
    clerk: Clerk, at: Instant, customers: Sequence[str] | None, on_progress: Callable[[Progress], None], on_held: Callable[[Held], None]
) -> Iterator[StoredDocument]:
    """Bill what has ended by `at`, then a part-invoice of each period that is open then, from its start to `at`; yields as `bill_until`.

    A part has the usage so far by difference to earlier parts; what would lower the bill, licensed items, minimums and fixed discounts
    wait for the period's own bill. Nothing is made where nothing has changed since the last part.
    """
    held: set[str] = set()

    def hold(one: Held) -> None:
        held.add(one.contract)
        on_held(one)

    def due(history: History) -> list[Due]:
        period = open_period(history.contract, at)
        done = period is not None and any(period.start in billed for billed in _billed(history.final))
        return [] if period is None or done or history.contract.id in held else [Due(period)]

    yield from bill_until(clerk, at, customers, on_progress, hold)
    yield from _bill(clerk, _contracts(clerk.store, customers), due, on_held, part=True)


def open_period(contract: Contract, at: Instant) -> Interval | None:
    """The contract's billing period that has begun before `at` and not ended, up to `at`; None where there is none."""
    period = contract.billing.period(contract.billing.index_at(at)).overlap(contract.active)
    return Interval(period.start, at) if period is not None and period.start < at < period.end else None


def correct(clerk: Clerk, customers: Sequence[str] | None, on_held: Callable[[Held], None]) -> Iterator[StoredDocument]:
    """Correct what late facts made wrong on final bills, at once and apart from any period's bill; refusals as in `bill_until`."""
    yield from _bill(clerk, _contracts(clerk.store, customers), lambda _: [CORRECTIONS], on_held)


def _bill(
    clerk: Clerk,
    contracts: Sequence[Contract],
    due: Callable[[History], list[Due]],
    on_held: Callable[[Held], None],
    part: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[StoredDocument]:
    """Bill what is due under each contract, one after the other. Usage is read and rated ahead for many bills at once."""
    books = open_books(clerk.store)
    held: set[str] = set()
    for portion in _portions(clerk.store, contracts, due):
        _foresee(clerk, books, portion, part)
        for work in portion:
            on_progress(Progress("billing", work.place, len(contracts)))
            for n, due_now in enumerate(work.dues):
                if work.contract.id in held:
                    break
                try:
                    made = list(finalise(clerk, work.contract, _draft(clerk, books, work, n, part)))
                except Refusal as refusal:
                    held.add(work.contract.id)
                    on_held(_held(work.contract, due_now.period, refusal))
                    break
                yield from made


def _portions(store: Store, contracts: Sequence[Contract], due: Callable[[History], list[Due]]) -> Iterator[list[_Work]]:
    """The work in portions of about `BILLS_AT_ONCE` bills; a contract with more to bill is in several, never twice in one."""
    portion: list[_Work] = []
    for place, contract in enumerate(contracts):
        history = History(store, contract)
        history.refresh()
        dues = due(history)
        for first in range(0, len(dues), BILLS_AT_ONCE):
            portion.append(_Work(contract, history, place, dues[first : first + BILLS_AT_ONCE]))
            if sum(len(work.dues) for work in portion) >= BILLS_AT_ONCE:
                yield portion
                portion = []
    if portion:
        yield portion


def _foresee(clerk: Clerk, books: Books, portion: Sequence[_Work], part: bool) -> None:
    """Rate the terms of all bills of a portion. A guess at what the bills will ask for, and no more: they ask again where it was wrong."""
    _read_late(clerk.store, books, portion)
    asked: list[Asked] = []
    wanted: list[tuple[_Work, tuple[Terms, ...]]] = []
    for work in portion:
        for n, due in enumerate(work.dues):
            try:
                terms = terms_to_rate(_gather(clerk, books, work, due, part) if n == 0 else _fresh(work.contract, books, due, part))
            except Refusal:  # which the bill itself will meet, when it is its turn
                break
            wanted.append((work, terms))
            asked += [Asked(one, books.position) for one in terms]
    outcomes = iter(clerk.rater.rate(asked))
    for work, terms in wanted:
        work.answers.append(Answers(clerk.rater, books.position, terms, list(islice(outcomes, len(terms)))))


def _fresh(contract: Contract, books: Books, due: Due, part: bool) -> Facts:
    """A bill for which nothing that was billed before matters."""
    return Facts(contract, books.shelf, due.period, (), books.known, books.position, part=part, ahead=due.ahead)


def _contracts(store: Store, customers: Sequence[str] | None) -> list[Contract]:
    """The contracts of these customers (None: of all) that runs bill. Errors: customer_unknown, so that no typing error looks like nothing to
    bill."""
    contracts = [contract for contract in store.contracts() if contract.billed_by == "run"]
    if customers is None:
        return contracts
    known = frozenset(store.customers())
    for customer in customers:
        if customer not in known:
            raise Refusal(CUSTOMER_UNKNOWN, f"there is no customer {customer[:80]!r}.", "customer")
    return [contract for contract in contracts if contract.customer in customers]


def _held(contract: Contract, period: Interval | None, refusal: Refusal) -> Held:
    """The contract held; a refusal of the database itself is about no contract, and ends the run."""
    if refusal.code.startswith("database_"):
        raise refusal
    return Held(contract.id, contract.customer, period, refusal)


def unbilled(history: History, until: Instant) -> Iterator[Due]:
    """The contract's bills that are due and not final yet, in order."""
    billed, begun = _billed(history.final), _begun(history.final)
    return (due for due in bills_due(history.contract, until) if not (due.period in billed or (due.period is None and due.ahead in begun | billed)))


def _billed(documents: Iterable[StoredDocument]) -> set[Interval]:
    return {Interval(*document.pins["period"]) for document in documents if document.bills_period}


def _begun(documents: Iterable[StoredDocument]) -> set[Interval]:
    """The periods whose items in advance have been billed when they began."""
    return {document.ahead for document in documents if document.ahead is not None}


def opened(history: History, due: Due) -> tuple[Interval, ...]:
    """The billing period that has begun and is not billed yet, of which items in advance may have been billed; none where it is the one
    that is due."""
    contract, billed = history.contract, _billed(history.final)
    if not contract.in_advance or not (billed or _begun(history.final)):
        return ()
    start = max((period.end for period in billed), default=contract.active.start)
    if start >= contract.active.end:
        return ()
    period = contract.billing.period(contract.billing.index_at(start)).overlap(contract.active)
    return () if period is None or period in (due.period, due.ahead) else (period,)


def _draft(clerk: Clerk, books: Books, work: _Work, n: int, part: bool) -> tuple[StoredDocument, ...]:
    """Compute and save the drafts of the n-th period of the work, in place of all earlier drafts of the contract."""
    work.history.refresh()
    facts = _gather(clerk, books, work, work.dues[n], part)
    answers = work.answers[n] if n < len(work.answers) else Answers(clerk.rater, books.position)
    drafts = _computed(clerk, facts, answers)
    save(clerk.store, work.contract.id, drafts)
    return drafts


def _computed(clerk: Clerk, facts: Facts, answers: Answers) -> tuple[StoredDocument, ...]:
    pins = pins_of(facts, clerk.rater.engine)
    return tuple(_stored(clerk.new_id("in"), facts.contract.id, document, pins) for document in bill(facts, answers.rate))


def save(store: Store, contract: str, drafts: Sequence[StoredDocument]) -> None:
    """Keep the drafts of a contract, in place of all earlier ones."""
    store.save_drafts(contract, drafts, {one.id: line_payloads(one) for one in drafts})


def compute(clerk: Clerk, contract: Contract, due: Due, adjustments: Sequence[Adjustment] = (), part: bool = False) -> tuple[StoredDocument, ...]:
    """The documents that one bill of a contract would consist of as things are, with adjustments on it; nothing is kept. `contract` may
    say more than the store knows of it (a preview of a change). A draft that becomes final is the same document, kept by `save`.

    Errors: those of resolving terms and rating.
    """
    books, history = open_books(clerk.store), History(clerk.store, contract)
    history.refresh()
    known = max([books.known, *(version.revision for version in contract.versions)])
    work = _Work(contract, history, 0, [due])
    facts = _gather(clerk, replace(books, known=known), work, due, part)
    return _computed(clerk, replace(facts, adjustments=tuple(adjustments)), Answers(clerk.rater, books.position))


def take_back(clerk: Clerk, contract: Contract, amounts: Mapping[str, int], adjustments: Sequence[Adjustment] = ()) -> StoredDocument:
    """The document that takes back amounts of what final lines billed, by the texts of their charge keys, in minor units before discount and
    tax; with adjustments on it. What has become known since the contract was billed last is left to its next bill, which the waivers
    (`put_waiver`) keep from charging again what was taken back. Nothing is kept, as by `compute`."""
    books, history = open_books(clerk.store), History(clerk.store, contract)
    history.refresh()
    void = history.void()
    back = history.taken_back(amounts, void)
    facts = Facts(
        contract=contract,
        shelf=books.shelf,
        period=None,
        earlier=tuple(sorted({one.issued.key.segment for one in back if one.issued.key.rated}, key=lambda span: (span.start, span.end))),
        known=books.known,
        position=books.position,
        waived=clerk.store.waived(contract.id),
        grants=clerk.grants(contract),
        originals=history.originals(void),
        void=void,
        adjustments=tuple(adjustments),
        taken_back=back,
    )
    (made,) = _computed(clerk, facts, Answers(clerk.rater, books.position))
    return made


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


def _gather(clerk: Clerk, books: Books, work: _Work, due: Due, part: bool) -> Facts:
    """Everything that the next bill of a contract is made from."""
    store, period, history, contract = clerk.store, due.period, work.history, work.contract
    void, waived = history.void(), store.waived(contract.id)
    now = {"position": books.position, "revision": books.known, "waived": waived, "void": void}
    news = news_since(history, books.shelf, now, _late(store, books, work))
    earlier = _earlier(history, books, news, period)
    open_ = opened(history, due)
    issued = history.issued([span for span in (*earlier, *open_, period, due.ahead) if span is not None], void)
    return Facts(
        contract=contract,
        shelf=books.shelf,
        period=period,
        earlier=earlier,
        known=books.known,
        position=books.position,
        issued=issued,
        waived=waived,
        grants=clerk.grants(contract),
        news=news,
        part=part,
        originals=history.originals(void) if issued else {},  # for corrections, and these are of what was issued
        void=void,
        ahead=due.ahead,
        opened=open_,
    )


def _late(store: Store, books: Books, work: _Work) -> Sequence[LateFact]:
    """The late facts as they were read for all, or anew where somebody else has billed the contract since."""
    position = books.position if work.history.last is None else work.history.last.pins["position"]
    if position not in work.late:
        work.late[position] = list(late_facts(store, position, books.position, (work.contract.customer,), _billed_until([work])))
    return work.late[position]


def _billed_until(works: Iterable[_Work]) -> Instant:
    return max((period.end for work in works for period in _billed(work.history.final)), default=BEGINNING)


def _read_late(store: Store, books: Books, portion: Sequence[_Work]) -> None:
    """Find the late facts of each contract: those since its last bill that are about the time billed until then. All contracts that
    were billed last at the same place in the log are asked for at once."""
    alike: dict[int, dict[str, list[_Work]]] = {}
    for work in portion:
        if work.history.last is not None:
            position = work.history.last.pins["position"]
            work.late[position] = []
            alike.setdefault(position, {}).setdefault(work.contract.customer, []).append(work)
    for position, by_customer in alike.items():
        before = _billed_until(work for works in by_customer.values() for work in works)
        for late in late_facts(store, position, books.position, tuple(by_customer), before):
            for whose in late.customers() & by_customer.keys():
                for work in by_customer[whose]:
                    work.late[position].append(late)


def late_facts(store: Store, after: int, up_to: int, customers: tuple[str, ...], before: Instant) -> Iterator[LateFact]:
    """The facts at log positions (after, up_to] about events of the customers before an instant, in position order."""
    return store.facts_between(after, up_to, customers, before) if after < up_to and before > BEGINNING else iter(())


def news_since(history: History, shelf: Shelf, now: Mapping[str, Any], late: Iterable[LateFact]) -> News:
    """What became known and was decided about a contract since the last bill of its history, up to the pins `now`. `late` has at
    least the facts since then that are about time that was billed."""
    if history.last is None:
        return News()
    contract, before = history.contract, history.last.pins
    lineages = sorted({item.price for version in contract.versions for item in version.value.items})
    prices = [version for name in lineages for version in shelf.prices.get(name, ())]
    revisions = range(before["revision"] + 1, now["revision"] + 1)
    newly = set(now["void"]) - set(before["void"])
    return News(
        facts=tuple(one for one in late if before["position"] < one.position <= now["position"]),
        prices=tuple(version for version in prices if version.revision in revisions),
        agreements=tuple(version for version in contract.versions if version.revision in revisions),
        voids=tuple((number_of(one), _keys(history.document(one))) for one in history.final if number_of(one) in newly),
        waived={key: units - before["waived"].get(key, 0) for key, units in now["waived"].items() if units != before["waived"].get(key, 0)},
    )


def _keys(document: Document) -> frozenset[str]:
    return frozenset(key_text(line.key) for line in document.lines)


def _earlier(history: History, books: Books, news: News, current: Interval | None) -> tuple[Interval, ...]:
    """The billed periods whose keys have to be compared again: those that news is about. With a term all of them, since an event in one
    moves the tiers of the others; and those of the terms that the current period is in even without news, since it may lower them."""
    contract, billed = history.contract, _billed(history.final)
    if news == News() and contract.term is None:
        return ()
    periods = [period for period in periods_due(contract, max((p.end for p in billed), default=contract.active.start)) if period in billed]
    carrying = carrying_names(books.shelf.meters.values())
    again = [period for period in periods if period != current and touched(news, period, carrying)]
    if contract.term is None:
        return tuple(again)
    terms = () if current is None else tuple(contract.term.periods_within(current))
    return tuple(period for period in periods if period != current and (again or any(period.overlap(term) for term in terms)))


def _stored(id_: str, contract: str, document: Document, pins: Mapping[str, Any]) -> StoredDocument:
    content = document_content(document)
    return StoredDocument(id_, contract, document.kind, "draft", content, content_digest(content), pins)


def line_payloads(stored: StoredDocument) -> tuple[LinePayload, ...]:
    """The lines of a document, each with its id: the document's, a colon, and the line's number from 1."""
    return tuple(LinePayload(f"{stored.id}:{n}", line) for n, line in enumerate(stored.content["lines"], start=1))


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
        **({} if facts.ahead is None else {"ahead": [facts.ahead.start, facts.ahead.end]}),
        **({"opened": [[span.start, span.end] for span in facts.opened]} if facts.opened else {}),
        **({} if facts.taken_back is None else {"taken_back": [[key_text(o.issued.key), o.amount, o.issued.amount] for o in facts.taken_back]}),
        **({"adjustments": [adjustment_document(one) for one in facts.adjustments]} if facts.adjustments else {}),
        "waived": dict(facts.waived),
        "void": list(facts.void),
        "grants": [[g.id, g.currency, g.remaining, g.applies, g.priority, *([] if g.prices is None else [list(g.prices)])] for g in facts.grants],
    }


def read_pins(pins: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Facts` that pins hold."""
    period, ahead = pins["period"], pins.get("ahead")
    return {
        "known": pins["revision"],
        "position": pins["position"],
        "part": pins["part"],
        "period": None if period is None else Interval(*period),
        "earlier": tuple(Interval(*span) for span in pins["earlier"]),
        "ahead": None if ahead is None else Interval(*ahead),
        "opened": tuple(Interval(*span) for span in pins.get("opened", ())),
        "adjustments": tuple(read_adjustment(one) for one in pins.get("adjustments", ())),
        "waived": dict(pins["waived"]),
        "void": tuple(pins["void"]),
        "grants": tuple(Grant(*grant[:5], *(tuple(prices) for prices in grant[5:])) for grant in pins["grants"]),
    }
