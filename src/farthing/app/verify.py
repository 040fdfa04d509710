"""Prove final bills: compute each again, from the log as it was known, by the path that did not produce it, and compare.

Compared are every line, the digests, the stored lines beside their document, and the ledger's postings; and the events in the log
with what was accepted. A line that only one path can compute is unproven; verified means that nothing differs and none is unproven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farthing.app.bill import line_payloads, news_between, originals_of, read_pins
from farthing.app.raters import Rater
from farthing.app.store import Progress, Store, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval
from farthing.core.contract.contract import Contract
from farthing.core.contract.resolve import Shelf
from farthing.core.flow import Facts, bill, over_term, postings_for
from farthing.core.invoice.causes import News
from farthing.core.invoice.document import content_digest, document_content, issued_from, read_document
from farthing.core.invoice.invoice import Issued, Line
from farthing.core.ledger.periods import read_period
from farthing.core.ledger.postings import posting_document


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


def verify(store: Store, raters: Mapping[str, Rater], on_progress: Callable[[Progress], None]) -> Verification:
    """Verify every final document of the account. `raters` are by engine; a document made by one is computed again by another."""
    result = Verification()
    result.events_altered.extend(store.altered())
    shelf = Shelf(store.prices(), store.meters(), over_term)
    contracts = store.contracts()
    for done, contract in enumerate(contracts):
        on_progress(Progress("verifying", done, len(contracts)))
        _verify_contract(store, contract, shelf, raters, result)
    on_progress(Progress("verifying", len(contracts), len(contracts)))
    return result


def _verify_contract(store: Store, contract: Contract, shelf: Shelf, raters: Mapping[str, Rater], result: Verification) -> None:
    done: list[StoredDocument] = []
    for run in runs(store.documents(contract.id)):
        for stored in run:
            _check_stored(store, stored, result)
        pins = run[0].pins
        rater = next(rater for engine, rater in raters.items() if engine != pins["engine"])
        _recompute(_facts(store, contract, shelf, pins, done), rater, run, result)
        done.extend(run)


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


def _check_stored(store: Store, stored: StoredDocument, result: Verification) -> None:
    """The document against itself: its digest, its lines beside it, and its postings."""
    number = stored.number or stored.id
    result.documents += 1
    result.lines += len(stored.content["lines"])
    digest = content_digest(stored.content)
    if digest != stored.digest:
        result.findings.append(Finding(number, 0, "digest", stored.digest, digest))
    for n, payload in enumerate(line_payloads(stored), start=1):
        kept = store.line(payload.id)
        _compare(number, n, {} if kept is None else kept[1], payload.content, result)
    postings = sorted(repr(sorted(posting.items())) for posting in store.postings(stored.id))
    expected = _expected_postings(store, stored)
    if postings != expected:
        result.findings.append(Finding(number, 0, "postings", repr(postings), repr(expected)))


def _expected_postings(store: Store, stored: StoredDocument) -> list[str]:
    """What the document books, in the accounting period that it was booked in; why it cannot be booked where it does not add up."""
    booked = store.postings(stored.id)
    try:
        period = read_period(booked[0]["period"] if booked else "1970-01")
        postings = postings_for(read_document(stored.content), period)
    except ValueError as error:
        return [str(error)]
    return sorted(repr(sorted(posting_document(posting).items())) for posting in postings)


def _recompute(facts: Facts, rater: Rater, run: Sequence[StoredDocument], result: Verification) -> None:
    result.engines.add(rater.engine)
    numbers = ", ".join(stored.number or stored.id for stored in run)
    rater.outside.clear()
    try:
        again = bill(facts, lambda terms: rater.rate(terms, facts.position))
    except (Refusal, AssertionError) as error:
        result.findings.append(Finding(numbers, 0, "bill", "final", str(error)))
        return
    result.unproven.extend((numbers, reason) for reason in rater.outside)
    if len(again) != len(run):
        result.findings.append(Finding(numbers, 0, "documents", str(len(run)), str(len(again))))
    for stored, document in zip(run, again, strict=False):
        number, content = stored.number or stored.id, document_content(document)
        _compare(number, 0, _whole(stored.content), _whole(content), result)
        for n in range(1, max(len(stored.content["lines"]), len(content["lines"])) + 1):
            _compare(number, n, _nth(stored.content, n), _nth(content, n), result)
        if content_digest(content) != stored.digest:
            result.findings.append(Finding(number, 0, "digest", stored.digest, content_digest(content)))


def _facts(store: Store, contract: Contract, shelf: Shelf, pins: Mapping[str, Any], done: Sequence[StoredDocument]) -> Facts:
    """What the run knew: the pins, what had been billed before it, and what was news to it."""
    known = read_pins(pins)
    spans: list[Interval] = [*known["earlier"], *([known["period"]] if known["period"] else [])]
    issued = [one for one in issued_of(done) if any(one.key.segment.overlap(span) for span in spans)]
    news = _news(store, contract, shelf, pins, done)
    return Facts(contract=contract, shelf=shelf, issued=tuple(issued), originals=originals_of(done), news=news, **known)


def _news(store: Store, contract: Contract, shelf: Shelf, pins: Mapping[str, Any], done: Sequence[StoredDocument]) -> News:
    if not done:
        return News()
    before = done[-1].pins
    return news_between(store, contract, shelf, (before["position"], before["revision"]), (pins["position"], pins["revision"]))


def issued_of(documents: Sequence[StoredDocument]) -> tuple[Issued, ...]:
    """What final documents have billed, by charge key, in order of first billing."""
    by_key: dict[Any, list[tuple[str, Line]]] = {}
    for stored in documents:
        for line in read_document(stored.content).lines:
            by_key.setdefault(line.key, []).append((stored.number or stored.id, line))
    return tuple(issued_from(lines) for lines in by_key.values())


def _whole(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "lines"}


def _nth(content: Mapping[str, Any], n: int) -> Mapping[str, Any]:
    lines = content["lines"]
    return lines[n - 1] if n <= len(lines) else {}


def _compare(number: str, line: int, stored: Mapping[str, Any], again: Mapping[str, Any], result: Verification) -> None:
    for name in sorted(stored.keys() | again.keys()):
        if stored.get(name) != again.get(name):
            result.findings.append(Finding(number, line, name, repr(stored.get(name)), repr(again.get(name))))
