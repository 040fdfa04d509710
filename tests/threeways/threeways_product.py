"""The product's two ways from documents to rated lines: one log for both, then core event by event, and the kernel in columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from naive_values import dumps

from farthing.app.raters import query_for
from farthing.app.store import EventQuery
from farthing.core.base.refusal import Refusal
from farthing.core.events.exact_json import decode_json
from farthing.core.events.parse import parse_fact
from farthing.core.rating.interpret import rate_events
from farthing.core.rating.trace import Rated
from farthing.core.usage.select import by_group
from farthing.kernel import Engine, Job, OutsideDomain, rate
from farthing.testing.memory import MemoryStore

Key = tuple[str, ...]
"""A customer, then the values of the meter's group-by."""


@dataclass
class Admitted:
    """What became of a batch: how many are new, how many known already, and the codes of those refused, by place."""

    accepted: int = 0
    duplicates: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def admit(log: MemoryStore, documents: Sequence[Any]) -> Admitted:
    """Documents, as JSON, into the log in one batch."""
    refused, facts, places = {}, [], []
    for place, document in enumerate(documents):
        try:
            facts.append(parse_fact(decode_json(dumps(document))))
            places.append(place)
        except Refusal as refusal:
            refused[place] = refusal.code
    receipt = log.append(facts)
    refused |= {places[index]: refusal.code for index, refusal in receipt.conflicts}
    return Admitted(receipt.accepted, receipt.duplicates, refused)


@dataclass
class Found:
    """Rated lines and refusals by key. Keys without any line are left out. `left` are the keys that the kernel left to core."""

    rated: dict[Key, tuple[Rated, ...]] = field(default_factory=dict)
    refused: dict[Key, dict[str, str | None]] = field(default_factory=dict)
    left: set[Key] = field(default_factory=set)


def core_way(log: MemoryStore, job: Job, customers: Sequence[str], up_to: int) -> Found:
    """Core, one customer at a time, from the log: what CoreRater does."""
    found = Found()
    for customer in customers:
        groups = by_group(job.meter, log.events(query_for(job, (customer,), up_to)))
        if not job.meter.group_by:
            groups.setdefault((), [])
        for group, events in groups.items():
            key = (customer, *(value for _, value in group))
            try:
                found.rated[key] = rate_events(job.program, job.meter, events, job.interval)
            except Refusal as refusal:
                found.refused[key] = refusal.document()
    found.rated = {key: lines for key, lines in found.rated.items() if lines}
    return found


def kernel_way(engine: Engine, logs: Sequence[tuple[MemoryStore, int]], job: Job, customers: tuple[str, ...]) -> list[Found] | None:
    """The kernel, all customers of all logs (each up to a position) at once: what KernelRater does with one. None if the whole job is
    outside of its domain."""
    names = tuple(dict.fromkeys((*job.numbers(), *job.texts(), *job.presences())))
    queries = [query_for(job, customers, up_to) for _, up_to in logs]
    tables = [columns(log, query, names, number) for number, ((log, _), query) in enumerate(zip(logs, queries, strict=True))]
    every = () if job.meter.group_by else [(number, customer) for number in range(len(logs)) for customer in customers]
    places = {name: f"p{n}" for n, name in enumerate(names)}
    try:
        result = rate(pa.concat_tables(tables), job, engine=engine, charge_columns=("log", "charge"), properties=places, charges=every)
    except OutsideDomain as outside:
        assert "127 bits" in outside.reason
        return None
    try:
        assert result.ran == "kernel"
        assert result.rows_read == sum(1 for (log, _), query in zip(logs, queries, strict=True) for _ in log.events(query))
        assert all("exponent" in reason for reason in result.outside.values())
        found = [Found() for _ in logs]
        for (number, *key), lines in keyed(result.rated()):
            found[number].rated[tuple(key)] = lines
        for (number, *key), refusal in keyed(result.refused):
            found[number].refused[tuple(key)] = refusal.document()
        for (number, *key), _ in keyed(result.outside):
            found[number].left.add(tuple(key))
        return found
    finally:
        result.close()


def columns(log: MemoryStore, query: EventQuery, names: Sequence[str], number: int) -> pa.Table:
    events = log.event_columns(query, names).read_all().rename_columns(["charge", "position", "at", *(f"p{n}" for n in range(len(names)))])
    return events.append_column("log", pa.array([number] * events.num_rows, pa.int64()))


def keyed(values: Mapping[Hashable, Any]) -> list[tuple[Any, Any]]:
    """The pairs; every key is a log, a customer, and the groups."""
    return list(values.items())
