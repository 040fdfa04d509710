"""The rule that makes every bill: a key is billed what it should come to, less what was billed, is pending, or was waived.

Pending is what this very run puts on its documents: drafts of earlier runs are replaced by it, so that nothing else is pending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey
from farthing.core.invoice.derivation import fixed_derivation
from farthing.core.invoice.document import key_text
from farthing.core.invoice.invoice import Cause, Desired, Issued, Line

Causes = Callable[[ChargeKey], tuple[Cause, ...]]
CAUSES_LISTED = 100


def difference(
    desired: Iterable[Desired],
    issued: Iterable[Issued],
    waived: Mapping[str, int],
    charged: Callable[[ChargeKey], bool],
    causes: Causes,
    part: Interval | None = None,
) -> tuple[Line, ...]:
    """One line for each key whose desired amount is not what has been issued and waived; then the books must agree.

    A key that is `charged` now gets a charge, even of zero if it was never billed before, or billed in part under other discounts or
    tax rates. Any other is of a period already billed and gets a
    correction at that period's terms, and none of zero; a key issued before and desired no longer is reversed. On a bill of the `part` of
    a period so far, what would lower the keys of the period waits for its final bill.
    `waived` is by `key_text`. Errors: AssertionError, a fault of Farthing.
    """
    run = _Run({one.key: one for one in issued}, waived, causes)
    wanted = {}
    for want in desired:
        wanted[want.key] = want.amount
        if charged(want.key):
            run.charge(want, part is not None)
        else:
            run.correct(want)
    for key in run.issued:
        if key not in wanted and not (part is not None and key.segment.overlap(part)):
            wanted[key] = 0
            run.reverse(key)
    assert_settled(wanted, issued=run.issued, lines=run.lines, waived=waived, waiting=run.waiting)
    return tuple(run.lines)


def due_in_all(amount: int, waived: int, billed: int) -> int:
    """What is to be billed for a key in all, of what it should come to. A waiver brings it towards zero and never beyond: what nobody
    paid is never paid back. A waiver below zero (of what would be paid back) keeps what was `billed` and never bills more."""
    if waived >= 0:
        return max(amount - waived, min(amount, 0))
    return max(amount, min(amount - waived, max(billed, 0)))


def assert_settled(
    wanted: Mapping[ChargeKey, int],
    issued: Mapping[ChargeKey, Issued],
    lines: Iterable[Line],
    waived: Mapping[str, int],
    waiting: Iterable[ChargeKey] = (),
) -> None:
    """After a run desired == issued + pending + waived for every key that does not wait for a final bill. Errors: AssertionError."""
    settled = {key: one.amount for key, one in issued.items()}
    for line in lines:
        settled[line.key] = settled.get(line.key, 0) + line.amount
    for key in wanted.keys() - set(waiting):
        billed = issued[key].amount if key in issued else 0
        should = due_in_all(wanted[key], waived.get(key_text(key), 0), billed)
        if settled.get(key, 0) != should:
            raise AssertionError(f"{key_text(key)}: should be billed {should} in all, but {settled.get(key, 0)} is issued and pending")


@dataclass(slots=True)
class _Run:
    """The lines so far."""

    issued: Mapping[ChargeKey, Issued]
    waived: Mapping[str, int]
    causes: Causes
    lines: list[Line] = field(default_factory=list)
    waiting: list[ChargeKey] = field(default_factory=list)

    def due(self, key: ChargeKey, amount: int) -> int:
        billed = self.issued[key].amount if key in self.issued else 0
        return due_in_all(amount, self.waived.get(key_text(key), 0), billed) - billed

    def charge(self, want: Desired, part: bool) -> None:
        due, before = self.due(want.key, want.amount), self.issued.get(want.key)
        if part and due < 0:
            self.waiting.append(want.key)
        elif due or (not part and (before is None or _bound_otherwise(want, before))):
            line = _line(want, due, before)
            self._add(replace(line, issued=before, corrects=None if before is None or due > 0 else before.document))

    def correct(self, want: Desired) -> None:
        due = self.due(want.key, want.amount)
        if due:
            line = _line(want, due, self.issued.get(want.key))
            self._add(_correcting(line, self.issued.get(want.key) or _never_issued(want), self.causes(want.key)))

    def reverse(self, key: ChargeKey) -> None:
        before = self.issued[key]
        if due := self.due(key, 0):
            want = Desired(key, before.description, before.service, Fraction(0), Fraction(0), 0, fixed_derivation(key, 0))
            self._add(_correcting(_line(want, due, before), before, self.causes(key)))

    def _add(self, line: Line) -> None:
        before = self.issued.get(line.key)
        self.lines.append(replace(line, previously=0 if before is None else before.amount))


def _bound_otherwise(want: Desired, before: Issued) -> bool:
    """Whether discounts or tax rates at the end of the period are others than its parts were charged with: then the period's own bill has
    a line even where nothing is left to bill, for what the whole key carries."""
    return (want.discounts, want.tax_rates) != (before.discounts, before.tax_rates)


def _line(want: Desired, due: int, before: Issued | None) -> Line:
    return Line(
        kind="charge",
        key=want.key,
        description=want.description,
        service=want.service,
        quantity=want.quantity - (0 if before is None else before.quantity),
        exact=want.exact - (0 if before is None else before.exact),
        amount=due,
        derivation=want.derivation,
        discounts=want.discounts,
        tax_rates=want.tax_rates,
    )


def _correcting(line: Line, before: Issued, causes: tuple[Cause, ...]) -> Line:
    """The line as a correction, bound to the discounts and tax rates that the key was charged at."""
    return replace(
        line,
        kind="correction",
        discounts=before.discounts,
        tax_rates=before.tax_rates,
        corrects=before.document or None,
        causes=causes[:CAUSES_LISTED],
        causes_more=len(causes[CAUSES_LISTED:]),
        issued=before,
    )


def _never_issued(want: Desired) -> Issued:
    """What was billed for a key of an earlier period that is new: nothing, bound to the discounts and tax rates of that period."""
    nothing, taxes = Fraction(0), tuple((rate.id, 0, 0) for rate in want.tax_rates)
    names = (want.key, want.description, want.service)
    return Issued(*names, nothing, nothing, 0, 0, want.discounts, want.tax_rates, document="", taxes=taxes)
