"""The event: an immutable usage fact (who, what, when, properties), identified by its sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from farthing.core.base.time import Instant


@dataclass(frozen=True, slots=True)
class Event:
    """One usage fact as the log holds it.

    `at` is the instant of use in UTC microseconds and decides period and price version. `properties` is the whole payload
    without the customer, every value as text: strings as sent, JSON numbers in canonical decimal form, booleans as
    "true"/"false". `position` is its dense place in the log (1, 2, …) and decides what was known; 0 means not in the log yet.
    """

    identifier: str
    event_name: str
    customer: str
    at: Instant
    properties: Mapping[str, str]
    position: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """The fact that an earlier event counts no longer, as of this fact's own position."""

    target: str  # identifier of the event that is cancelled
    event_name: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Replace:
    """The fact that an earlier event was wrong and this one counts in its stead, as of the replacement's position."""

    target: str  # identifier of the event that is replaced
    event: Event  # the replacement, with an identifier of its own


Fact = Event | Cancel | Replace
