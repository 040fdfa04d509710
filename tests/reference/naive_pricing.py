"""Naive pricing: a literal transcription of docs/pricing.md, one function for each model and modifier. Standard library only.

It is written from the page alone and shares no code with the product, against which it is held. Everything is an exact Fraction.
This folder has to be on sys.path; the files beside it are naive_values (numbers, texts, conditions) and naive_document (checks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from naive_document import EXT_MODELS, MINOR_DIGITS, MODIFIERS, WIRE_FIELDS, Price, read_price
from naive_values import (
    EPOCH,
    UNDOCUMENTED,
    Faults,
    JsonNumber,
    Refused,
    condition_holds,
    depth,
    exact_text,
    loads,
    number_or_none,
    property_text,
    read_number,
    read_time,
    text_fault,
)

__all__ = ["JsonNumber", "Refused", "line_faults", "rate", "rate_line"]

LARGEST = 10**18 - 1
ON_EVENTS = ("percentage", "rate_card")
ON_CELLS = ("matrix", "time_of_use")


@dataclass
class Event:
    """An event of the calculator: its place in the list, its time (None if it has none) and its properties."""

    place: int
    time: int | None
    properties: dict[str, str]


# Rounding


def round_up(number: Fraction) -> int:
    return math.ceil(number)


def round_down(number: Fraction) -> int:
    return math.floor(number)


def round_half_away(number: Fraction) -> int:
    nearest = math.floor(abs(number) + Fraction(1, 2))
    return -nearest if number < 0 else nearest


def round_half_even(number: Fraction) -> int:
    below = math.floor(number)
    if number - below == Fraction(1, 2):
        return below if below % 2 == 0 else below + 1
    return math.floor(number + Fraction(1, 2))


ROUNDINGS = {"up": round_up, "down": round_down, "half_away": round_half_away, "half_even": round_half_even}


def in_minor_units(money: Fraction, value_in: str, currency: str) -> Fraction:
    return money * 10 ** MINOR_DIGITS[currency] if value_in == "major" else money


# Tiers


def graduated(tiers: list[dict[str, Any]], quantity: Fraction, flat_at_zero: bool) -> Fraction:
    """Each tier prices its own part; `unit` is what one unit costs."""
    if quantity == 0:
        return tiers[0]["flat"] if flat_at_zero else Fraction(0)
    amount, lower = Fraction(0), Fraction(0)
    for tier in tiers:
        if quantity > lower:
            upper = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
            amount += (upper - lower) * tier["unit"] + tier["flat"]
        if tier["up_to"] is not None:
            lower = tier["up_to"]
    return amount


def tier_of(tiers: list[dict[str, Any]], quantity: Fraction) -> dict[str, Any]:
    """The first tier whose upper bound is not below the quantity."""
    return next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])


def volume(tiers: list[dict[str, Any]], quantity: Fraction, flat_at_zero: bool) -> Fraction:
    if quantity == 0 and not flat_at_zero:
        return Fraction(0)
    tier = tier_of(tiers, quantity)
    return Fraction(quantity * tier["unit"] + tier["flat"])


# Models on a quantity


def rate_per_unit(price: Price, quantity: Fraction) -> Fraction:
    if price.body["divide_by"] is not None:
        quantity = Fraction(ROUNDINGS[price.body["round"]](quantity / price.body["divide_by"]))
    return Fraction(quantity * price.body["unit"])


def rate_flat(price: Price, quantity: Fraction) -> Fraction:
    if quantity == 0 and not price.modifiers["flat_at_zero"]:
        return Fraction(0)
    return Fraction(price.body["amount"])


def rate_graduated(price: Price, quantity: Fraction) -> Fraction:
    return graduated(price.body["tiers"], quantity, price.modifiers["flat_at_zero"])


def rate_volume(price: Price, quantity: Fraction) -> Fraction:
    return volume(price.body["tiers"], quantity, price.modifiers["flat_at_zero"])


def rate_package(price: Price, quantity: Fraction) -> Fraction:
    paid = max(Fraction(0), quantity - price.body["free_units"])
    blocks = ROUNDINGS[price.body["round"]](paid / price.body["size"])
    return Fraction(blocks * price.body["amount"])


def rate_stairstep(price: Price, quantity: Fraction) -> Fraction:
    if quantity == 0 and not price.modifiers["flat_at_zero"]:
        return Fraction(0)
    return Fraction(tier_of(price.body["tiers"], quantity)["flat"])


def rate_graduated_percentage(price: Price, quantity: Fraction) -> Fraction:
    money = in_minor_units(quantity, price.body["value_in"], price.currency)
    tiers = [{"up_to": tier["up_to"], "unit": tier["percent"] / 100, "flat": tier["flat"]} for tier in price.body["tiers"]]
    return graduated(tiers, money, price.modifiers["flat_at_zero"])


def rate_cost(price: Price, quantity: Fraction) -> Fraction:
    return Fraction(in_minor_units(quantity, price.body["value_in"], price.currency) * price.body["multiplier"])


QUANTITY_MODELS = {
    "per_unit": rate_per_unit,
    "flat": rate_flat,
    "graduated": rate_graduated,
    "volume": rate_volume,
    "package": rate_package,
    "stairstep": rate_stairstep,
    "graduated_percentage": rate_graduated_percentage,
    "cost": rate_cost,
}


# Modifiers


def convert(price: Price, quantity: Fraction) -> Fraction:
    conversion = price.modifiers["conversion"]
    if conversion is None:
        return quantity
    quantity = quantity * conversion["factor"]
    return quantity if conversion["round"] == "none" else Fraction(ROUNDINGS[conversion["round"]](quantity))


def take_allowance(price: Price, quantity: Fraction) -> Fraction:
    units = price.modifiers["allowance"]
    return quantity if units is None else max(Fraction(0), quantity - units)


def hold_minimum(price: Price, amount: Fraction) -> Fraction:
    least = price.modifiers["minimum"]
    return amount if least is None else max(amount, least)


def hold_maximum(price: Price, amount: Fraction) -> Fraction:
    most = price.modifiers["maximum"]
    return amount if most is None else min(amount, most)


def within(low: Fraction | None, high: Fraction | None, amount: Fraction) -> Fraction:
    """An amount held within a fee's own minimum and maximum."""
    if low is not None and amount < low:
        amount = low
    if high is not None and amount > high:
        amount = high
    return amount


