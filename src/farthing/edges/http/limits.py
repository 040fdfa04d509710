"""How many requests a key may make: a bucket for each, refilled steadily."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from farthing.core.base.refusal import Refusal
from farthing.edges.http.refusals import RATE_LIMITED

MOST_KEYS = 10_000


class RateLimit:
    """At most `rate` requests a second for each key, and `burst` at once. Safe for many threads; times are seconds of a monotonic clock."""

    def __init__(self, rate: int, burst: int, clock: Callable[[], int]) -> None:
        """`clock` is in nanoseconds and never goes back."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._full = burst * 1_000_000_000
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[int, int]] = OrderedDict()  # key → (billionths of requests that are left, when)

    def take(self, key: str) -> None:
        """Count a request of a key. Errors: rate_limit."""
        with self._lock:
            now = self._clock()
            left, before = self._buckets.pop(key, (self._full, now))
            left = min(self._full, left + (now - before) * self._rate)
            refused = left < 1_000_000_000
            self._buckets[key] = (left if refused else left - 1_000_000_000, now)
            if len(self._buckets) > MOST_KEYS:  # the one that was used longest ago: its bucket is full again long since
                self._buckets.popitem(last=False)
        if refused:
            raise Refusal(RATE_LIMITED, f"the key has made more than {self._rate} requests a second ({self._burst} at once).")
