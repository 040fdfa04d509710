"""Progress on standard error, silent where asked."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from farthing.app.store import Progress
from farthing.edges.cli import console


def test_the_progress_bar_shows_work_and_is_silent_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for quiet, shown in ((False, True), (True, False)):
        written = io.StringIO()
        monkeypatch.setattr(console, "_ERRORS", Console(file=written, force_terminal=True, width=100))
        with console.bar(quiet) as on_progress:
            on_progress(Progress("loading events", 5, 10))
            on_progress(Progress("loading events", 10, 10))
        assert ("loading events" in written.getvalue()) is shown
        assert ("100%" in written.getvalue()) is shown