# Models on single events


def in_order(events: list[Event]) -> list[Event]:
    """By time, then by place; without times as given."""
    return sorted(events, key=lambda event: (event.time or 0, event.place))


def needed(event: Event, name: str, faults: Faults, *, negative: bool) -> Fraction:
    """The number that a price needs from an event."""
    number = number_or_none(event.properties.get(name))
    if number is None or (number < 0 and not negative):
        faults.add("event_value_unreadable", f"events[{event.place}].{name}")
        return Fraction(0)
    return number


def rate_percentage(price: Price, events: list[Event], faults: Faults) -> list[Fraction]:
    """One line: the sum of the fees, at most the cap."""
    body = price.body
    total, seen_events, seen_money = Fraction(0), 0, Fraction(0)
    for event in in_order(events):
        money = in_minor_units(needed(event, body["value"], faults, negative=False), body["value_in"], price.currency)
        free_event = seen_events < body["free_events"]
        free_money = min(money, max(Fraction(0), body["free_amount"] - seen_money))
        seen_events += 1
        seen_money += money
        rest = money - free_money
        if free_event or (body["free_amount"] > 0 and rest == 0):
            continue
        fee = within(body["minimum"], body["maximum"], rest * body["percent"] / 100 + body["fixed"])
        total += ROUNDINGS[price.modifiers["rounding"]](fee) if body["round_per"] == "event" else fee
    return [total if body["cap"] is None else min(total, body["cap"])]


def component_fee(price: Price, component: dict[str, Any], event: Event, faults: Faults) -> Fraction:
    body = price.body
    fee = component["fixed"]
    if component["percent"] is not None:
        base = needed(event, component["of"] or body["value"], faults, negative=False)
        fee += in_minor_units(base, body["value_in"], price.currency) * component["percent"] / 100
    if component["cost"] is not None:
        fee += in_minor_units(needed(event, component["cost"], faults, negative=False), body["value_in"], price.currency)
    return within(component["minimum"], component["maximum"], fee)


