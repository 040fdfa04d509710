"""A contract document applied again: what it may change of the contract that is there, and the versions that it adds.

While nothing was billed under the contract, everything may change. Afterwards only the end may move, and never through a period (or
term) that was billed: what was billed keeps its keys and its shares. What is agreed can change at any time; where amendments came in
between, by an amendment only, so that none is overridden unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, show_instant
from farthing.core.base.timeline import Version, overlay, within
from farthing.core.contract.amend import check_advance, check_tax_kinds
from farthing.core.contract.contract import Agreement, Contract, additions
from farthing.core.contract.parse import agreement_document, contract_document
from farthing.core.contract.refusals import CONTRACT_AMENDED, CONTRACT_CHANGED, CONTRACT_END_BILLED


@dataclass(frozen=True, slots=True)
class Declaration:
    """The agreement that the last contract document declared, and the revision from which that is known."""

    revision: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Change:
    """What a contract given again changes: the versions to add, and whether it is declared anew (customer, span, periods, agreement)."""

    versions: tuple[Version[Agreement], ...] = ()
    declared: bool = False


def declaration(known: Contract) -> Declaration:
    """What the first document of a contract declared: its first version."""
    first = min(known.versions, key=lambda version: version.revision, default=None)
    return Declaration(0, Agreement(())) if first is None else Declaration(first.revision, first.value)


def changed_fields(known: Contract, given: Contract) -> list[str]:
    """The fields that differ, by name, versions aside."""
    old, new = contract_document(known), contract_document(given)
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def given_again(known: Contract, last: Declaration, given: Contract, billed: Sequence[Interval]) -> Change:
    """What a contract given again changes of the known one. With one version it is a contract as a document declares it; with more it
    is the known contract with what an amendment adds behind its versions (see `additions`).

    `billed` are the periods of all final documents of the contract. Errors: contract_changed, contract_end_billed, contract_amended,
    contract_tax_rate_changed, contract_advance_changed.
    """
    fields = changed_fields(known, given)
    if len(given.versions) != 1:
        if fields:
            raise _changed(known, fields)
        return Change(additions(known.versions, given.versions))
    agreement = given.versions[0].value
    if agreement == last.agreement and not fields:
        return Change()
    _check_billed(known, given, fields, billed)
    if agreement == last.agreement:
        return Change(tuple(_prolonged(known, given.active, agreement)), True)
    if any(version.revision > last.revision for version in known.versions):
        message = f"contract {known.id!r} has been amended since it was declared with other {_differing(last.agreement, agreement)}."
        raise Refusal(CONTRACT_AMENDED, message, _differing(last.agreement, agreement))
    if billed:
        check_tax_kinds(known, agreement.tax_rates)
        check_advance(known, agreement.items)
    return Change((Version(given.active, 0, agreement),), True)


def _check_billed(known: Contract, given: Contract, fields: Sequence[str], billed: Sequence[Interval]) -> None:
    """Whether the fields may change; the end may, where each billed period and term stays as long as it was."""
    if not billed or not fields:
        return
    if fields != ["ends_at"]:
        raise _changed(known, [field for field in fields if field != "ends_at"])
    recurrences = [known.billing] if known.term is None else [known.billing, known.term]
    for whole in (whole for period in billed for each in recurrences for whole in each.periods_within(period)):
        if whole.overlap(known.active) != whole.overlap(given.active):
            span = f"{show_instant(whole.start)} to {show_instant(whole.end)}"
            raise Refusal(CONTRACT_END_BILLED, f"contract {known.id!r} has been billed for {span}, which would get another length.", "ends_at")


def _changed(known: Contract, fields: Sequence[str]) -> Refusal:
    return Refusal(CONTRACT_CHANGED, f"contract {known.id!r} has another {', '.join(fields)}.", fields[0])


def _prolonged(known: Contract, active: Interval, declared: Agreement) -> Iterator[Version[Agreement]]:
    """The parts of a span in which nothing was ever said to be agreed: what holds before goes on there, at the start what was declared."""
    latest = max((version.revision for version in known.versions), default=0)
    reached, agreed = active.start, declared
    for span in within(overlay(known.versions, latest), active):
        if span.interval.start > reached:
            yield Version(Interval(reached, span.interval.start), 0, agreed)
        reached, agreed = span.interval.end, span.value
    if reached < active.end:
        yield Version(Interval(reached, active.end), 0, agreed)


def _differing(old: Agreement, new: Agreement) -> str:
    before, after = agreement_document(old), agreement_document(new)
    return next(name for name in before if before[name] != after[name])
