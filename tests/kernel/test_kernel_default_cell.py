"""Several cells, a default that takes the rest, and groups: the kernel's line has each used cell once, as core's has."""

from __future__ import annotations

import pyarrow as pa

from farthing.core.base.time import Interval, parse_instant
from farthing.core.catalog.price import parse_price
from farthing.core.rating.compile import compile_price
from farthing.core.usage.parse import parse_meter
from farthing.kernel.job import Job
from farthing.kernel.rate import rate

PRICE = {
    "currency": "usd",
    "ext": {"matrix": {"dimensions": ["region"], "cells": [{"match": {"region": "us"}, "unit_amount": 2}], "default": {"unit_amount": 3}}},
}
METER = {"id": "m", "event_name": "use", "ext": {"aggregation": "sum", "group_by": ["model"]}}


def test_each_used_cell_is_in_the_line_once() -> None:
    start, end = parse_instant("2024-01-01T00:00:00Z", "start"), parse_instant("2024-02-01T00:00:00Z", "end")
    events = pa.table(
        {"charge": ["c", "c"], "position": [1, 2], "at": [start, start + 1], "value": ["5", "7"], "region": ["us", "uk"], "model": ["x", "x"]}
    )
    job = Job(compile_price(parse_price(PRICE)).program, parse_meter(METER), Interval(start, end))
    result = rate(events, job)
    [lines] = result.rated().values()
    [line] = lines
    assert [cell.label for cell in line.cells] == ["us", "default"]
    assert line.quantity == 12
    result.close()