def rate_rate_card(price: Price, events: list[Event], faults: Faults) -> list[Fraction]:
    """A line for each rule."""
    body = price.body
    lines = [Fraction(0) for _ in body["rules"]]
    for event in events:
        place = next(index for index, rule in enumerate(body["rules"]) if condition_holds(rule["when"], event.properties))
        components = list(body["rules"][place]["fees"])
        for surcharge in body["surcharges"]:
            if condition_holds(surcharge["when"], event.properties):
                components += surcharge["fees"]
        fee = sum((component_fee(price, component, event, faults) for component in components), Fraction(0))
        fee = within(body["minimum"], body["maximum"], fee)
        lines[place] += ROUNDINGS[price.modifiers["rounding"]](fee) if body["round_per"] == "event" else fee
    return lines


# Models on cells


def measure_cells(events: list[Event], count: int, cell_of: Any, faults: Faults) -> list[Fraction]:
    """The sum of `value` in each cell, over its events alone."""
    sums = [Fraction(0)] * count
    for event in events:
        place = cell_of(event)
        value = needed(event, "value", faults, negative=True)
        if place is None:
            faults.add("event_unmatched", f"events[{event.place}]")
        else:
            sums[place] += value
    return sums


def cell_of_matrix(price: Price, event: Event) -> int | None:
    cells = price.body["cells"]
    for place, cell in enumerate(cells):
        if all(value in ("*", event.properties.get(name)) for name, value in zip(price.body["dimensions"], cell["match"], strict=True)):
            return place
    return len(cells) if price.body["default"] is not None else None


def rate_cell(price: Price, cell: dict[str, Any], quantity: Fraction, field: str, faults: Faults) -> Fraction:
    if cell["tiers"] is None:
        return Fraction(convert(price, quantity) * cell["unit"])
    if quantity < 0:
        faults.add("quantity_negative", field)
        return Fraction(0)
    tiers = graduated if cell["mode"] == "graduated" else volume
    return tiers(cell["tiers"], convert(price, quantity), False)


def rate_matrix(price: Price, sums: list[Fraction], field: str, faults: Faults) -> list[Fraction]:
    cells = [*price.body["cells"], *([price.body["default"]] if price.body["default"] else [])]
    return [rate_cell(price, cell, quantity, field, faults) for cell, quantity in zip(cells, sums, strict=True)]


def band_of_time(price: Price, event: Event) -> int | None:
    assert event.time is not None
    local = (EPOCH + timedelta(microseconds=event.time)).astimezone(ZoneInfo(price.body["zone"]))
    for place, band in enumerate(price.body["bands"]):
        if (local.weekday(), local.hour * 60 + local.minute) in band["minutes"]:
            return place
    return len(price.body["bands"])


def rate_time_of_use(price: Price, sums: list[Fraction]) -> list[Fraction]:
    bands = [*price.body["bands"], *([price.body["rest"]] if price.body["rest"] else [])]
    return [convert(price, quantity) * band["unit"] for band, quantity in zip(bands, sums, strict=True)]


# The way of an amount


def rate_quantity(price: Price, quantity: Fraction, field: str, faults: Faults) -> list[Fraction]:
    """What a measured quantity costs: one line."""
    linear = price.model in ("per_unit", "cost") and price.modifiers["allowance"] is None
    if quantity < 0 and not linear:
        faults.add("quantity_negative", field)
        return []
    return [QUANTITY_MODELS[price.model](price, take_allowance(price, convert(price, quantity)))]


def only_cell_takes_all(price: Price) -> bool:
    cells = price.body["cells"]
    return len(cells) == 1 and price.body["default"] is None and all(value == "*" for value in cells[0]["match"])


def lines_of_quantity(price: Price, quantity: Fraction, faults: Faults) -> list[Fraction]:
    if price.model == "matrix" and only_cell_takes_all(price):
        return rate_matrix(price, [quantity], "quantity", faults)
    if price.model in ON_EVENTS or price.model in ON_CELLS:
        faults.add("events_needed", "quantity")
        return []
    return rate_quantity(price, quantity, "quantity", faults)


def check_times(price: Price, events: list[Event], faults: Faults) -> None:
    lacking = [event for event in events if event.time is None]
    if price.model == "time_of_use":
        for event in lacking:
            faults.add("event_time_missing", f"events[{event.place}].timestamp")
    elif lacking and len(lacking) < len(events):
        faults.add("event_time_missing", f"events[{lacking[0].place}].timestamp")


