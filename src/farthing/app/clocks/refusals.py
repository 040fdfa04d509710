"""Refusals of test clocks."""

from farthing.core.base.refusal import refusal_kind

TEST_MODE_ONLY = refusal_kind("test_mode_only", "In live mode there are no test clocks: time cannot be moved.", "Use a key of test mode.")
TEST_CLOCK_ADVANCING = refusal_kind(
    "test_clock_advancing", "The test clock is advancing, and what lives by it cannot be changed meanwhile.", "Wait until its status is ready."
)
FROZEN_TIME_NOT_LATER = refusal_kind(
    "frozen_time_not_later", "A test clock only goes forward: the time to advance to is not later than its own.", "Send a later time."
)
