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

    `customers` None means all. `carry` adds, for each customer and each combination of the properties in `carry_by`, the latest
    event before the span, which time-weighted meters carry over.
    """

    event_name: str
    span: Interval
    up_to: int
    customers: tuple[str, ...] | None = None
    carry: bool = False
    carry_by: tuple[str, ...] = ()


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


class EventLog(Protocol):
    """The append-only log of usage facts."""

    def append(self, facts: Sequence[Fact]) -> Receipt:
        """Put facts into the log, each identifier once; durable when it returns. Refusals are in the receipt, by index."""
        ...

    def head(self) -> int:
        """The log position up to which the log is complete: no writer can still put a fact at or below it."""
        ...

    def events(self, query: EventQuery) -> Iterator[Event]:
        """The effective events of a query in position order, streamed."""
        ...

    def event_columns(self, query: EventQuery, properties: Sequence[str]) -> pa.RecordBatchReader:
        """The same events as columns: customer, position, at (int64 UTC micros) and each property as text (null if absent)."""
        ...

    def facts_between(self, after: int, up_to: int, customer: str) -> Iterator[LoggedFact]:
        """The facts about a customer's events at positions (after, up_to], in position order."""
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
class StoredDocument:
    """A draft or finalised document as it is kept. `content` is the canonical document that `digest` is over.

    `pins` say what it was computed from: {"position", "revision", "semantics", "tzdata", "engine"}. `number` is None on drafts.
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
        """Add a contract with its first agreement, or (same id) append the versions that the store does not have yet; their
        `revision` is set by the store."""
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

    def documents(self, contract: str | None = None) -> Iterator[StoredDocument]:
        """Finalised documents in order of finalisation."""
        ...

    def postings(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """The postings of a final document, as they were given to `finalise`, in order."""
        ...

    def closed_through(self) -> AccountingPeriod | None:
        """The last accounting period that is closed; None when all are open."""
        ...

    def line(self, line_id: str) -> tuple[StoredDocument, Mapping[str, Any]] | None:
        """A line by id (`<document number or id>:<n>`), with its document."""
        ...


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