def lines_of_events(price: Price, events: list[Event], faults: Faults) -> list[Fraction]:
    check_times(price, events, faults)
    if price.model == "percentage":
        return rate_percentage(price, events, faults)
    if price.model == "rate_card":
        return rate_rate_card(price, events, faults)
    if price.model == "matrix":
        count = len(price.body["cells"]) + (price.body["default"] is not None)
        sums = measure_cells(events, count, lambda event: cell_of_matrix(price, event), faults)
        return rate_matrix(price, sums, "events", faults)
    if price.model == "time_of_use":
        if any(event.time is None for event in events):
            measure_cells(events, 1, lambda event: 0, faults)
            return []
        count = len(price.body["bands"]) + (price.body["rest"] is not None)
        return rate_time_of_use(price, measure_cells(events, count, lambda event: band_of_time(price, event), faults))
    quantity = sum((needed(event, "value", faults, negative=True) for event in events), Fraction(0))
    return rate_quantity(price, quantity, "events", faults)


def bill(price: Price, lines: list[Fraction], field: str, faults: Faults) -> tuple[int, Fraction]:
    """The amount and the exact amount of lines; minimum, then maximum, then rounding, once for each line."""
    if not price.body.get("line_per_cell"):
        lines = [sum(lines, Fraction(0))]
    lines = [hold_maximum(price, hold_minimum(price, line)) for line in lines]
    amounts = [ROUNDINGS[price.modifiers["rounding"]](line) for line in lines]
    if any(abs(amount) > LARGEST for amount in amounts):
        faults.add("amount_too_large", field)
    return sum(amounts), sum(lines, Fraction(0))


# Events and lines of the calculator


def read_value(event: Event, raw: Any, faults: Faults) -> None:
    """`value` is always a number, and canonical even if sent as text."""
    if raw is None:
        return
    try:
        if isinstance(raw, (list, dict)):
            raise Refused("property_not_scalar", None)
        event.properties["value"] = exact_text(read_number(raw))
    except Refused as refused:
        code = "event_value_unreadable" if refused.code == "number_malformed" else refused.code
        faults.add(code, f"events[{event.place}].value")


def read_property(event: Event, key: str, raw: Any, faults: Faults) -> None:
    """A property that is not null and not `value`."""
    path = f"events[{event.place}]"
    wrong = text_fault(key, 100)
    if wrong is not None:
        faults.add(wrong, f"{path}.{UNDOCUMENTED}")
    try:
        text = property_text(raw) or ""
    except Refused as refused:
        faults.add(refused.code, f"{path}.{key}")
        return
    wrong = text_fault(text, 1000)
    if wrong not in (None, "text_empty"):
        faults.add(wrong, f"{path}.{key}")
    event.properties[key] = text


def read_payload(place: int, payload: Any, faults: Faults) -> Event:
    path = f"events[{place}]"
    event = Event(place, None, {})
    if not isinstance(payload, dict):
        faults.add("not_an_object", path)
        return event
    try:
        event.time = None if payload.get("timestamp") is None else read_time(payload["timestamp"])
    except Refused as refused:
        faults.add(refused.code, f"{path}.timestamp")
    properties = {key: raw for key, raw in payload.items() if raw is not None and key not in ("timestamp", "stripe_customer_id")}
    if len(properties) > 100:
        faults.add("properties_too_many", path)
    for key, raw in properties.items():
        if key != "value":
            read_property(event, key, raw, faults)
    read_value(event, properties.get("value"), faults)
    if sum(len(key) + len(text) for key, text in event.properties.items()) > 16_384:
        faults.add("payload_too_large", path)
    return event


def read_events(payloads: Any, faults: Faults) -> list[Event]:
    if not isinstance(payloads, list):
        faults.add("field_invalid", "events")
        return []
    return [read_payload(place, payload, faults) for place, payload in enumerate(payloads)]


def read_quantity(quantity: Any, faults: Faults) -> Fraction:
    try:
        return read_number(quantity)
    except Refused as refused:
        faults.add(refused.code, "quantity")
        return Fraction(0)


