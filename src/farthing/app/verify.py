"""Prove final bills: compute each again, from the log as it was known, by the path that did not produce it, and compare.

Compared are every line, the digests, the stored lines beside their document, and the ledger's postings; and the events in the log
with what was accepted. A line that only one path can compute is unproven; verified means that nothing differs and none is unproven.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from farthing.app.bill import BILLS_AT_ONCE, late_facts, line_payloads, news_since, read_pins
from farthing.app.history import History, number_of
from farthing.app.raters import Answers, Asked, Outcome, Rater
from farthing.app.store import Progress, Store, StoredDocument, void_entry
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import BEGINNING
from farthing.core.catalog.terms import Terms
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Shelf
from farthing.core.flow import Facts, bill, over_term, postings_for, terms_to_rate
from farthing.core.invoice.document import content_digest, document_content, read_document
from farthing.core.ledger.periods import AccountingPeriod, read_period
from farthing.core.ledger.postings import Posting, posting_document, reversal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was, or should be: in which document, which line (from 1; 0: the whole), which field, both values."""

    document: str
    line: int
    field: str
    stored: str
    recomputed: str


@dataclass
class Verification:
    """What was proven: documents and lines compared, by which engines, what differs, and which lines only one path can compute."""

    documents: int = 0
    lines: int = 0
    events_altered: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unproven: list[tuple[str, str]] = field(default_factory=list)  # (document, reason)
    engines: set[str] = field(default_factory=set)

    @property
    def verified(self) -> bool:
        """Nothing differs and nothing is unproven."""
        return not (self.events_altered or self.findings or self.unproven)


@dataclass(frozen=True, slots=True)
class _Run:
    """Documents that one run made together, who recomputes them, what the run knew, and the terms that it will ask for."""

    documents: Sequence[StoredDocument]
    rater: Rater
    facts: Facts
    terms: tuple[Terms, ...]


def verify(store: Store, raters: Mapping[str, Rater], on_progress: Callable[[Progress], None]) -> Verification:
    """Verify every final document of the account. `raters` are by engine; a document made by one is computed again by another, the usage
    of many documents at once."""
    result = Verification()
    result.events_altered.extend(store.altered())
    shelf = Shelf(store.prices(), store.meters(), over_term)
    contracts = store.contracts()
    waiting: list[_Run] = []
    for done, contract in enumerate(contracts):
        on_progress(Progress("verifying", done, len(contracts)))
        for run in _runs_of(store, contract, shelf, raters, result):
            waiting.append(run)
            if len(waiting) >= BILLS_AT_ONCE:
                _recompute_all(waiting, result)
                waiting.clear()
    _recompute_all(waiting, result)
    on_progress(Progress("verifying", len(contracts), len(contracts)))
    return result


def _runs_of(store: Store, contract: Contract, shelf: Shelf, raters: Mapping[str, Rater], result: Verification) -> Iterator[_Run]:
    """The runs that billed a contract, in order, up to the first whose documents cannot be read any more; each document is checked
    against itself on the way."""
    history = History(store, contract)
    for documents in runs(store.documents(contract.id)):
        for stored in documents:
            if unreadable := _unreadable(stored):
                result.findings.append(Finding(number_of(stored), 0, "content", "damaged, so that later bills cannot be proven", unreadable))
                return
            _check_stored(store, stored, result)
        pins = documents[0].pins
        for number in sorted(set(pins["void"]) - set(history.void())):
            result.findings.append(Finding(number, 0, "void", "final", "void"))
        rater = next(rater for engine, rater in raters.items() if engine != pins["engine"])
        facts = _facts(store, history, shelf, pins)
        try:
            terms = terms_to_rate(facts)
        except Refusal:  # which the flow will meet again
            terms = ()
        yield _Run(documents, rater, facts, terms)
        for stored in documents:
            history.add(stored)


def _recompute_all(waiting: Sequence[_Run], result: Verification) -> None:
    by_engine: dict[str, list[_Run]] = {}
    for run in waiting:
        by_engine.setdefault(run.rater.engine, []).append(run)
    ahead = {engine: iter(_rated(some)) for engine, some in by_engine.items()}
    for run in waiting:
        answers = Answers(run.rater, run.facts.position, run.terms, list(islice(ahead[run.rater.engine], len(run.terms))))
        _recompute(run, answers, result)


def _rated(some: Sequence[_Run]) -> list[Outcome]:
    """The outcomes for the terms of all of them; none where the engine fails, which is then found out bill by bill."""
    try:
        return some[0].rater.rate([Asked(term, run.facts.position) for run in some for term in run.terms])
    except AssertionError:
        return []


def runs(documents: Iterator[StoredDocument]) -> Iterator[list[StoredDocument]]:
    """Documents that one run made together, in order: those with the same pins."""
    run: list[StoredDocument] = []
    for document in documents:
        if run and run[0].pins != document.pins:
            yield run
            run = []
        run.append(document)
    if run:
        yield run


