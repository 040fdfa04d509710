"""Models against the plainest arithmetic there is: counting unit by unit, event by event."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from farthing.app.rate import rate_line
from farthing.core.base.rounding import round_to_whole


def rate(price: dict[str, Any], **usage: Any) -> tuple[int, Fraction]:
    answer = rate_line(json.dumps({"id": 1, "price": {"currency": "usd", **price}, **usage}))
    assert "error" not in answer, answer
    return answer["amount"], Fraction(answer["amount_exact"])


tiers = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4)


def tier_documents(rows: list[tuple[int, int, int]]) -> list[dict[str, Any]]:
    bounds = [sum(row[0] for row in rows[: i + 1]) for i in range(len(rows) - 1)]
    return [{"up_to": up_to, "unit_amount": unit, "flat_amount": flat} for up_to, (_, unit, flat) in zip([*bounds, "inf"], rows, strict=True)]


@given(tiers, st.integers(0, 25))
def test_graduated_unit_by_unit(rows: list[tuple[int, int, int]], quantity: int) -> None:
    documents = tier_documents(rows)
    entered: set[int] = {0}
    total = 0
    for unit in range(1, quantity + 1):
        tier = next(i for i, document in enumerate(documents) if document["up_to"] == "inf" or unit <= document["up_to"])
        entered.add(tier)
        total += documents[tier]["unit_amount"]
    total += sum(documents[tier]["flat_amount"] for tier in entered)
    assert rate({"tiers_mode": "graduated", "tiers": documents}, quantity=quantity) == (total, total)


@given(tiers, st.integers(0, 25))
def test_volume_and_stairstep(rows: list[tuple[int, int, int]], quantity: int) -> None:
    documents = tier_documents(rows)
    tier = next(document for document in documents if document["up_to"] == "inf" or quantity <= document["up_to"])
    total = tier["unit_amount"] * quantity + tier["flat_amount"]
    assert rate({"tiers_mode": "volume", "tiers": documents}, quantity=quantity)[0] == total
    steps = [{"up_to": document["up_to"], "flat_amount": document["flat_amount"]} for document in documents]
    assert rate({"ext": {"stairstep": {"tiers": steps}}}, quantity=quantity)[0] == tier["flat_amount"]


@given(st.integers(1, 7), st.integers(0, 5), st.integers(0, 40), st.sampled_from(["up", "down"]))
def test_package_block_by_block(size: int, free: int, quantity: int, mode: str) -> None:
    paid, blocks = max(quantity - free, 0), 0
    while paid >= size or (paid > 0 and mode == "up"):
        paid, blocks = paid - size, blocks + 1
    package = {"size": size, "amount": 3, "free_units": free, "round": mode}
    assert rate({"ext": {"package": package}}, quantity=quantity)[0] == 3 * blocks


values = st.lists(st.integers(0, 3000), max_size=8)


@given(values, st.integers(0, 500), st.integers(0, 50), st.integers(0, 40), st.integers(0, 60), st.booleans())
def test_fees_event_by_event(amounts: list[int], basis_points: int, fixed: int, minimum: int, more: int, per_event: bool) -> None:
    percentage = {
        "percent": f"{basis_points / 100:.2f}",
        "fixed_amount": fixed,
        "minimum_amount": minimum,
        "maximum_amount": minimum + more,
        "round_per": "event" if per_event else "line",
    }
    exact = Fraction(0)
    for amount in amounts:
        fee = min(max(Fraction(amount * basis_points, 10000) + fixed, Fraction(minimum)), Fraction(minimum + more))
        exact += round_to_whole(fee) if per_event else fee
    events = [{"value": amount} for amount in amounts]
    assert rate({"ext": {"percentage": percentage}}, events=events) == (round_to_whole(exact), exact)


@given(values, st.integers(0, 4), st.integers(0, 4000))
def test_free_events_and_free_amount_one_after_another(amounts: list[int], free_events: int, free_amount: int) -> None:
    left, exact = free_amount, Fraction(0)
    for rank, amount in enumerate(amounts):
        free = min(left, amount)
        left -= free
        if rank >= free_events and not (free_amount and free == amount):
            exact += Fraction(amount - free, 10) + 1
    percentage = {"percent": 10, "fixed_amount": 1, "free_events": free_events, "free_amount": free_amount}
    assert rate({"ext": {"percentage": percentage}}, events=[{"value": amount} for amount in amounts])[1] == exact


keyed = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", None]), st.integers(0, 9)), max_size=10)


@given(keyed)
def test_matrix_first_match_and_partition(rows: list[tuple[str | None, str | None, int]]) -> None:
    cells: list[tuple[str, str, int]] = [("a", "x", 2), ("a", "*", 3), ("*", "y", 5), ("c", "*", 7)]
    total = 0
    for first, second, value in rows:
        matching = (unit for p, q, unit in cells if p in ("*", first) and q in ("*", second))
        total += value * next(matching, 11)
    matrix = {
        "dimensions": ["p", "q"],
        "cells": [{"match": {"p": p, "q": q}, "unit_amount": unit} for p, q, unit in cells],
        "default": {"unit_amount": 11},
    }
    events = [{"p": first, "q": second, "value": value} for first, second, value in rows]
    assert rate({"ext": {"matrix": matrix}}, events=events)[0] == total
    assert rate({"ext": {"matrix": {**matrix, "line_per_cell": True}}}, events=events)[0] == total


@given(st.lists(st.integers(0, 167 * 2), max_size=6))
def test_bands_hour_by_hour(half_hours: list[int]) -> None:
    week = "2025-01-06T00:00:00+00:00"  # a Monday
    total, events = 0, []
    for half in half_hours:
        at = datetime.fromisoformat(week) + timedelta(minutes=30 * half)
        peak = at.weekday() < 5 and 8 <= at.hour < 20
        weekend_noon = at.weekday() == 6 and at.hour == 12
        total += 5 if peak else 3 if weekend_noon else 1
        events.append({"value": 1, "timestamp": at.isoformat()})
    bands = [
        {"label": "peak", "unit_amount": 5, "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"}]},
        {"label": "noon", "unit_amount": 3, "hours": [{"days": ["sun"], "from": "12:00", "to": "13:00"}]},
    ]
    price = {"ext": {"time_of_use": {"time_zone": "UTC", "bands": bands, "rest": {"unit_amount": 1}}}}
    assert rate(price, events=events)[0] == total