def rate_faults(document: Any, quantity: Any, payloads: Any) -> tuple[tuple[int, Fraction] | None, Faults, Faults]:
    """The amounts, what is wrong with the price (paths from the price), what is wrong with the usage (paths from the line)."""
    price, price_faults = read_price(document)
    faults = Faults()
    number = read_quantity(quantity, faults) if payloads is None else Fraction(0)
    events = read_events(payloads, faults) if payloads is not None else []
    if price is not None and faults.found:
        check_times(price, events, faults)
    if price is None or faults.found:
        return None, price_faults, faults
    lines = lines_of_quantity(price, number, faults) if payloads is None else lines_of_events(price, events, faults)
    if faults.found:
        return None, price_faults, faults
    amounts = bill(price, lines, "quantity" if payloads is None else "events", faults)
    return (None if faults.found else amounts), price_faults, faults


def first_to_report(faults: Faults) -> tuple[str, str | None]:
    """First the top level, then the model, then the modifiers (numbers and texts: see check_scalars)."""

    def stage(fault: tuple[str, str | None]) -> int:
        path = fault[1] or ""
        name = path.removeprefix("ext.").split(".")[0].split("[")[0]
        if name in MODIFIERS:
            return 2
        return 1 if name in EXT_MODELS or name in WIRE_FIELDS else 0

    return min(faults.found, key=stage)


def rate(price: dict[str, Any], quantity: str | None = None, events: list[dict[str, Any]] | None = None) -> tuple[int, Fraction]:
    """(amount, exact amount) in minor units. Raises Refused: the first thing wrong, with its path into the price, or into the line."""
    amounts, price_faults, usage_faults = rate_faults(price, quantity, events)
    if price_faults.found:
        raise Refused(*first_to_report(price_faults))
    if amounts is None:
        raise Refused(*usage_faults.found[0])
    return amounts


def bare_words(value: Any, path: str = "") -> list[tuple[str, str | None]]:
    """The bare words NaN, Infinity and -Infinity of a document, as faults."""
    if isinstance(value, dict):
        return [fault for key, entry in value.items() for fault in bare_words(entry, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        return [fault for index, entry in enumerate(value) for fault in bare_words(entry, f"{path}[{index}]")]
    if isinstance(value, JsonNumber) and value.text in ("NaN", "Infinity", "-Infinity"):
        return [("number_not_finite", path or None)]
    return []


def read_id(key: Any, faults: Faults) -> str | int | None:
    if isinstance(key, str):
        wrong = text_fault(key, 500)
        if wrong is None:
            return key
        faults.add(wrong, "id")
    elif isinstance(key, JsonNumber) and key.text.lstrip("-").isdigit():
        return int(key.text)
    elif bare_words(key):
        faults.add("number_not_finite", "id")
    else:
        faults.add("field_missing" if key is None else "field_invalid", "id")
    return None


def read_line(text: str) -> dict[str, Any]:
    line = loads(text)
    if depth(line) > 32:
        raise Refused("json_malformed", None)
    if not isinstance(line, dict):
        raise Refused("not_an_object", None)
    return line


def line_faults(text: str) -> tuple[dict[str, Any], list[tuple[str, str | None]]]:
    """The answer to a line of the calculator, and all that is wrong with the line (one of these is to be reported)."""
    try:
        line = read_line(text)
    except Refused as refused:
        return {"id": None}, [(refused.code, refused.field)]
    faults = Faults()
    answer: dict[str, Any] = {"id": read_id(line.get("id"), faults)}
    if not faults.found:
        faults.found += bare_words(line)
    if faults.found:
        return answer, faults.found
    for name in line:
        if name not in ("id", "price", "quantity", "events"):
            faults.add("field_unknown", name)
    if line.get("price") is None:
        faults.add("field_missing", "price")
    quantity, events = line.get("quantity"), line.get("events")
    if quantity is not None and events is not None:
        faults.add("fields_conflict", "events")
    if quantity is None and events is None:
        faults.add("field_missing", "quantity")
    if faults.found:
        return answer, faults.found
    amounts, price_faults, usage_faults = rate_faults(line["price"], quantity, events)
    found = [(code, f"price.{path}" if path else "price") for code, path in price_faults.found] + usage_faults.found
    if amounts is not None and not found:
        answer["amount"], answer["amount_exact"] = amounts[0], exact_text(amounts[1])
    return answer, found


def rate_line(text: str) -> dict[str, Any]:
    """The answer to a line of the calculator, without message and trace."""
    answer, found = line_faults(text)
    if found:
        answer["error"] = {"code": found[0][0], "field": found[0][1]}
    return answer