def _unreadable(stored: StoredDocument) -> str:
    """Why a document cannot be read; "" where it can."""
    try:
        content_digest(stored.content)
        read_document(stored.content)
        read_pins(stored.pins)
    except (LookupError, TypeError, ValueError, AttributeError, Refusal) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _check_stored(store: Store, stored: StoredDocument, result: Verification) -> None:
    """The document against itself: its digest, its lines beside it, and its postings."""
    number = stored.number or stored.id
    result.documents += 1
    result.lines += len(stored.content["lines"])
    digest = content_digest(stored.content)
    if digest != stored.digest:
        result.findings.append(Finding(number, 0, "digest", stored.digest, digest))
    kept = store.lines(stored.id)
    for n, payload in enumerate(line_payloads(stored), start=1):
        _compare(number, n, kept.get(payload.id, {}), payload.content, result)
    _check_entry(number, store.postings(stored.id), lambda period: postings_for(read_document(stored.content), period), result)
    if stored.void is not None:
        reversed_by = store.postings(void_entry(stored.id))
        _check_entry(number, reversed_by, lambda period: reversal(read_document(stored.content), number, period), result)


def _check_entry(
    number: str, booked: Sequence[Mapping[str, Any]], expect: Callable[[AccountingPeriod], Iterable[Posting]], result: Verification
) -> None:
    """What is booked against what should be, in the accounting period that it was booked in; or why that cannot be booked."""
    postings = sorted(_shown(posting) for posting in booked)
    try:
        legs = expect(read_period(booked[0]["period"] if booked else "1970-01"))
        expected = sorted(_shown(posting_document(leg)) for leg in legs)
    except ValueError as error:
        expected = [str(error)]
    if postings != expected:
        result.findings.append(Finding(number, 0, "postings", f"[{', '.join(postings)}]", f"[{', '.join(expected)}]"))


def _recompute(run: _Run, answers: Answers, result: Verification) -> None:
    result.engines.add(run.rater.engine)
    numbers = ", ".join(number_of(stored) for stored in run.documents)
    try:
        again = bill(run.facts, answers.rate)
    except (Refusal, AssertionError) as error:
        result.findings.append(Finding(numbers, 0, "bill", "final", str(error)))
        return
    result.unproven.extend((numbers, reason) for reason in answers.outside)
    if len(again) != len(run.documents):
        result.findings.append(Finding(numbers, 0, "documents", str(len(run.documents)), str(len(again))))
    for stored, document in zip(run.documents, again, strict=False):
        number, content = stored.number or stored.id, document_content(document)
        _compare(number, 0, _whole(stored.content), _whole(content), result)
        for n in range(1, max(len(stored.content["lines"]), len(content["lines"])) + 1):
            _compare(number, n, _nth(stored.content, n), _nth(content, n), result)
        if content_digest(content) != stored.digest:
            result.findings.append(Finding(number, 0, "digest", stored.digest, content_digest(content)))


def _facts(store: Store, history: History, shelf: Shelf, pins: Mapping[str, Any]) -> Facts:
    """What a run knew: its pins, what had been billed before it (the history) and was not void then, and what was news to it."""
    known = read_pins(pins)
    if "taken_back" in pins:
        back = history.taken_back({key: amount for key, amount, _ in pins["taken_back"]}, known["void"])
        return Facts(contract=history.contract, shelf=shelf, originals=history.originals(known["void"]), taken_back=back, **known)
    spans = (*known["earlier"], *known["opened"], known["period"], known["ahead"])
    issued = history.issued([span for span in spans if span is not None], known["void"])
    before = max((span.end for span in known["earlier"]), default=BEGINNING)
    since = pins["position"] if history.last is None else history.last.pins["position"]
    late = late_facts(store, since, pins["position"], (history.contract.customer,), before)
    news, earlier = news_since(history, shelf, pins, late), history.originals(known["void"]) if issued else {}
    return Facts(contract=history.contract, shelf=shelf, issued=issued, originals=earlier, news=news, **known)


def _whole(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "lines"}


def _nth(content: Mapping[str, Any], n: int) -> Mapping[str, Any]:
    lines = content["lines"]
    return lines[n - 1] if n <= len(lines) else {}


def _compare(number: str, line: int, stored: Mapping[str, Any], again: Mapping[str, Any], result: Verification) -> None:
    for name in sorted(stored.keys() | again.keys()):
        if stored.get(name) != again.get(name):
            result.findings.append(Finding(number, line, name, _shown(stored.get(name)), _shown(again.get(name))))


def verification_document(result: Verification) -> dict[str, Any]:
    """The outcome of a verification as JSON."""
    return {
        "verified": result.verified,
        "documents": result.documents,
        "lines": result.lines,
        "recomputed_by": sorted(result.engines),
        "events_altered": result.events_altered,
        "findings": [asdict(finding) for finding in result.findings],
        "unproven": [{"document": document, "reason": reason} for document, reason in result.unproven],
    }


def _shown(value: Any) -> str:
    """A part of a document as findings show it: as JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
