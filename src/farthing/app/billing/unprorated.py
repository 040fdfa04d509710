"""Changes without proration: what is billed in advance stays agreed up to the end of the period, what is metered changes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farthing.app.billing.contracts import NOTHING
from farthing.core.base.time import Instant, Interval
from farthing.core.base.timeline import overlay, within
from farthing.core.contract.contract import Agreement, Contract

Versions = Sequence[tuple[Instant, Agreement]]


def unprorated(contract: Contract, rest: Interval, wanted: Versions) -> list[tuple[Instant, Agreement]]:
    """The agreements from the start of `rest` on, of which the contract's items in advance stay as they are over `rest`, all else is as
    `wanted`: agreements in order, each from its instant on, the first from the start of `rest`.

    So nothing that was billed in advance is given back or billed again: no line comes of the change.
    """
    known = max((version.revision for version in contract.versions), default=0)
    held = within(overlay(contract.versions, known), rest)
    starts = sorted({rest.start, *(span.interval.start for span in held), *(at for at, _ in wanted if at in rest)})
    found = []
    for at in starts:
        before = next((span.value for span in held if at in span.interval), NOTHING)
        after = _latest(wanted, at)
        kept = (item for item in before.items if item.in_advance)
        found.append((at, replace(after, items=(*kept, *(item for item in after.items if not item.in_advance)))))
    return [*found, (rest.end, _latest(wanted, rest.end)), *((at, agreement) for at, agreement in wanted if at > rest.end)]


def _latest(versions: Versions, at: Instant) -> Agreement:
    return [agreement for start, agreement in versions if start <= at][-1]
