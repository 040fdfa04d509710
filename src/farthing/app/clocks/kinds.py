"""The kind of test clocks."""

from farthing.app.resources.kinds import kind

CLOCK = kind(
    "test_helpers.test_clock",
    "clock_",
    "/v1/test_helpers/test_clocks",
    events=("advancing", "created", "deleted", "internal_failure", "ready"),
)
