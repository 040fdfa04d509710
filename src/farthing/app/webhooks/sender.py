"""What deliveries need of the world outside: somebody who posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of posting: the status of the answer, or the reason why there was none."""

    status: int | None = None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it: any status from 200 to 299."""
        return self.status is not None and 200 <= self.status <= 299


class Sender(Protocol):
    """Posts to addresses of strangers. Never raises: what goes wrong is an outcome."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post a body once, within a bounded time, following no redirect."""
        ...
