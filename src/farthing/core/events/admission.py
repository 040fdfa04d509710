"""Which facts the log takes: each identifier, each cancellation and each target's replacement once. What it takes counts by log.py."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from farthing.core.events.refusals import cancel_names_other_event, identifier_conflict, replaced_already, replacement_circular


def closes_circle(replacements: Mapping[str, str], target: str, identifier: str) -> bool:
    """Whether `target`, replaced by `identifier`, would come to replace itself, given what was replaced by what (without a circle)."""
    last: str | None = identifier
    while last is not None and last != target:
        last = replacements.get(last)
    return last is not None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a fact asks of the log. An event brings an `identifier`, a cancellation names a `target`, a replacement does both.

    `content` is equal for equal facts only; the store chooses its form (a hash, or the fact itself).
    """

    identifier: str | None
    target: str | None
    event_name: str
    content: Hashable


@dataclass(slots=True)
class Admission:
    """What the log holds already, as far as the facts at hand may meet it."""

    identifiers: dict[str, tuple[Hashable, str]] = field(default_factory=dict)  # → (content, event_name)
    cancels: set[tuple[str, str]] = field(default_factory=set)  # (target, event_name)
    replacements: dict[str, str] = field(default_factory=dict)  # target → identifier; all that follow on those at hand, too

    def admit(self, claim: Claim) -> bool:
        """Take a fact if the log can: True when it is new, False when it is known with the same content.

        Errors: identifier_conflict, event_replaced_already, replacement_circular, cancel_names_other_event; then nothing has changed.
        """
        if claim.identifier is None:
            return self._admit_cancel(claim)
        known = self.identifiers.get(claim.identifier)
        if known is not None:
            if known[0] != claim.content:
                raise identifier_conflict(claim.identifier)
            return False
        if claim.target is not None:
            if claim.target in self.replacements:
                raise replaced_already(claim.target, self.replacements[claim.target])
            if closes_circle(self.replacements, claim.target, claim.identifier):
                raise replacement_circular(claim.target, claim.identifier)
            self.replacements[claim.target] = claim.identifier
        self.identifiers[claim.identifier] = (claim.content, claim.event_name)
        return True

    def _admit_cancel(self, claim: Claim) -> bool:
        target = claim.target or ""
        if (target, claim.event_name) in self.cancels:
            return False
        known = self.identifiers.get(target)
        if known is not None and known[1] != claim.event_name:
            raise cancel_names_other_event(target, claim.event_name, known[1])
        self.cancels.add((target, claim.event_name))
        return True
