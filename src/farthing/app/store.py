"""What the verbs need of a store. The in-memory store and the Postgres store pass one contract suite (tests/store/).

A store is opened for one account and one mode (test or live) and never shows rows of another. All writes of one `transaction()`
become durable together, or none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pyarrow as pa

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval
from farthing.core.base.timeline import Version
from farthing.core.catalog.terms import Grant, PriceVersion
from farthing.core.contract.contract import Contract
from farthing.core.events.event import Event, Fact
from farthing.core.invoice.causes import LateFact
from farthing.core.invoice.invoice import Issued
from farthing.core.invoice.voids import Disposition
from farthing.core.ledger.periods import AccountingPeriod
from farthing.core.usage.meter import Meter


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch of facts: how many are new, how many were known already with the same content, and which were
    refused because their identifier is taken by other content (index in the batch, refusal). `head` is the log position
    after it: every fact of the batch that counts is at or below it."""

    accepted: int
    duplicates: int
    conflicts: tuple[tuple[int, Refusal], ...]
    head: int


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Effective events (not cancelled, not replaced) as known at log position `up_to`, of one name, with `at` in `span`.

    `customers` None means all. `by_customer` asks for the events of one customer after the other, in position order each, instead of all
    in position order. `carry` adds, for each customer and each combination of the properties in `carry_by` (absent is a value
    of its own), the latest event before the span, which time-weighted meters carry over. Where that event's `carry_number` is not plainly
    a number it adds the latest with a plain one as well, and one for each other text: the latest that can be read is among them.
    """

    event_name: str
    span: Interval
    up_to: int
    customers: tuple[str, ...] | None = None
    carry: bool = False
    carry_by: tuple[str, ...] = ()
    carry_number: str | None = None
    by_customer: bool = False


LoggedFact = LateFact
"""A fact as the log holds it, with the event it is about (None while that is unknown)."""


@dataclass(frozen=True, slots=True)
class AsideCount:
    """Events kept aside: accepted into the log, not billable as things stand."""

    reason: Literal["customer_unknown", "meter_unknown", "contract_missing"]
    event_name: str
    customer: str
    events: int
    first_at: Instant
    last_at: Instant


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the log took it, whether or not it still counts, and when it did (UTC microseconds; None if that was not said)."""

    event: Event
    recorded_at: Instant | None


