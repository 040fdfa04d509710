"""Hypothesis strategies of price documents, quantities and events: valid, at the boundaries, and nearly valid."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from naive_document import DAYS, EXT_MODELS, MODIFIERS, OPERATORS
from naive_values import EPOCH, JsonNumber, Refused, exact_text, read_number

Draw = Callable[[st.SearchStrategy[Any]], Any]
Document = dict[str, Any]

PROPERTIES = ["value", "country", "size", "converted", "fee"]
SCALARS: list[Any] = ["GB", "DE", "1.5", "1.50", JsonNumber("1.50"), 10, "10", True, False, "true", JsonNumber("1e1"), -3, "*"]
ZONES = ["UTC", "Europe/London", "Australia/Sydney", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
CLOCKS = ["00:00", "02:00", "06:30", "15:00", "21:30", "23:59", "24:00"]
CURRENCIES = ["usd", "EUR", "gbp", "jpy", "KWD", "bhd", "clf"]
# Monday noon; clock changes of London, New York, Lord Howe; a far year.
MOMENTS = [1704715200, 1711846800, 1729990800, 1710054000, 1730613600, 1696087800, 1712415600, 8_900_000_000, 0]


# Numbers


@st.composite
def decimals(draw: Draw, places: int = 6, *, positive: bool = False) -> Fraction:
    """Zero or more: mostly small, sometimes huge or tiny."""
    kind = draw(st.sampled_from(["small", "small", "small", "fraction", "fraction", "huge", "tiny"]))
    least = 1 if positive else 0
    if kind == "small":
        return Fraction(draw(st.integers(least, 30)))
    if kind == "fraction":
        scale = 10 ** draw(st.integers(1, places)) if places else 1
        return Fraction(draw(st.integers(least, 200 * scale)), scale)
    if kind == "huge":
        return Fraction(draw(st.sampled_from([10**6, 333_000_000, 10**9, 10**15, 10**17])))
    return Fraction(draw(st.integers(least, 3)), 10**places)


@st.composite
def spelled(draw: Draw, number: Fraction) -> Any:
    """One of the spellings of a number whose decimal terminates."""
    plain = exact_text(number)
    bare = JsonNumber(plain)
    choices: list[Any] = [bare, bare, plain, "+" + plain if number >= 0 else plain]
    choices.append(plain + ("0" if "." in plain else "."))
    choices.append("0" + plain if number >= 0 else plain)
    choices.append(JsonNumber(plain + "e0"))
    if plain.startswith("0."):
        choices.append(plain[1:])
    if number.denominator == 1 and number % 10 == 0:
        choices.append(f"{number // 10}E1")
    return draw(st.sampled_from(choices))


@st.composite
def number_field(draw: Draw, *, positive: bool = False, whole: bool = False) -> Any:
    number = draw(decimals(0 if whole else 6, positive=positive))
    return draw(spelled(number))


@st.composite
def amount(draw: Draw, key: str) -> Document:
    """An amount in one or both of its spellings."""
    way = draw(st.sampled_from(["plain", "decimal", "decimal", "both"]))
    if way == "decimal":
        return {key + "_decimal": draw(spelled(draw(decimals(draw(st.sampled_from([3, 12]))))))}
    number = draw(decimals(0))
    fields = {key: draw(spelled(number))}
    if way == "both":
        fields[key + "_decimal"] = draw(spelled(number))
    return fields


@st.composite
def maybe(draw: Draw, fields: st.SearchStrategy[Document]) -> Document:
    return draw(fields) if draw(st.booleans()) else {}


@st.composite
def bounds(draw: Draw) -> Document:
    """minimum_amount and maximum_amount, in order unless reversed on purpose."""
    low, high = sorted([draw(decimals(0)), draw(decimals(0))])
    if draw(st.integers(0, 19)) == 0:
        low, high = high, low
    chosen = {"minimum_amount": draw(spelled(low)), "maximum_amount": draw(spelled(high))}
    return {key: value for key, value in chosen.items() if draw(st.booleans())}


# Tiers


@st.composite
def up_tos(draw: Draw) -> list[Any]:
    numbers = draw(st.lists(decimals(6, positive=True), min_size=draw(st.sampled_from([0, 1, 1, 2])), max_size=3))
    ordered = sorted(set(numbers))
    if draw(st.integers(0, 19)) == 0:
        ordered = numbers
    return [draw(spelled(number)) for number in ordered] + [draw(st.sampled_from(["inf", None]))]


@st.composite
def tiers(draw: Draw, kind: str = "unit") -> list[Document]:
    entries = []
    for bound in draw(up_tos()):
        entry: Document = {"up_to": bound}
        if kind == "step":
            entry |= draw(amount("flat_amount"))
        elif kind == "percent":
            entry |= {"percent": draw(number_field())} | draw(maybe(amount("flat_amount")))
        else:
            way = draw(st.sampled_from(["unit", "flat", "both"]))
            entry |= draw(amount("unit_amount")) if way != "flat" else {}
            entry |= draw(amount("flat_amount")) if way != "unit" else {}
        entries.append(entry)
    return entries


# Conditions


@st.composite
def condition(draw: Draw) -> list[Document]:
    tests = []
    for _ in range(draw(st.integers(1, 2))):
        operator = draw(st.sampled_from(OPERATORS))
        operand: Any = draw(st.booleans())
        if operator in ("in", "not_in"):
            operand = draw(st.lists(st.sampled_from(SCALARS), min_size=1, max_size=3))
        elif operator != "exists":
            number = draw(decimals())
            operand = draw(spelled(-number if draw(st.booleans()) else number))
        tests.append({"property": draw(st.sampled_from(PROPERTIES)), operator: operand})
    return tests


@st.composite
def component(draw: Draw) -> Document:
    fee: Document = draw(maybe(amount("fixed_amount"))) | draw(bounds())
    way = draw(st.sampled_from(["percent", "percent", "of", "cost", "fixed"]))
    if way in ("percent", "of"):
        fee["percent"] = draw(number_field())
    if way == "of":
        fee["of"] = draw(st.sampled_from(["value", "fee"]))
    if way == "cost":
        fee["cost"] = draw(st.sampled_from(["value", "fee"]))
    if way == "fixed":
        fee |= draw(amount("fixed_amount"))
    if draw(st.integers(0, 3)) == 0:
        fee["label"] = draw(st.sampled_from(["a", "b"]))
    return fee


# Models


@st.composite
def per_unit(draw: Draw) -> Document:
    price: Document = draw(amount("unit_amount")) | draw(maybe(st.just({"billing_scheme": "per_unit"})))
    if draw(st.booleans()):
        divisor = draw(spelled(draw(decimals(0, positive=True))))
        price["transform_quantity"] = {"divide_by": divisor, "round": draw(st.sampled_from(["up", "down"]))}
    return price


@st.composite
def tiered(draw: Draw, mode: str) -> Document:
    price: Document = {"tiers_mode": mode, "tiers": draw(tiers())}
    return dict(price | draw(maybe(st.just({"billing_scheme": "tiered"}))))


@st.composite
def package(draw: Draw) -> Document:
    fields: Document = {"size": draw(number_field(positive=True))} | draw(amount("amount"))
    fields |= {"free_units": draw(number_field())} if draw(st.booleans()) else {}
    return dict(fields | draw(maybe(st.sampled_from([{"round": "up"}, {"round": "down"}]))))


VALUE_IN = st.sampled_from([{}, {}, {"value_in": "minor"}, {"value_in": "major"}])
ROUND_PER = st.sampled_from([{}, {"round_per": "line"}, {"round_per": "event"}])


@st.composite
def percentage(draw: Draw) -> Document:
    fields: Document = {"percent": draw(number_field())} | draw(bounds()) | draw(VALUE_IN) | draw(ROUND_PER)
    for key in ("fixed_amount", "free_amount", "cap_amount"):
        fields |= draw(maybe(amount(key)))
    if draw(st.booleans()):
        fields["free_events"] = draw(spelled(Fraction(draw(st.integers(0, 3)))))
    if draw(st.integers(0, 4)) == 0:
        fields["value"] = "fee"
    return fields


@st.composite
def rate_card(draw: Draw) -> Document:
    fees = st.lists(component(), min_size=1, max_size=2)
    rules: list[Document] = [{"when": draw(condition()), "fees": draw(fees)} for _ in range(draw(st.integers(0, 2)))]
    rules.append({"fees": draw(fees)} | draw(st.sampled_from([{}, {"when": []}, {"when": None}])))
    if draw(st.booleans()):
        rules[0]["label"] = draw(st.sampled_from(["rule 1", "rule 2", "first"]))
    fields: Document = {"rules": rules} | draw(bounds()) | draw(VALUE_IN) | draw(ROUND_PER)
    if draw(st.booleans()):
        surcharge: Document = {"fees": draw(fees)} | draw(maybe(st.builds(lambda tests: {"when": tests}, condition())))
        fields["surcharges"] = [surcharge, *draw(st.sampled_from([[], [surcharge]]))]
    if draw(st.integers(0, 4)) == 0:
        fields["value"] = "fee"
    return dict(fields | draw(st.sampled_from([{}, {}, {"line_per_cell": True}, {"line_per_cell": False}])))


@st.composite
def cell_price(draw: Draw) -> Document:
    if draw(st.booleans()):
        return dict(draw(amount("unit_amount")))
    return {"tiers": draw(tiers()), "tiers_mode": draw(st.sampled_from(["graduated", "volume"]))}


@st.composite
def matrix(draw: Draw) -> Document:
    names = draw(st.sampled_from([["country"], ["country", "size"], ["size", "value"]]))
    cells = []
    for _ in range(draw(st.integers(1, 3))):
        cells.append({"match": {name: draw(st.sampled_from([*SCALARS, "*"])) for name in names}} | draw(cell_price()))
        if draw(st.integers(0, 5)) == 0:
            cells[-1]["label"] = draw(st.sampled_from(["a", "GB", "default"]))
    fields: Document = {"dimensions": names, "cells": cells}
    if draw(st.booleans()):
        fields["default"] = draw(cell_price())
    return dict(fields | draw(st.sampled_from([{}, {}, {"line_per_cell": True}])))


@st.composite
def span(draw: Draw) -> Document:
    start, end = sorted(draw(st.lists(st.sampled_from(CLOCKS), min_size=2, max_size=2)))
    days = draw(st.sampled_from([DAYS, DAYS[:5], DAYS[5:], ["sun"], ["mon", "wed"]]))
    return {"days": list(days), "from": start, "to": end}


@st.composite
def time_of_use(draw: Draw) -> Document:
    bands = []
    for place in range(draw(st.integers(1, 2))):
        hours = draw(st.lists(span(), min_size=1, max_size=2))
        bands.append({"label": f"band {place}", "hours": hours} | draw(amount("unit_amount")))
    if draw(st.integers(0, 4)) == 0:
        bands = [{"label": "all", "hours": [{"days": DAYS, "from": "00:00", "to": "24:00"}]} | draw(amount("unit_amount"))]
    fields: Document = {"time_zone": draw(st.sampled_from(ZONES)), "bands": bands}
    if draw(st.integers(0, 3)) and bands[0]["label"] != "all":
        fields["rest"] = draw(amount("unit_amount"))
    return dict(fields | draw(st.sampled_from([{}, {}, {"line_per_cell": True}])))


def ext_model(draw: Draw, name: str) -> Document:
    if name == "flat":
        return dict(draw(amount("amount")))
    if name == "stairstep":
        return {"tiers": draw(tiers("step"))}
    if name == "graduated_percentage":
        return dict({"tiers": draw(tiers("percent"))} | draw(VALUE_IN))
    if name == "cost":
        return dict(draw(maybe(st.builds(lambda number: {"multiplier": number}, number_field()))) | draw(VALUE_IN))
    strategies = {"package": package, "percentage": percentage, "rate_card": rate_card, "matrix": matrix, "time_of_use": time_of_use}
    return dict(draw(strategies[name]()))


# Modifiers


def modifier(draw: Draw, name: str) -> Any:
    if name == "allowance":
        return {"units": draw(number_field())}
    if name == "conversion":
        fields = {draw(st.sampled_from(["multiply_by", "divide_by"])): draw(number_field(positive=True))}
        return fields | draw(st.sampled_from([{}, {"round": "none"}, {"round": "up"}, {"round": "down", "unit": "GB"}]))
    if name == "flat_at_zero":
        return draw(st.booleans())
    if name in ("minimum", "maximum"):
        return draw(amount("amount"))
    if name == "rounding":
        return {"mode": draw(st.sampled_from(["half_away", "half_even", "up", "down"]))}
    return draw(st.sampled_from(["period", "term"]))


@st.composite
def prices(draw: Draw, model: str, excluded: list[str]) -> Document:
    """A price of the model with some modifiers, mostly valid."""
    price: Document = {"currency": draw(st.sampled_from(CURRENCIES))}
    ext: Document = {}
    if model == "per_unit":
        price |= draw(per_unit())
    elif model in ("graduated", "volume"):
        price |= draw(tiered(model))
    else:
        ext[model] = ext_model(draw, model)
    fitting = [name for name in MODIFIERS if name not in excluded]
    for name in draw(st.lists(st.sampled_from(fitting), max_size=3, unique=True)):
        ext[name] = modifier(draw, name)
    if draw(st.integers(0, 30)) == 0:
        name = draw(st.sampled_from(MODIFIERS))
        ext[name] = modifier(draw, name)
    if ext or draw(st.booleans()):
        price["ext"] = ext
    return price


# Faults


JUNK: list[Any] = [None, True, False, 0, -1, 1, 7, "", "abc", "x" * 101, "x" * 501, "NaN", "-inf", "inf", "1.5", "-0", "0", "1e3", "1e-3"]
JUNK += [JsonNumber("1.5"), JsonNumber("-0.0"), JsonNumber("1e400"), "9" * 20, "9" * 21, "0." + "1" * 18, "0." + "1" * 19, "0." + "1" * 12]
JUNK += [JsonNumber("NaN"), JsonNumber("1e3"), JsonNumber("0e9999"), JsonNumber("1e9999"), "sNaN", "1e0003", "Infinity", "1" * 201]
JUNK += ["0." + "1" * 13, "1e9999", " 1", "1_000", "0x1", [], {}, [1], ["a"], {"amount": 1}, [{}], "mon", "up", "usd", "24:00", "\0", "\ud800", "٣"]
KEYS = ["colour", "unit_amount", "unit_amount_decimal", "flat_amount", "amount", "amount_decimal", "tiers", "tiers_mode", "billing_scheme", "ext"]
KEYS += ["transform_quantity", "label", "percent", "of", "cost", "value", "up_to", "round", "rest", "default", "cap_amount", "in", "exists", "lt"]
KEYS += ["currency_options", "custom_unit_amount", "id", "minimum_amount", "maximum_amount_decimal", "line_per_cell", *EXT_MODELS, *MODIFIERS]
GIVEN: dict[str, Any] = {"tiers": [{"up_to": "inf", "unit_amount": 1}], "ext": {}, "flat": {"amount": 1}, "cost": {}, "minimum": {"amount": 3}}
GIVEN |= {"maximum": {"amount": 3}, "allowance": {"units": 2}, "in": ["GB"], "exists": True, "default": {"unit_amount": 1}}
GIVEN |= {"rest": {"unit_amount": 1}, "transform_quantity": {"divide_by": 2, "round": "up"}, "tiers_mode": "volume", "billing_scheme": "tiered"}


def places(value: Any) -> list[tuple[Any, Any]]:
    """All (container, key or index) of a document."""
    found: list[tuple[Any, Any]] = []
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []:
        found.append((value, key))
        found += places(entry)
    return found


@st.composite
def broken(draw: Draw, document: Document) -> Document:
    """The document with one change."""
    document = copy.deepcopy(document)
    container, key = draw(st.sampled_from(places(document)))
    change = draw(st.sampled_from(["replace", "replace", "replace", "delete", "add", "add", "repeat", "swap", "negate"]))
    if change == "replace":
        container[key] = draw(st.sampled_from(JUNK))
    elif change == "delete":
        del container[key]
    elif change == "add" and isinstance(container, dict):
        name = draw(st.sampled_from(KEYS))
        container[name] = draw(st.sampled_from([GIVEN.get(name, 1), GIVEN.get(name, 1), *JUNK]))
    elif change == "negate":
        try:
            container[key] = exact_text(-read_number(container[key]))
        except Refused:
            container[key] = draw(st.sampled_from(JUNK))
    elif isinstance(container, list):
        if change == "swap":
            container.insert(0, container.pop())
        else:
            container.insert(key, copy.deepcopy(container[key]))
    return document


# Usage


def numbers_in(value: Any) -> list[Fraction]:
    """The numbers of a document, where a quantity may turn."""
    numbers = []
    for container, key in places(value):
        try:
            numbers.append(read_number(container[key]))
        except Refused:
            continue
    return numbers


def readable(value: Any) -> Fraction | None:
    """The number that a value stands for, if it is one, above zero."""
    try:
        number = read_number(value)
    except Refused:
        return None
    return number if number > 0 else None


def bounds_in(price: Document) -> list[Fraction]:
    """The bounds and block sizes of a price, in the units that the model counts."""
    found = [readable(container[key]) for container, key in places(price) if key in ("up_to", "size", "units", "free_units", "free_amount")]
    return [bound for bound in found if bound is not None]


def measured_for(price: Document, paid: Fraction) -> Fraction:
    """The measured quantity that comes to a quantity after conversion, allowance and free units."""
    ext = price.get("ext")
    for path in (("package", "free_units"), ("allowance", "units")):
        inner = ext.get(path[0]) if isinstance(ext, dict) else None
        paid += (readable(inner.get(path[1])) if isinstance(inner, dict) else None) or 0
    conversion = ext.get("conversion") if isinstance(ext, dict) else None
    if isinstance(conversion, dict):
        paid = paid / (readable(conversion.get("multiply_by")) or 1) * (readable(conversion.get("divide_by")) or 1)
    transform = price.get("transform_quantity")
    if isinstance(transform, dict):
        paid *= readable(transform.get("divide_by")) or 1
    return paid


@st.composite
def at_bounds(draw: Draw, price: Document) -> Fraction:
    """A quantity exactly at a bound, at a multiple of it, or just beside."""
    bound = draw(st.sampled_from([*(bounds_in(price) * 2 or [Fraction(1)]), Fraction(0)]))
    bound *= draw(st.sampled_from([1, 1, 1, 1, 1, 2]))
    number: Fraction = measured_for(price, bound)
    if any(container[key] == "major" for container, key in places(price)):
        number /= 100
    beside: Fraction = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(0), Fraction(1, 10**18), -Fraction(1, 10**18)]))
    return number + beside


@st.composite
def anywhere(draw: Draw, price: Document) -> Fraction:
    """A number of the price, a sum, product or quotient of two, or any other."""
    turns = [Fraction(0), Fraction(1), *numbers_in(price)]
    number: Fraction = draw(st.one_of(st.sampled_from(turns), decimals(9)))
    way, other = draw(st.integers(0, 4)), draw(st.sampled_from(turns))
    if way == 1:
        number += other
    elif way == 2:
        number *= other
    elif way == 3 and other:
        number /= other
    beside: Fraction = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2)]))
    return number + beside


@st.composite
def quantities(draw: Draw, price: Document) -> Fraction:
    """A number that can be written, of either sign."""
    number = draw(st.one_of(at_bounds(price), at_bounds(price), anywhere(price)))
    if draw(st.integers(0, 11)) == 0:
        number = -number
    return number if (number * 10**18).denominator == 1 and abs(number) < 10**20 else Fraction(int(number) % 10**19)


FLAWS: list[Any] = [None, "x", "-1", "NaN", "", True, [], {}, "9" * 21, "1e3", "1" * 201, "x" * 1001, "\0", JsonNumber("1.5"), JsonNumber("9" * 21)]
FLAWS += ["2024-01-01T00:00:00", "9999-12-31T23:59:59-23:00", "0000-02-29T00:00:00Z", "2016-12-31T23:59:60Z", "2024-01-01t00:00:00.1234567z"]
FLAWS += [JsonNumber("-Infinity"), JsonNumber("1e0003")]


@st.composite
def payloads(draw: Draw, price: Document) -> list[Document]:
    """Events: all with times, or none, but for a few."""
    timed = draw(st.booleans()) or "time_of_use" in (price.get("ext") or {})
    flawed = draw(st.integers(0, 5)) == 0
    events = []
    for _ in range(draw(st.integers(0, 5))):
        value = draw(st.one_of(decimals(), quantities(price)))
        event: Document = {"value": draw(spelled(abs(value) if draw(st.integers(0, 6)) else value))}
        for name in PROPERTIES[1:4]:
            if draw(st.booleans()):
                event[name] = draw(st.sampled_from([*SCALARS[:-1], None, "US"]))
        if draw(st.integers(0, 9)):
            event["fee"] = draw(spelled(draw(decimals())))
        if timed:
            event["timestamp"] = draw(moments())
        if flawed and draw(st.booleans()):
            name = draw(st.sampled_from(list(event)))
            event[name] = draw(st.sampled_from(FLAWS))
        events.append(event)
    return events


@st.composite
def moments(draw: Draw) -> str:
    """RFC 3339 of a time near a turn of the clock or of a band."""
    seconds = draw(st.sampled_from(MOMENTS)) + draw(st.sampled_from([0, -1, 1, 1800, 3600, 7200])) + draw(st.integers(0, 168)) * 3600
    moment = EPOCH + timedelta(seconds=max(seconds, 0), microseconds=draw(st.sampled_from([0, 0, 999999])))
    offset = draw(st.sampled_from([None, None, 0, 60, -330]))
    if offset is None:
        return moment.replace(tzinfo=None).isoformat() + "Z"
    sign = "-" if offset < 0 else "+"
    local = (moment + timedelta(minutes=offset)).replace(tzinfo=None)
    return f"{local.isoformat()}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


@st.composite
def lines(draw: Draw, model: str, excluded: list[str]) -> Document:
    """A line of the calculator; a quarter of the prices are changed in one place, a few in two."""
    price = draw(prices(model, excluded))
    line: Document = {"id": 1, "price": price}
    on_events = model in ("percentage", "rate_card", "matrix", "time_of_use")
    if draw(st.integers(0, 19)) if on_events else draw(st.integers(0, 4)) == 0:
        line["events"] = draw(payloads(price))
    else:
        line["quantity"] = draw(spelled(draw(quantities(price))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1, 1, 1, 2]))):
        line["price"] = draw(broken(line["price"]))
    return line
