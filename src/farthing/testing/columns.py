"""Events as columns, and what core rates them to: what tests of the column kernel compare."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval
from farthing.core.events.event import Event
from farthing.core.rating.interpret import rate_events
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.usage.meter import Meter
from farthing.core.usage.select import by_group

Charges = Mapping[Any, Sequence[Event]]


def events_table(charges: Charges, properties: Sequence[str], types: Mapping[str, pa.DataType] | None = None) -> pa.Table:
    """One row an event: charge, position, at, and the named properties as text, or cast to the type that `types` names."""
    rows = [(charge, event) for charge, events in charges.items() for event in events]
    keys = [charge for charge, _ in rows]
    columns = {
        "charge": pa.array(keys, pa.string() if any(isinstance(key, str) for key in charges) else pa.int64()),
        "position": pa.array([event.position for _, event in rows], pa.int64()),
        "at": pa.array([event.at for _, event in rows], pa.int64()),
    }
    for name in properties:
        column = pa.array([event.properties.get(name) for _, event in rows], pa.string())
        columns[name] = column.cast((types or {}).get(name, pa.string()))
    return pa.table(columns)


def core_rated(
    program: Program, meter: Meter, charges: Charges, interval: Interval
) -> tuple[dict[Hashable, tuple[Rated, ...]], dict[Hashable, Refusal]]:
    """Core's lines and refusals by the kernel's keys: the charge, or charge and groups. Charges without any line are left out."""
    rated: dict[Hashable, tuple[Rated, ...]] = {}
    refused: dict[Hashable, Refusal] = {}
    for charge, events in charges.items():
        groups = by_group(meter, events) or ({} if meter.group_by else {(): []})
        for group, members in groups.items():
            key = (charge, *(value for _, value in group)) if group else charge
            try:
                rated[key] = rate_events(program, meter, members, interval)
            except Refusal as refusal:
                refused[key] = refusal
    return {key: lines for key, lines in rated.items() if lines}, refused