class EventLog(Protocol):
    """The append-only log of usage facts."""

    def append(self, facts: Sequence[Fact], recorded_at: Instant | None = None) -> Receipt:
        """Put facts into the log, each identifier once; durable when it returns. Refusals are in the receipt, by index. `recorded_at` is
        when they came; it decides nothing."""
        ...

    def recorded(self, identifiers: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """The events that the log took under these identifiers, as they came; replacements are none."""
        ...

    def head(self) -> int:
        """The log position up to which the log is complete: no writer can still put a fact at or below it."""
        ...

    def events(self, query: EventQuery) -> Iterator[Event]:
        """The effective events of a query in its order, streamed."""
        ...

    def event_columns(self, query: EventQuery, properties: Sequence[str]) -> pa.RecordBatchReader:
        """The same events as columns: customer, position, at (int64 UTC micros) and each property as text (null if absent)."""
        ...

    def facts_between(self, after: int, up_to: int, customers: Sequence[str], before: Instant) -> Iterator[LoggedFact]:
        """The facts at positions (after, up_to] about these customers' events of times before an instant, in position order: the
        event that a fact brings or the one that it takes back is one of those."""
        ...

    def aside(self) -> Sequence[AsideCount]:
        """What is kept aside, counted."""
        ...

    def checkpoint(self, source: str) -> str | None:
        """How far a source (a file, by its identity) has been loaded; None if never."""
        ...

    def put_checkpoint(self, source: str, mark: str) -> None:
        """Remember how far a source has been loaded; durable together with the facts of the same transaction."""
        ...

    def altered(self) -> Iterator[str]:
        """Identifiers of events whose content is no longer what was accepted (compared with the id registry's hash)."""
        ...


@dataclass(frozen=True, slots=True)
class Void:
    """How a final document became void: whether what it billed is due again or given up, and why."""

    disposition: Disposition
    reason: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A draft or finalised document as it is kept. `content` is the canonical document that `digest` is over.

    `pins` say what it was computed from: {"position", "revision", "semantics", "tzdata", "engine"}. `number` is None on drafts.
    `void` says how it became void, where it did; it keeps its number and content.
    """

    id: str
    contract: str
    kind: Literal["invoice", "credit_note"]
    state: Literal["draft", "final", "void"]
    content: Mapping[str, Any]
    digest: str
    pins: Mapping[str, Any]
    number: str | None = None
    sequence: int | None = None  # order of finalisation within the account, dense
    void: Void | None = None

    @property
    def bills_period(self) -> bool:
        """Whether the period that it was made for is billed by it: an invoice of a whole period, unless it is void and due again."""
        whole = self.kind == "invoice" and self.pins.get("period") is not None and not self.pins["part"]
        return whole and (self.void is None or self.void.disposition == "waive")

    @property
    def ahead(self) -> Interval | None:
        """The period whose items in advance are billed by it: of an invoice that was made for one, unless it is void and due again."""
        span = self.pins.get("ahead") if self.kind == "invoice" else None
        return None if span is None or (self.void is not None and self.void.disposition == "reissue") else Interval(*span)

    @property
    def takes_back(self) -> bool:
        """Whether it only takes back amounts of final lines by decision: what else had become known then is left to the next bill."""
        return "taken_back" in self.pins

    @property
    def bills_anew(self) -> bool:
        """Whether it is the one bill that its period, or the items in advance of the next, have."""
        return self.bills_period or self.ahead is not None


@dataclass(frozen=True, slots=True)
class LinePayload:
    """A line beside its document, as the store indexes it by charge key. `content` is the line's canonical document."""

    id: str
    content: Mapping[str, Any]


class Catalogue(Protocol):
    """Customers, meters, prices and contracts, as versions. Every write takes the next revision and returns it."""

    def revision(self) -> int:
        """The revision up to which the catalogue is complete."""
        ...

    def put_customer(self, customer: str, document: Mapping[str, Any]) -> int:
        """Add a customer, or replace its document."""
        ...

    def put_meter(self, meter: Meter) -> int:
        """Add a meter; the same id with other content is refused (meters never change)."""
        ...

    def put_price(self, version: PriceVersion, effective: Interval) -> int:
        """Add a price version that holds over `effective`; overlaps override earlier-known versions there."""
        ...

    def put_contract(self, contract: Contract) -> int:
        """Add a contract, or (same id) what it changes: with one version it is declared anew, with more the versions that the store does not
        have yet are appended (`core/contract/declare.py`). The store sets their `revision`. Drafts of a contract that is declared anew
        go, and those computed before cannot become final."""
        ...

    def customers(self) -> Sequence[str]:
        """All customers, by id."""
        ...

    def contracts(self, customer: str | None = None) -> Sequence[Contract]:
        """Contracts with all their versions, by id."""
        ...

    def meters(self) -> Mapping[str, Meter]:
        """All meters by id."""
        ...

    def prices(self, lineages: Sequence[str] | None = None) -> Mapping[str, Sequence[Version[PriceVersion]]]:
        """All versions of price lineages, in order of revision."""
        ...

    def put_grant(self, customer: str, grant: Grant) -> None:
        """Grant a credit to a customer (`remaining` is its whole amount)."""
        ...

    def grants(self, customer: str) -> Sequence[Grant]:
        """A customer's grants with what remains of each."""
        ...


class Bills(Protocol):
    """Drafts, finalised documents, waivers, and the ledger."""

    def issued(self, contract: str) -> Sequence[Issued]:
        """What finalised documents have billed under a contract, by charge key."""
        ...

    def waived(self, contract: str) -> Mapping[str, int]:
        """Minor units given up on purpose, by charge key (its text form, `key_text`)."""
        ...

    def put_waiver(self, contract: str, key: str, amount: int, reason: str) -> None:
        """Record that an amount of a key is given up."""
        ...

    def save_drafts(self, contract: str, documents: Sequence[StoredDocument], lines: Mapping[str, Sequence[LinePayload]]) -> None:
        """Replace all drafts of a contract by these (one transaction)."""
        ...

    def drafts(self, contract: str | None = None) -> Sequence[StoredDocument]:
        """Drafts in order of creation."""
        ...

    def finalise(
        self, document: StoredDocument, lines: Sequence[LinePayload], postings: Sequence[Mapping[str, Any]], grants: Sequence[tuple[str, int]]
    ) -> str:
        """Make a draft final: gapless number, postings, and grants used, in one transaction; returns the number. Doing it
        again for a document that is already final changes nothing and returns its number."""
        ...

    def documents(self, contract: str | None = None, after: int = 0, bare: bool = False) -> Iterator[StoredDocument]:
        """Finalised documents in order of finalisation, void ones too: those behind the place `after` in it. `bare` ones come without
        their content (it is empty), for those who ask for what they were computed from only."""
        ...

    def document(self, number: str) -> StoredDocument | None:
        """The finalised document of that number."""
        ...

    def lines(self, document_id: str) -> Mapping[str, Mapping[str, Any]]:
        """The lines that are kept beside a final document: content by id, in order."""
        ...

    def void(
        self,
        document: StoredDocument,
        disposition: Disposition,
        reason: str,
        postings: Sequence[Mapping[str, Any]],
        waivers: Sequence[tuple[str, int]],
    ) -> bool:
        """Make a final document void, in one transaction: its entry is reversed by `postings`, the grants used on it are given back,
        and `waivers` (charge key's text, minor units) are recorded. False, and nothing changes, when it is void that way already.
        Errors: document_void, document_followed, and those of booking."""
        ...

    def postings(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """The postings of a final document, as they were given to `finalise`, in order; with `void_entry` of its id those of its void."""
        ...

    def closed_through(self) -> AccountingPeriod | None:
        """The last accounting period that is closed; None when all are open."""
        ...

    def line(self, line_id: str) -> tuple[StoredDocument, Mapping[str, Any]] | None:
        """A line by id (`<document number or id>:<n>`), with its document."""
        ...


def void_entry(document_id: str) -> str:
    """The name of the ledger entry, and of the uses of grants, that a document's void makes."""
    return f"{document_id}:void"


class Store(EventLog, Catalogue, Bills, Protocol):
    """All of it, for one account and mode."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside becomes durable together, or not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come; `total` None when unknown."""

    what: str
    done: int
    total: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
