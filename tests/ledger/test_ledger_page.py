"""docs/ledger.md says what the code does."""

import re
from datetime import datetime
from pathlib import Path

from farthing.core.base.time import wall_to_instant
from farthing.core.ledger.accounts import CHART
from farthing.core.ledger.periods import period_for, read_period

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_the_chart_on_the_page_is_the_chart():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w ]*) \| (.+) \|$", PAGE, re.MULTILINE)
    shown = [row for row in rows if row[1] in {"asset", "liability", "revenue", "expense"}]
    assert shown == [(one.code, one.type, one.subject.replace("_", " "), one.meaning) for one in CHART.values()]


def test_the_accounting_periods_on_the_page_are_right():
    rows = re.findall(r"^\| (\d{4}-\d\d-\d\d)( \d\d:\d\d UTC)? \| (\S+) \| (\d{4}-\d\d)? ?\| (\d{4}-\d\d) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for day, clock, zone, closed, period in rows:
        booked = wall_to_instant(datetime.fromisoformat(day + (f"T{clock.strip()[:5]}" if clock else "T12:00")), "UTC")
        assert str(period_for(booked, zone, read_period(closed) if closed else None)) == period


def test_the_entry_on_the_page_sums_to_zero():
    legs = re.findall(r"^    \w+ +\w* +([+−])(\d+)\.(\d\d)$", PAGE, re.MULTILINE)
    assert len(legs) == 6
    assert sum((1 if sign == "+" else -1) * (int(units) * 100 + int(cents)) for sign, units, cents in legs) == 0
