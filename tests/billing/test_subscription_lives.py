"""Subscriptions through random lives: whatever is done to them, in whatever order, the books agree."""

from __future__ import annotations

from typing import Any

from billing_lives import DAY, HOUR, INTERVALS, LICENSED, METERED, Life, check, check_settled, second, shown, worth
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from farthing.app.raters import CoreRater, KernelRater
from farthing.app.verify import verify
from farthing.core.base.refusal import Refusal

STARTS = ("2026-01-31T10:00", "2026-01-29T23:59:59", "2024-02-29T00:00", "2026-04-30T12:00", "2026-03-15T08:30")
INTERVAL = st.sampled_from(["month", "month", "week", "3 days", "year"])
ITEMS = st.dictionaries(st.sampled_from([*LICENSED, *METERED]), st.integers(0, 9), min_size=1, max_size=3)
BEHAVIOR = st.sampled_from(["create_prorations", "always_invoice", "none"])
LENGTHS = {"month": 30 * DAY, "week": 7 * DAY, "3 days": 3 * DAY, "year": 365 * DAY}
METHOD = st.sampled_from(["pm_card_visa", None])
BACK = st.one_of(st.none(), st.integers(-DAY, 3 * DAY))
REFUSED = {"subscription_time_out_of_range", "subscription_item_twice"}


class Lives(RuleBasedStateMachine):
    """A customer with one or two subscriptions."""

    life: Life

    @initialize(start=st.sampled_from(STARTS), method=METHOD, interval=INTERVAL, items=ITEMS, trial=st.sampled_from([0, 0, 2, 14]))
    def born(self, start: str, method: str | None, interval: str, items: dict[str, int], trial: int) -> None:
        self.life = Life(second(start), method)
        self.life.begin(interval, items, **({"trial_period_days": trial} if trial else {}))

    @precondition(lambda self: len(self.life.subscriptions) < 2)
    @rule(interval=INTERVAL, items=ITEMS, ahead=st.integers(0, 6), back=st.integers(0, 12))
    def another(self, interval: str, items: dict[str, int], ahead: int, back: int) -> None:
        anchor = {"billing_cycle_anchor": self.life.at + ahead * DAY} if ahead else {}
        since = {"backdate_start_date": self.life.at - back * DAY} if back > 6 else {}
        self._try(lambda: self.life.begin(interval, items, **anchor, **since))

    @precondition(lambda self: self.life.alive())
    @rule(which=st.integers(0, 1), interval=st.one_of(st.none(), INTERVAL), items=ITEMS, behavior=BEHAVIOR, back=BACK)
    def changed(self, which: int, interval: str | None, items: dict[str, int], behavior: str, back: int | None) -> None:
        id_ = self._one(which)
        interval = interval or self._interval(id_)
        entries = self.life.entries(id_, interval, items)
        dated = {} if back is None else {"proration_date": self.life.at - back}
        before, same = worth(self.life), interval == self._interval(id_)
        self._try(lambda: self.life.change(id_, items=entries, proration_behavior=behavior, **dated))
        if behavior == "none" and same:
            assert worth(self.life) == before

    @precondition(lambda self: self.life.alive())
    @rule(which=st.integers(0, 1), change=st.sampled_from(["at_end", "stays", "at", "anchor", "trial_end"]), days=st.integers(1, 20))
    def set_otherwise(self, which: int, change: str, days: int) -> None:
        id_ = self._one(which)
        trialing = self.life.row(id_).document["status"] == "trialing"
        ways: dict[str, dict[str, Any]] = {
            "at_end": {"cancel_at_period_end": True},
            "stays": {"cancel_at_period_end": False, "cancel_at": None},
            "at": {"cancel_at": self.life.at + days * DAY},
            "anchor": {} if trialing else {"billing_cycle_anchor": {"type": "now"}},
            "trial_end": {"trial_end": "now" if days % 2 else self.life.at + days * DAY} if trialing else {},
        }
        self._try(lambda: self.life.change(id_, **ways[change]))

    @rule(value=st.integers(0, 150), before=st.one_of(st.integers(0, 2 * HOUR), st.integers(0, 30 * DAY)))
    def used(self, value: int, before: int) -> None:
        self.life.use(value, before)

    @rule(seconds=st.integers(1, 2 * HOUR))
    def soon(self, seconds: int) -> None:
        self.life.forward(seconds)

    @rule(percent=st.integers(5, 140), idle=st.sampled_from([False, False, True]))
    def later(self, percent: int, idle: bool) -> None:
        """A part of the shortest period, or somewhat more."""
        shortest = min((LENGTHS[self._interval(id_)] for id_ in self.life.alive()), default=DAY)
        self.life.forward(shortest * percent // 100, idle)

    @precondition(lambda self: self.life.alive())
    @rule(which=st.integers(0, 1))
    def previewed(self, which: int) -> None:
        """What a preview says is what comes, if nothing else happens."""
        row = self.life.row(self._one(which))
        found, known = self.life.previewed(row.id), {one.id for one in self.life.invoices()}
        if found is None or row.due_at is None or len(self.life.alive()) > 1 or self.life.method is None:  # or it ends unpaid before
            return
        self.life.forward(max(-(-row.due_at // 1_000_000) - self.life.at, 0))
        made = [one for one in self.life.invoices() if one.id not in known]
        assert made and shown(found) == shown(made[0].document)

    @precondition(lambda self: self.life.alive())
    @rule(which=st.integers(0, 1), prorate=st.booleans(), at_once=st.booleans())
    def cancelled(self, which: int, prorate: bool, at_once: bool) -> None:
        self.life.cancel(self._one(which), prorate=prorate, invoice_now=at_once)

    @rule(amount=st.integers(-3000, 3000), of=st.booleans())
    def invoice_item(self, amount: int, of: bool) -> None:
        self.life.invoice_item(amount, self.life.subscriptions[0] if of else None)

    @precondition(lambda self: any(row.document["status"] == "open" for row in self.life.invoices()))
    @rule()
    def void(self) -> None:
        self.life.void(next(row.id for row in self.life.invoices() if row.document["status"] == "open"))

    def _one(self, which: int) -> str:
        alive = self.life.alive()
        return alive[which % len(alive)]

    def _interval(self, id_: str) -> str:
        recurring = self.life.row(id_).document["items"]["data"][0]["price"]["recurring"]
        found = {"interval": recurring["interval"], **({"interval_count": 3} if recurring["interval_count"] == 3 else {})}
        return next(name for name, one in INTERVALS.items() if one == found)

    def _try(self, do: Any) -> None:
        try:
            do()
        except Refusal as refusal:
            assert refusal.code in REFUSED, refusal

    def teardown(self) -> None:
        if hasattr(self, "life"):
            check(self.life)
            check_settled(self.life)


class ProvenLives(Lives):
    """The same, and the kernel makes every document again."""

    def teardown(self) -> None:
        super().teardown()
        store = self.life.store
        found = verify(store, {"core": CoreRater(store), "kernel": KernelRater(store)}, lambda _: None)
        assert found.verified, found


HELD = settings(stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
TestBooksAgreeWhateverIsDone = Lives.TestCase
TestBooksAgreeWhateverIsDone.settings = HELD
TestTheOtherPathProvesThem = ProvenLives.TestCase
TestTheOtherPathProvesThem.settings = settings(HELD, max_examples=max(HELD.max_examples // 20, 2))
