"""Random stories: a meter, a price, a period, and facts as they arrive, with all that goes wrong on the way.

Documents are plain data, numbers in them as they are written (`JsonNumber`). The folder tests/reference has to be on sys.path.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import reject
from hypothesis import strategies as st
from naive_document import EXCLUDED, read_price
from naive_pricing import ON_EVENTS
from naive_values import EPOCH, JsonNumber, read_number
from price_strategies import PROPERTIES, SCALARS, bounds_in, condition, measured_for, prices, quantities, spelled

Draw = Callable[[st.SearchStrategy[Any]], Any]
Document = dict[str, Any]

AGGREGATIONS = [
    "sum",
    "sum",
    "sum",
    "count",
    "min",
    "max",
    "latest",
    "unique_count",
    "time_weighted",
    "time_weighted",
    "percentile",
    "windowed",
    "windowed",
]
FORMULAS = {"count": "count", "sum": "sum", "latest": "last"}
CUSTOMERS = ("c1", "c2", "c3")  # the last one never sends anything
ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]
HOUR = 3_600_000_000
MICRO = timedelta(microseconds=1)
# Around changes of the clock, a leap day, a month, a year's end.
DAYS = [((2025, 3, 28), (2025, 4, 7)), ((2025, 10, 25), (2025, 11, 3)), ((2024, 2, 28), (2024, 3, 1)), ((2024, 12, 1), (2025, 1, 1))]
DAYS += [((2025, 3, 30), (2025, 3, 31)), ((2025, 11, 2), (2025, 11, 3))]
# London, New York, St. John's, Lord Howe: when the clock goes forward or back.
CHANGES = [1_743_296_400_000_000, 1_761_440_400_000_000, 1_762_063_200_000_000, 1_762_057_800_000_000, 1_743_865_200_000_000]
LIMITS = ["9" * 20, "-" + "9" * 20, "9" * 20 + "." + "9" * 18, "0." + "0" * 17 + "1", "-0." + "0" * 17 + "1", "9" * 12 + "." + "9" * 18, "0", "1"]
NO_NUMBERS = ["x", "", " 1", "1_0", "NaN", "-1", "1e3", "9" * 21, "0." + "0" * 18 + "1", "٣"]
FLAWS: list[Document] = [{"value": text} for text in ("x", "", "NaN", "9" * 21, "0." + "0" * 18 + "1", "1,5")]
FLAWS += [{"value": True}, {"value": []}, {"country": {"a": JsonNumber("1")}}, {"fee": JsonNumber("1e30")}, {"country": "\0"}]
FLAWED_TIMES = [
    "2025-03-30T00:00:00",
    "1969-12-31T23:59:59.999999Z",
    "2262-01-01T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2025-03-30T00:00:00.0000001Z",
    7,
]


@dataclass(frozen=True)
class Story:
    """`facts` in their order of arrival, and `shuffled`: the same in another. `batches` are how many arrive together, the rest at once.
    `known` says up to which share of the log it is read, 1 for all."""

    meter: Document
    price: Document
    start: int
    end: int
    facts: list[Document]
    shuffled: list[Document]
    batches: list[int]
    known: Fraction


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICRO


@st.composite
def periods(draw: Draw, name: str) -> tuple[int, int]:
    """Days and months of a zone, the same cut anywhere, and a few microseconds."""
    zone = ZoneInfo(name)
    first, behind = draw(st.sampled_from(DAYS))
    start, end = (micros(datetime(year, month, day, tzinfo=zone).astimezone(UTC)) for year, month, day in (first, behind))
    way = draw(st.integers(0, 7))
    if way == 6:
        return start + draw(st.integers(1, 10 * HOUR)), end - draw(st.integers(1, 10 * HOUR))
    if way == 7:
        return start, start + draw(st.integers(1, 3))
    return start, end


# Meters


@st.composite
def windows(draw: Draw, zone: str) -> Document:
    unit, count = draw(
        st.sampled_from(
            [("minute", 15), ("minute", 97), ("hour", 1), ("hour", 1), ("hour", 1), ("hour", 2), ("hour", 6), ("day", 1), ("day", 7), ("month", 1)]
        )
    )
    fields = {"unit": unit, "inner": draw(st.sampled_from(["count", "sum", "min", "max", "latest", "unique_count"]))}
    fields["outer"] = draw(st.sampled_from(["sum", "min", "max", "percentile"]))
    if count > 1 or draw(st.booleans()):
        fields["count"] = count
    return dict(fields | draw(st.sampled_from([{}, {"empty_as_zero": True}])) | {"time_zone": draw(st.sampled_from([zone, zone, *ZONES]))})


@st.composite
def meters(draw: Draw, zone: str) -> Document:
    """A meter of any aggregation."""
    kind = draw(st.sampled_from(AGGREGATIONS))
    ext: Document = {}
    meter: Document = {"id": "m", "event_name": "use", "ext": ext}
    if kind in FORMULAS and draw(st.booleans()):
        meter["default_aggregation"] = {"formula": FORMULAS[kind]}
    else:
        ext["aggregation"] = kind
    if kind == "time_weighted" and draw(st.integers(0, 2)):
        ext["per"] = draw(st.sampled_from(["second", "minute", "hour", "day", "period", "period", "period"]))
    if kind == "windowed":
        ext["windows"] = draw(windows(zone))
    if kind == "percentile" or ext.get("windows", {}).get("outer") == "percentile":
        ext["percentile"] = draw(st.sampled_from([50, JsonNumber("95"), "99.9", 100, JsonNumber("33.3"), "0.0001"]))
    distinct = kind == "unique_count" or ext.get("windows", {}).get("inner") == "unique_count"
    key = draw(st.sampled_from(["country", "size", "value"] if distinct else ["value", "value", "value", "value", "fee"]))
    if key != "value" or draw(st.integers(0, 4)) == 4:
        meter["value_settings"] = {"event_payload_key": key}
    if draw(st.integers(0, 5)) == 5:
        ext["filters"] = draw(condition())
    group_by = draw(st.sampled_from([None, None, None, ["country"], ["size", "country"], ["value"], []]))
    if group_by is not None:
        ext["group_by"] = group_by
    return meter


# Events


@st.composite
def instants(draw: Draw, period: tuple[int, int], *, inside: bool = False) -> int:
    """First and last microsecond of the period and the ones beside, full and half hours and theirs, changes of the clock, any, long before."""
    start, end = period
    halves = max((end - start) // (HOUR // 2), 1)
    changes = [change for change in CHANGES if start <= change < end]
    way = draw(st.sampled_from(["edge", "edge", "hour", *(["change", "change", "change"] if changes else []), "any", "any", "before"]))
    if way == "edge":
        at = draw(st.sampled_from([start, start, start + 1, end - 1, end - 1, start - 1, end]))
    elif way == "hour":
        at = start + draw(st.integers(0, halves)) * (HOUR // 2) + draw(st.sampled_from([0, 0, -1, 1]))
    elif way == "change":
        at = draw(st.sampled_from(changes)) + draw(st.integers(-3, 3)) * (HOUR // 2) + draw(st.sampled_from([0, 0, -1, 1]))
    elif way == "any":
        at = draw(st.integers(start, end - 1))
    else:
        at = start - draw(st.integers(1, 1000 * HOUR))
    return min(max(at, start), end - 1) if inside else int(at)


@st.composite
def stamp(draw: Draw, at: int) -> str:
    """RFC 3339 of an instant, in any offset."""
    offset = draw(st.sampled_from([None, None, None, 0, 60, -330, 345]))
    local = (EPOCH + timedelta(microseconds=at, minutes=offset or 0)).replace(tzinfo=None).isoformat()
    if offset is None:
        return local + "Z"
    return f"{local}{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


@st.composite
def values(draw: Draw, price: Document, *, negative: bool = True) -> Fraction:
    """Mostly small, often what turns something in the price, sometimes at the limits of numbers."""
    way = draw(st.sampled_from(["small", "small", "fine", "price", "price", "limit"]))
    if way == "small":
        number = Fraction(draw(st.integers(0, 12)))
    elif way == "fine":
        number = Fraction(draw(st.integers(0, 10**5)), 10 ** draw(st.integers(1, 4)))
    elif way == "price":
        number = draw(quantities(price))
    else:
        number = read_number(draw(st.sampled_from(LIMITS)))
    if not negative and draw(st.integers(0, 7)) < 7:
        number = abs(number)
    return number


@st.composite
def payloads(draw: Draw, price: Document, value: Fraction | None) -> Document:
    payload: Document = {"stripe_customer_id": "c2" if draw(st.integers(0, 3)) == 3 else "c1"}
    if value is not None:
        payload["value"] = draw(spelled(value))
    for name in PROPERTIES[1:4]:
        if draw(st.booleans()):
            payload[name] = draw(st.sampled_from([*SCALARS[:-1], None, "US", ""]))
    way = draw(st.integers(0, 11))
    if way < 11:
        payload["fee"] = draw(spelled(draw(values(price, negative=False)))) if way < 10 else draw(st.sampled_from(NO_NUMBERS))
        if isinstance(payload["fee"], str) and "e" in payload["fee"].lower() and draw(st.integers(0, 3)):
            payload["fee"] = JsonNumber(payload["fee"])  # an exponent in text is outside of the kernel: not too often
    return payload


@st.composite
def events(draw: Draw, price: Document, period: tuple[int, int], name: str, value: Fraction | None = None) -> Document:
    """An event document; with a value, one that lies inside the period."""
    on_events = any(model in price.get("ext", {}) for model in ON_EVENTS)
    if value is not None:
        at = draw(instants(period, inside=True))
    else:
        at = draw(instants(period))
        value = draw(values(price, negative=not on_events)) if draw(st.integers(0, 14)) < 14 else None
    payload = draw(payloads(price, value))
    event_name = "other" if draw(st.integers(0, 11)) == 11 else "use"
    return {"identifier": name, "event_name": event_name, "timestamp": draw(stamp(at)), "payload": payload}


def as_cloudevent(event: Document) -> Document:
    """The CloudEvent that means the same, where the identifier has a space."""
    source, _, name = event["identifier"].partition(" ")
    payload = dict(event["payload"])
    customer = payload.pop("stripe_customer_id")
    document = {"specversion": "1.0", "id": name, "source": source, "type": event["event_name"], "subject": customer}
    return document | {"time": event["timestamp"], "data": payload}


def writable(number: Fraction) -> bool:
    return abs(number) < 10**20 and (number * 10**18).denominator == 1


@st.composite
def parts(draw: Draw, total: Fraction) -> list[Fraction]:
    """Numbers that can be written and sum to the total."""
    found: list[Fraction] = []
    for _ in range(draw(st.integers(0, 2))):
        found.append(
            Fraction(int(total * draw(st.integers(0, 4)) / 4 * 10**18), 10**18) if draw(st.booleans()) else Fraction(draw(st.integers(0, 9)))
        )
    rest = total - sum(found, Fraction(0))
    return [*found, rest] if writable(rest) else [total]


@st.composite
def fresh(draw: Draw, price: Document, period: tuple[int, int]) -> list[Document]:
    """Events of their own names."""
    return [draw(events(price, period, f"e {place}")) for place in range(draw(st.sampled_from([4, 3, 5, 2, 6, 1, 0])))]


@st.composite
def aimed(draw: Draw, price: Document, period: tuple[int, int], zone: str) -> tuple[Document, list[Document]]:
    """A meter, and events that it makes into a quantity at which the price turns."""
    bounds = [number for number in (measured_for(price, bound) for bound in bounds_in(price)) if writable(number)]
    total = draw(st.sampled_from(bounds)) if bounds and draw(st.booleans()) else draw(quantities(price))
    kind = draw(st.sampled_from(["sum", "sum", "sum", "max", "latest", "percentile", "time_weighted", "windowed"]))
    ext: Document = {"aggregation": kind}
    if kind == "time_weighted":
        ext["per"] = "period"
    if kind == "percentile":
        ext["percentile"] = 100
    if kind == "windowed":
        ext["windows"] = draw(windows(zone)) | {"inner": "sum", "outer": "sum"}
    numbers = draw(parts(total)) if kind in ("sum", "windowed") else [total]
    found = [draw(events(price, period, f"e {place}", number)) for place, number in enumerate(numbers)]
    for one in found:
        one["event_name"] = "use"
        one["payload"] = found[0]["payload"] | {"value": one["payload"]["value"], "stripe_customer_id": "c1"}
        if kind == "time_weighted":
            one["timestamp"] = draw(stamp(period[0] - draw(st.sampled_from([0, 0, 1, 1000 * HOUR]))))
    return {"id": "m", "event_name": "use", "ext": ext}, found


@st.composite
def again(draw: Draw, event: Document) -> Document:
    """The same event, written another way."""
    payload = dict(event["payload"])
    if payload.get("value") is not None:
        payload["value"] = draw(spelled(read_number(payload["value"])))
    copy = event | {"payload": payload}
    return as_cloudevent(copy) if " " in copy["identifier"] and draw(st.booleans()) else copy


@st.composite
def trouble(draw: Draw, price: Document, period: tuple[int, int], known: list[Document]) -> Document:
    """One more fact about what is known already: a repetition, a contradiction, a correction, or a document that cannot be read."""
    names = [event["identifier"] for event in known] or ["e 0"]
    target = draw(st.sampled_from([*names, *names, "e 99"]))
    way = draw(st.sampled_from(["again", "again", "again", "conflict", "cancel", "cancel", "replace", "replace", "replace", "flawed"]))
    if way == "again" and known:
        return dict(draw(again(draw(st.sampled_from(known)))))
    if way == "cancel":
        about = next((event["event_name"] for event in known if event["identifier"] == target), "use")
        other = {"use": "other", "other": "use"}[about]
        return {"type": "cancel", "event_name": draw(st.sampled_from([about] * 5 + [other])), "cancel": {"identifier": target}}
    event = draw(events(price, period, f"r {len(known)}"))
    if way == "replace":
        if draw(st.integers(0, 7)) == 0:
            event["identifier"] = draw(st.sampled_from(names))
        shown = as_cloudevent(event) if draw(st.integers(0, 3)) == 0 else event
        known.append(event)
        return {"type": "replace", "replace": {"identifier": target}, "event": shown}
    if way == "flawed":
        if draw(st.booleans()):
            event["payload"] = event["payload"] | draw(st.sampled_from(FLAWS))
        else:
            event["timestamp"] = draw(st.sampled_from(FLAWED_TIMES))
        return dict(event)
    return dict(event | {"identifier": draw(st.sampled_from(names))})


@st.composite
def stories(draw: Draw, models: list[str]) -> Story:
    """A story about a price of one of the models."""
    model = draw(st.sampled_from(models))
    price = repaired(draw(prices(model, EXCLUDED[model])))
    zone = draw(st.sampled_from(ZONES))
    period = draw(periods(zone))
    if draw(st.booleans()):
        meter, known = draw(aimed(price, period, zone))
        troubles = draw(st.sampled_from([0, 0, 1, 2]))
    else:
        meter, known = draw(meters(zone)), draw(fresh(price, period))
        troubles = draw(st.sampled_from([1, 2, 0, 3, 5]))
    facts = [draw(again(event)) if draw(st.integers(0, 3)) == 3 else event for event in known]
    for _ in range(troubles):
        facts.insert(draw(st.integers(0, len(facts))), draw(trouble(price, period, known)))
    shuffled = draw(st.permutations(facts))
    batches = draw(st.lists(st.integers(1, 4), max_size=3))
    known_share = draw(st.sampled_from([*[Fraction(1)] * 6, Fraction(1, 2), Fraction(3, 4)]))
    return Story(meter, price, period[0], period[1], facts, shuffled, batches, known_share)


def repaired(price: Document) -> Document:
    """The price without what the reference finds wrong with it: most of the time goes to prices that can be rated."""
    price = copy.deepcopy(price)
    if not settled(price):
        del price["ext"]["minimum"]
    for _ in range(20):
        _, faults = read_price(price)
        if not faults.found:
            return price
        repair(price, *faults.found[0])
    return reject()


def repair(price: Document, code: str, path: str | None) -> None:
    """Take out what is wrong; what is missing is put in where it is clear what it is."""
    *way, last = re.findall(r"[^.\[\]]+", path or "")
    place: Any = price
    outer: list[tuple[Any, Any]] = []
    for step in way:
        outer.append((place, int(step) if isinstance(place, list) else step))
        place = place[outer[-1][1]]
    if code == "bands_incomplete":
        place["rest"] = {"unit_amount": 3}
    elif isinstance(place, list):
        del place[int(last)]
    elif last in place:
        del place[last]
    elif outer:
        del outer[-1][0][outer[-1][1]]
    else:
        reject()


def settled(price: Document) -> bool:
    """Whether docs/pricing.md says one thing about the price: it contradicts itself where a cap is below the minimum."""
    ext = price.get("ext", {})
    capped = any(name.startswith("cap_amount") for name in ext.get("percentage", {}))
    return not (capped and "minimum" in ext)
