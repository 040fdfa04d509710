"""The rule that makes every bill: a key is billed what it should come to, less what was billed, is pending, or was waived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from farthing.core.base.rounding import RoundingMode
from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey
from farthing.core.invoice.document import key_text
from farthing.core.invoice.invoice import Cause, Desired, Issued, Line
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import rated_document

Causes = Callable[[ChargeKey, Desired | None], tuple[Cause, ...]]
CAUSES_LISTED = 100


def difference(
    desired: Iterable[Desired], issued: Iterable[Issued], waived: Mapping[str, int], current: Interval | None, causes: Causes, part: bool = False
) -> tuple[Line, ...]:
    """One line for each key whose desired amount is not what has been issued and waived; then the books must agree.

    A key of the `current` period that was never billed gets its line even at zero. A key issued before and desired no longer is
    reversed. A key of a period already billed gets a correction at that period's terms. With `part` (a bill inside the period)
    negative differences of the current period wait for the final bill. `waived` is by `key_text`.
    """
    wanted = {one.key: one for one in desired}
    before = {one.key: one for one in issued}
    held = 0
    lines: list[Line] = []
    for key, want in wanted.items():
        due = want.amount - _amount(before.get(key)) - waived.get(key_text(key), 0)
        now = current is not None and want.service.overlap(current) is not None
        if part and now and due < 0:
            held += 1
        elif due or (now and key not in before):
            lines.append(_line(want, before.get(key), due, now, causes))
    gone = [one for key, one in before.items() if key not in wanted]
    reversals = [_reversal(one, waived, causes) for one in gone]
    lines.extend(line for line in reversals if line.amount)
    if not held:
        assert_settled(wanted.values(), before.values(), waived, lines)
    return tuple(lines)


def assert_settled(desired: Iterable[Desired], issued: Iterable[Issued], waived: Mapping[str, int], lines: Iterable[Line]) -> None:
    """After a run desired == issued + pending + waived for every key. Errors: AssertionError, which is a fault of Farthing."""
    settled: dict[ChargeKey, int] = {one.key: one.amount for one in issued}
    for line in lines:
        settled[line.key] = settled.get(line.key, 0) + line.amount
    should = {one.key: one.amount for one in desired}
    for key in settled.keys() | should.keys():
        covered = settled.get(key, 0) + waived.get(key_text(key), 0)
        if covered != should.get(key, 0):
            raise AssertionError(f"{key_text(key)}: should come to {should.get(key, 0)}, but {covered} is issued, pending and waived")


def _amount(issued: Issued | None) -> int:
    return 0 if issued is None else issued.amount


def _line(want: Desired, before: Issued | None, due: int, now: bool, causes: Causes) -> Line:
    found = () if now else causes(want.key, want)
    correction = before is not None and not now
    return Line(
        kind="correction" if correction else "charge",
        key=want.key,
        description=want.description,
        service=want.service,
        quantity=want.quantity - (before.quantity if before is not None else 0),
        exact=want.exact - (before.exact if before is not None else 0),
        amount=due,
        derivation=want.derivation,
        discounts=before.discounts if correction and before else want.discounts,
        tax_rates=before.tax_rates if correction and before else want.tax_rates,
        previously=_amount(before),
        corrects=before.document if correction and before else None,
        causes=found[:CAUSES_LISTED],
        causes_more=len(found[CAUSES_LISTED:]),
        issued=before if correction else None,
    )


def _reversal(before: Issued, waived: Mapping[str, int], causes: Causes) -> Line:
    found = causes(before.key, None)
    return Line(
        kind="correction",
        key=before.key,
        description=before.description,
        service=before.service,
        quantity=-before.quantity,
        exact=-before.exact,
        amount=-before.amount - waived.get(key_text(before.key), 0),
        derivation=_nothing(before),
        discounts=before.discounts,
        tax_rates=before.tax_rates,
        previously=before.amount,
        corrects=before.document,
        causes=found[:CAUSES_LISTED],
        causes_more=len(found[CAUSES_LISTED:]),
        issued=before,
    )


def _nothing(before: Issued) -> Mapping[str, Any]:
    """The derivation of a key that is no longer agreed: it comes to nothing."""
    zero = Fraction(0)
    rated = Rated("", before.key.currency, (), zero, None, zero, RoundingMode.HALF_AWAY, 0)
    return {
        "price": {"id": "", "lineage": before.key.price, "model": "", "digest": ""},
        "meter": None,
        "metered": None,
        "quantity": None,
        "share": "1",
        "rated": rated_document(rated),
        "exact": "0",
        "amount": 0,
        "position": None,
    }
