"""Test clocks."""

from __future__ import annotations

from farthing.app.clocks.clocks import advance_clock, create_clock, delete_clock
from farthing.app.clocks.kinds import CLOCK
from farthing.app.clocks.refusals import TEST_CLOCK_ADVANCING
from farthing.edges.http.problem import AGAIN, answered
from farthing.edges.http.routes import plain, route

_ONE = f"{CLOCK.collection}/{{test_clock}}"


def add_routes() -> None:
    """Serve test clocks."""
    plain(CLOCK, creates=create_clock, takes=("frozen_time", "name"))
    route("POST", f"{_ONE}/advance", lambda call: advance_clock(call.desk, call.id, call.params), ("frozen_time",))
    route("DELETE", _ONE, lambda call: delete_clock(call.desk, call.id))
    answered(TEST_CLOCK_ADVANCING, 429, headers={"Stripe-Should-Retry": "true", **AGAIN})
