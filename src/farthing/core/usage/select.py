"""Which events a meter takes, and into which group each falls."""

from __future__ import annotations

from collections.abc import Iterable

from farthing.core.events.event import Event
from farthing.core.events.log import Metered, SetAside
from farthing.core.usage.aggregate import read
from farthing.core.usage.meter import Meter

Group = tuple[tuple[str, str], ...]
"""(property, value) for each property of a meter's `group_by`, in its order; () for a meter without groups."""


def matches(meter: Meter, event: Event) -> bool:
    """Whether the meter takes the event: its name, and every filter."""
    return event.event_name == meter.event_name and meter.filters.holds(event.properties)


def group_of(meter: Meter, event: Event) -> Group:
    """The group that the event falls into; an absent property counts as ""."""
    return tuple((name, event.properties.get(name, "")) for name in meter.group_by)


def by_group(meter: Meter, events: Iterable[Event]) -> dict[Group, list[Event]]:
    """The events that the meter takes, by group: each in exactly one, groups sorted by their values, events in given order."""
    groups: dict[Group, list[Event]] = {}
    for event in events:
        if matches(meter, event):
            groups.setdefault(group_of(meter, event), []).append(event)
    return dict(sorted(groups.items()))


def judge(meters: Iterable[Meter], event: Event) -> Metered | SetAside:
    """The fate that meters give to an event that counts: metered by those that can read it, set aside as value_unreadable when
    none of those that take it can, and as meter_unknown when none takes it."""
    taking = [meter for meter in meters if matches(meter, event)]
    reading = tuple(meter.id for meter in taking if read(meter, event) is not None)
    if reading:
        return Metered(reading)
    return SetAside("value_unreadable" if taking else "meter_unknown")
