"""Load an event file into the log: batch by batch, resumable after a crash at any point, every refused row named.

Facts and the mark of how far the file has been read become durable together; reading on from the mark after a crash neither
skips nor repeats a row. Even without the mark nothing would count twice: the id registry sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from farthing.app.store import Progress, Store
from farthing.core.base.refusal import Refusal
from farthing.core.events.event import Fact

BATCH_ROWS = 5_000


class RejectedRow(Protocol):
    """A row that was refused, with its place, the reason, and the row as it was."""

    @property
    def refusal(self) -> Refusal:
        """Why."""


class AcceptedRow(Protocol):
    """A row that states a fact."""

    @property
    def fact(self) -> Fact:
        """What it states."""

    def refused(self, refusal: Refusal) -> RejectedRow:
        """The same row, refused by the log."""


class Mark(Protocol):
    """How far a source has been read."""

    def text(self) -> str:
        """The mark as text to keep."""


class FileBatch(Protocol):
    """Consecutive rows of a source, the mark behind them, and how much of the source's total is done."""

    @property
    def accepted(self) -> Sequence[AcceptedRow]:
        """Rows that state facts."""

    @property
    def rejected(self) -> Sequence[RejectedRow]:
        """Rows that were refused."""

    @property
    def after(self) -> Mark:
        """From where to read on."""

    @property
    def done(self) -> int:
        """How much is read, in the unit of `Source.total`."""


class Source(Protocol):
    """An event file, opened. Its fingerprint changes when its content does: a mark is good only for what it was made on."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def fingerprint(self) -> str:
        """What its content is known by."""

    @property
    def total(self) -> int:
        """How much there is to read."""

    def mark(self, text: str | None) -> Any:
        """The mark that was kept as text; None is the start. Errors: file_changed."""

    def batches(self, size: int, start_after: Any) -> Iterator[FileBatch]:
        """Batches of up to `size` rows behind a mark."""


class Rejects(Protocol):
    """Where refused rows go, each with its line, field and reason; durable when `write` returns."""

    def write(self, rejected: Iterable[Any]) -> None:
        """Add rows."""

    def close(self) -> None:
        """No more rows come."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one run did with a source: rows accepted as new facts, known already, and refused; `head` is the log position after it.
    `resumed` says that an earlier run had read a part of it."""

    name: str
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    head: int = 0
    resumed: bool = False


def ingest(
    store: Store, source: Source, open_rejects: Callable[[Any], Rejects], on_progress: Callable[[Progress], None], size: int = BATCH_ROWS
) -> Loaded:
    """Load a source from where its last run came to. `open_rejects` opens the reject file, given the mark that is read on from.

    Errors: those of reading the source and of the database; what was loaded until then stays, and the next run goes on from there.
    """
    kept = store.checkpoint(_key(source))
    start = source.mark(kept)
    rejects = open_rejects(start)
    loaded = Loaded(source.name, head=store.head(), resumed=kept is not None)
    try:
        for batch in source.batches(size, start):
            loaded = _load(store, source, rejects, batch, loaded)
            on_progress(Progress(source.name, batch.done, source.total, {"accepted": loaded.accepted, "refused": loaded.refused}))
    finally:
        rejects.close()
    return loaded


def _load(store: Store, source: Source, rejects: Rejects, batch: FileBatch, loaded: Loaded) -> Loaded:
    """One batch: the rejects first, then facts and mark as one change, so that a crash between them rejects again, never loses."""
    with store.transaction():
        store.put_checkpoint(_key(source), batch.after.text())
        receipt = store.append([row.fact for row in batch.accepted])
        taken = [batch.accepted[index].refused(refusal) for index, refusal in receipt.conflicts]
        rejects.write([*batch.rejected, *taken])
    return replace(
        loaded,
        accepted=loaded.accepted + receipt.accepted,
        duplicates=loaded.duplicates + receipt.duplicates,
        refused=loaded.refused + len(batch.rejected) + len(taken),
        head=receipt.head,
    )


def _key(source: Source) -> str:
    return f"{source.name} {source.fingerprint}"
