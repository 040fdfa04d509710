"""Naive check of price documents, one function for each model and modifier of docs/pricing.md. Standard library only."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from naive_values import Faults, JsonNumber, Reader, Refused, Test, depth, property_text, read_number, text_fault

NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
FOUR_DECIMALS = "CLF UYW"
TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE
CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UZS VED VES WST XCD
YER ZAR ZMW
"""
MINOR_DIGITS = (
    dict.fromkeys(NO_DECIMALS.split(), 0)
    | dict.fromkeys(TWO_DECIMALS.split(), 2)
    | dict.fromkeys(THREE_DECIMALS.split(), 3)
    | dict.fromkeys(FOUR_DECIMALS.split(), 4)
)
# Codes whose standing changed between editions of the standard; the page names that of 2026.
MINOR_DIGITS |= dict.fromkeys(["XAD", "XCG", "ZWG"], 2)

INERT = ["object", "active", "created", "livemode", "lookup_key", "metadata", "nickname", "product", "recurring", "tax_behavior", "type"]
WIRE_FIELDS = ["unit_amount", "unit_amount_decimal", "transform_quantity", "tiers", "tiers_mode"]
EXT_MODELS = ["flat", "package", "stairstep", "percentage", "graduated_percentage", "rate_card", "cost", "matrix", "time_of_use"]
MODIFIERS = ["allowance", "conversion", "flat_at_zero", "minimum", "maximum", "rounding", "accumulate"]
OPERATORS = ["in", "not_in", "exists", "lt", "lte", "gt", "gte"]
CLOCK = {f"{hour:02}:{minute:02}": hour * 60 + minute for hour in range(24) for minute in range(60)}
TIME_ZONES = zoneinfo.available_timezones() - {"localtime"}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

# The table "What goes together": the modifiers marked "no".
EXCLUDED = {
    "per_unit": ["flat_at_zero"],
    "flat": ["allowance", "conversion"],
    "graduated": [],
    "volume": [],
    "package": ["flat_at_zero"],
    "stairstep": [],
    "percentage": ["allowance", "conversion", "flat_at_zero"],
    "graduated_percentage": [],
    "rate_card": ["allowance", "conversion", "flat_at_zero"],
    "cost": ["flat_at_zero"],
    "matrix": ["allowance", "flat_at_zero"],
    "time_of_use": ["allowance", "flat_at_zero"],
}

# What this reference knows. It says nothing of other models and modifiers: one may be added without it.
COVERED = [*EXCLUDED, *MODIFIERS]


@dataclass
class Price:
    """A price that was read: the model's fields and the modifiers, with exact numbers."""

    currency: str
    model: str
    body: dict[str, Any]
    modifiers: dict[str, Any]


# Models


def read_per_unit(top: Reader) -> dict[str, Any]:
    unit = top.amount("unit_amount", required=True)
    divide_by, direction = None, None
    transform = top.object("transform_quantity")
    if transform is not None:
        transform.known("divide_by", "round")
        divide_by = transform.number("divide_by", required=True, whole=True)
        if divide_by == 0:
            transform.fault("number_not_positive", "divide_by")
        direction = transform.choice("round", "up", "down", required=True)
    return {"unit": unit, "divide_by": divide_by, "round": direction}


def read_tiered(top: Reader) -> dict[str, Any]:
    if top.absent("tiers", required=True):
        tiers = None
    else:
        tiers = read_tiers(top, read_unit_tier)
    top.choice("tiers_mode", "graduated", "volume", required=True)
    return {"tiers": tiers}


def read_flat(model: Reader) -> dict[str, Any]:
    model.known("amount", "amount_decimal")
    return {"amount": model.amount("amount", required=True)}


def read_package(model: Reader) -> dict[str, Any]:
    model.known("size", "amount", "amount_decimal", "free_units", "round")
    return {
        "size": model.number("size", required=True, sign="above zero"),
        "amount": model.amount("amount", required=True),
        "free_units": model.number("free_units") or Fraction(0),
        "round": model.choice("round", "up", "down") or "up",
    }


def read_stairstep(model: Reader) -> dict[str, Any]:
    model.known("tiers")
    if model.absent("tiers", required=True):
        return {}
    return {"tiers": read_tiers(model, read_step)}


def read_percentage(model: Reader) -> dict[str, Any]:
    amounts = ["fixed_amount", "minimum_amount", "maximum_amount", "free_amount", "cap_amount"]
    model.known("percent", "free_events", "value", "value_in", "round_per", *amounts, *(name + "_decimal" for name in amounts))
    return read_bounds(model) | {
        "percent": model.number("percent", required=True),
        "fixed": model.amount("fixed_amount") or Fraction(0),
        "free_events": model.number("free_events", whole=True) or Fraction(0),
        "free_amount": model.amount("free_amount") or Fraction(0),
        "cap": model.amount("cap_amount"),
        "value": model.property("value") or "value",
        "value_in": model.choice("value_in", "minor", "major") or "minor",
        "round_per": model.choice("round_per", "line", "event") or "line",
    }


def read_graduated_percentage(model: Reader) -> dict[str, Any]:
    model.known("tiers", "value_in")
    value_in = model.choice("value_in", "minor", "major") or "minor"
    if model.absent("tiers", required=True):
        return {}
    return {"tiers": read_tiers(model, read_percent_tier), "value_in": value_in}


def read_rate_card(model: Reader) -> dict[str, Any]:
    bounds = ["minimum_amount", "maximum_amount"]
    model.known("rules", "surcharges", "value", "value_in", "round_per", "line_per_cell", *bounds, *(name + "_decimal" for name in bounds))
    rules = [read_rule(rule) for rule in model.objects("rules", required=True)]
    check_rules(model, rules)
    surcharges = [read_rule(surcharge) for surcharge in model.objects("surcharges")]
    return read_bounds(model) | {
        "rules": rules,
        "surcharges": surcharges,
        "value": model.property("value") or "value",
        "value_in": model.choice("value_in", "minor", "major") or "minor",
        "round_per": model.choice("round_per", "line", "event") or "line",
        "line_per_cell": model.boolean("line_per_cell", default=False),
    }


def read_cost(model: Reader) -> dict[str, Any]:
    model.known("multiplier", "value_in")
    multiplier = model.number("multiplier")
    return {
        "multiplier": Fraction(1) if multiplier is None else multiplier,
        "value_in": model.choice("value_in", "minor", "major") or "minor",
    }


def read_matrix(model: Reader) -> dict[str, Any]:
    model.known("dimensions", "cells", "default", "line_per_cell")
    dimensions = read_dimensions(model)
    cells = [read_cell(cell, dimensions) for cell in model.objects("cells", required=True)]
    default = model.object("default")
    standard = None if default is None else read_default(default)
    check_cells(model, dimensions, cells, standard)
    return {"dimensions": dimensions, "cells": cells, "default": standard, "line_per_cell": model.boolean("line_per_cell", default=False)}


def read_time_of_use(model: Reader) -> dict[str, Any]:
    model.known("time_zone", "bands", "rest", "line_per_cell")
    zone = model.text("time_zone", required=True)
    if zone is not None and zone not in TIME_ZONES:
        model.fault("time_zone_unknown", "time_zone")
    taken: set[tuple[int, int]] = set()
    doubtful = len(model.faults.found)
    bands = [read_band(band, taken) for band in model.objects("bands", required=True)]
    certain = len(model.faults.found) == doubtful
    rest_reader = model.object("rest")
    rest = None
    if rest_reader is not None:
        rest_reader.known("label", "unit_amount", "unit_amount_decimal")
        rest = {"label": label_of(rest_reader, "rest"), "path": rest_reader.path, "unit": rest_reader.amount("unit_amount", required=True)}
    whole_week = len(taken) == 7 * 24 * 60
    if certain and not whole_week and not model.given("rest"):
        model.fault("bands_incomplete", "rest")
    if certain and whole_week and model.given("rest"):
        model.fault("rule_unreachable", "rest")
    check_labels(model.faults, [*bands, *([rest] if rest else [])])
    return {"zone": zone, "bands": bands, "rest": rest, "line_per_cell": model.boolean("line_per_cell", default=False)}


MODEL_READERS = {
    "flat": read_flat,
    "package": read_package,
    "stairstep": read_stairstep,
    "percentage": read_percentage,
    "graduated_percentage": read_graduated_percentage,
    "rate_card": read_rate_card,
    "cost": read_cost,
    "matrix": read_matrix,
    "time_of_use": read_time_of_use,
}


# Parts of models


def read_bounds(reader: Reader) -> dict[str, Any]:
    low = reader.amount("minimum_amount")
    high = reader.amount("maximum_amount")
    if low is not None and high is not None and low > high:
        reader.fault("bounds_reversed", "maximum_amount")
    return {"minimum": low, "maximum": high}


def read_unit_tier(tier: Reader) -> dict[str, Any]:
    tier.known("up_to", "unit_amount", "unit_amount_decimal", "flat_amount", "flat_amount_decimal")
    if not tier.amount_given("unit_amount") and not tier.amount_given("flat_amount"):
        tier.fault("field_missing", "unit_amount")
    return {"unit": tier.amount("unit_amount") or Fraction(0), "flat": tier.amount("flat_amount") or Fraction(0)}


def read_step(tier: Reader) -> dict[str, Any]:
    tier.known("up_to", "flat_amount", "flat_amount_decimal")
    return {"flat": tier.amount("flat_amount", required=True)}


def read_percent_tier(tier: Reader) -> dict[str, Any]:
    tier.known("up_to", "percent", "flat_amount", "flat_amount_decimal")
    return {"percent": tier.number("percent", required=True), "flat": tier.amount("flat_amount") or Fraction(0)}


def read_tiers(owner: Reader, read_entry: Any) -> list[dict[str, Any]] | None:
    """The tiers of the field `tiers`, which is given; `up_to` is None where a tier has no end."""
    raw = owner.document["tiers"]
    if not isinstance(raw, list) or len(raw) > 1000:
        owner.fault("field_invalid", "tiers")
        return None
    if not raw:
        owner.fault("tiers_empty", "tiers")
        return None
    tiers: list[dict[str, Any]] = []
    before: Fraction | None = None
    for index, entry in enumerate(raw):
        path = f"{owner.at('tiers')}[{index}]"
        if not isinstance(entry, dict):
            owner.faults.add("not_an_object", path)
            continue
        tier = Reader(owner.faults, entry, path)
        last = index == len(raw) - 1
        bound = None
        if "up_to" not in entry:
            tier.fault("field_missing", "up_to")
        elif entry["up_to"] is None or entry["up_to"] == "inf":
            if not last:
                tier.fault("tiers_after_end", "up_to")
        else:
            bound = tier.number("up_to", sign="above zero")
            if last and bound is not None:
                tier.fault("tiers_no_end", "up_to")
            if bound is not None and before is not None and bound <= before:
                tier.fault("tiers_overlap", "up_to")
        before = bound
        tiers.append({"up_to": bound} | read_entry(tier))
    return tiers


def read_condition(owner: Reader, key: str) -> list[Test]:
    """A condition; absent and empty are the same."""
    if not owner.given(key):
        return []
    raw = owner.document[key]
    if not isinstance(raw, list) or len(raw) > 50:
        owner.fault("field_invalid", key)
        return []
    tests = []
    for index, entry in enumerate(raw):
        path = f"{owner.at(key)}[{index}]"
        if isinstance(entry, dict):
            tests.append(read_test(Reader(owner.faults, entry, path)))
        else:
            owner.faults.add("not_an_object", path)
    return tests


def read_test(test: Reader) -> Test:
    test.known("property", *OPERATORS)
    name = test.property("property", required=True) or ""
    given = [operator for operator in OPERATORS if test.given(operator)]
    if not given:
        test.faults.add("field_missing", test.path)
        return Test(name, "exists", True)
    if len(given) > 1:
        test.fault("fields_conflict", given[1])
    operands = [read_operand(test, operator) for operator in given]
    return Test(name, given[0], operands[0])


def read_operand(test: Reader, operator: str) -> Any:
    if operator in ("in", "not_in"):
        return [read_scalar(test.faults, value, path) for path, value in test.list(operator, required=True) or []]
    if operator == "exists":
        return test.boolean("exists", default=True)
    return test.number(operator, sign="any")


def read_scalar(faults: Faults, value: Any, path: str) -> str | None:
    """A value that properties are compared with, as text."""
    if value is None:
        faults.add("property_not_scalar", path)
        return None
    try:
        text = property_text(value)
    except Refused as refused:
        faults.add(refused.code, path)
        return None
    if text is not None and len(text) > 1000:
        faults.add("text_too_long", path)
    return text


def label_of(owner: Reader, default: str | None) -> str | None:
    """The label given, or the default; None if it is faulty (or absent and required)."""
    if not owner.given("label") and default is not None:
        return default
    return owner.text("label", required=True)


def check_labels(faults: Faults, labelled: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for one in labelled:
        if one["label"] is None:
            continue
        if one["label"] in seen:
            faults.add("label_repeated", one["path"] + ".label")
        seen.add(one["label"])


def read_rule(rule: Reader) -> dict[str, Any]:
    """A rule or a surcharge."""
    rule.known("label", "when", "fees")
    place = int(rule.path.rsplit("[", 1)[1].rstrip("]")) + 1
    return {
        "path": rule.path,
        "label": label_of(rule, f"rule {place}"),
        "conditional": rule.given("when") and rule.document["when"] != [],
        "when": read_condition(rule, "when"),
        "fees": [read_component(fee) for fee in rule.objects("fees", required=True)],
    }


def read_component(fee: Reader) -> dict[str, Any]:
    amounts = ["fixed_amount", "minimum_amount", "maximum_amount"]
    fee.known("label", "percent", "of", "cost", *amounts, *(name + "_decimal" for name in amounts))
    fee.text("label")
    if fee.given("percent") and fee.given("cost"):
        fee.fault("fields_conflict", "cost")
    if fee.given("of") and not fee.given("percent"):
        fee.fault("fields_conflict", "of")
    if not fee.given("percent") and not fee.given("cost") and not fee.amount_given("fixed_amount"):
        fee.fault("field_missing", "percent")
    return read_bounds(fee) | {
        "percent": fee.number("percent"),
        "of": fee.property("of"),
        "cost": fee.property("cost"),
        "fixed": fee.amount("fixed_amount") or Fraction(0),
    }


def check_rules(model: Reader, rules: list[dict[str, Any]]) -> None:
    reached = True
    for rule in rules:
        if not reached:
            model.faults.add("rule_unreachable", rule["path"])
        if not rule["conditional"]:
            reached = False
    if rules and rules[-1]["conditional"] and rules[-1]["path"] == f"{model.at('rules')}[{len(model.document['rules']) - 1}]":
        model.faults.add("rules_no_default", rules[-1]["path"] + ".when")
    check_labels(model.faults, rules)


def read_dimensions(model: Reader) -> list[str]:
    names: list[str] = []
    for path, value in model.list("dimensions", required=True) or []:
        wrong = text_fault(value, 100) if isinstance(value, str) else "field_invalid"
        if wrong is not None:
            model.faults.add(wrong, path)
        elif value in names:
            model.faults.add("label_repeated", path)
        else:
            names.append(value)
    return names


def read_cell(cell: Reader, dimensions: list[str]) -> dict[str, Any]:
    cell.known("match", "label", "unit_amount", "unit_amount_decimal", "tiers", "tiers_mode")
    match: list[str | None] | None = None
    reader = cell.object("match", required=True)
    if reader is not None:
        reader.known(*dimensions)
        match = []
        for name in dimensions:
            match.append(None if reader.absent(name, required=True) else read_scalar(cell.faults, reader.document[name], reader.at(name)))
    known = match is not None and None not in match
    joined = " / ".join(str(value) for value in match or [])
    label = label_of(cell, joined) if cell.given("label") or known else None
    return {"path": cell.path, "match": match if known else None, "label": label} | read_cell_price(cell)


def read_default(default: Reader) -> dict[str, Any]:
    default.known("label", "unit_amount", "unit_amount_decimal", "tiers", "tiers_mode")
    return {"path": default.path, "match": None, "label": label_of(default, "default")} | read_cell_price(default)


def read_cell_price(cell: Reader) -> dict[str, Any]:
    unit = cell.amount("unit_amount")
    has_unit = cell.amount_given("unit_amount")
    if has_unit and cell.given("tiers"):
        cell.fault("fields_conflict", "tiers")
    if has_unit and cell.given("tiers_mode"):
        cell.fault("fields_conflict", "tiers_mode")
    if not has_unit and not cell.given("tiers"):
        cell.fault("field_missing", "unit_amount")
    tiers = read_tiers(cell, read_unit_tier) if cell.given("tiers") else None
    mode = cell.choice("tiers_mode", "graduated", "volume", required=cell.given("tiers"))
    return {"unit": unit, "tiers": tiers, "mode": mode}


def check_cells(model: Reader, dimensions: list[str], cells: list[dict[str, Any]], default: dict[str, Any] | None) -> None:
    certain = [cell for cell in cells if cell["match"] is not None]
    for place, cell in enumerate(certain):
        for earlier in certain[:place]:
            if all(mine in ("*", yours) for mine, yours in zip(earlier["match"], cell["match"], strict=True)):
                model.faults.add("rule_unreachable", cell["path"])
    if default is not None and any(all(value == "*" for value in cell["match"]) for cell in certain if dimensions):
        model.fault("rule_unreachable", "default")
    check_labels(model.faults, [*cells, *([default] if default else [])])


def read_band(band: Reader, taken: set[tuple[int, int]]) -> dict[str, Any]:
    """A band; its minutes of the week, as (day, minute), are added to those taken."""
    band.known("label", "hours", "unit_amount", "unit_amount_decimal")
    mine: set[tuple[int, int]] = set()
    for span in band.objects("hours", required=True):
        for day, minute in read_span(span):
            if (day, minute) in taken and ("bands_overlap", span.path) not in span.faults.found:
                span.faults.add("bands_overlap", span.path)
            taken.add((day, minute))
            mine.add((day, minute))
    unit = band.amount("unit_amount", required=True)
    return {"path": band.path, "label": label_of(band, None), "minutes": mine, "unit": unit}


def read_span(span: Reader) -> list[tuple[int, int]]:
    span.known("days", "from", "to")
    days = []
    for path, value in span.list("days", required=True) or []:
        if isinstance(value, str) and value in DAYS:
            days.append(DAYS.index(value))
        else:
            span.faults.add("band_hours_invalid", path)
    start = read_clock(span, "from")
    end = read_clock(span, "to")
    if start is not None and end is not None and start >= end:
        span.fault("band_hours_invalid", "to")
    if start is None or end is None:
        return []
    return [(day, minute) for day in days for minute in range(start, end)]


def read_clock(span: Reader, key: str) -> int | None:
    """Minutes since midnight of "HH:MM"."""
    text = span.text(key, required=True)
    if text is None:
        return None
    if text == "24:00" and key == "to":
        return 24 * 60
    if text not in CLOCK:
        span.fault("band_hours_invalid", key)
        return None
    return CLOCK[text]


# Modifiers


def read_allowance(ext: Reader) -> Any:
    reader = ext.object("allowance")
    if reader is None:
        return None
    reader.known("units")
    return reader.number("units", required=True)


def read_conversion(ext: Reader) -> Any:
    reader = ext.object("conversion")
    if reader is None:
        return None
    reader.known("multiply_by", "divide_by", "round", "unit")
    multiply = reader.number("multiply_by", sign="above zero")
    divide = reader.number("divide_by", sign="above zero")
    if reader.given("multiply_by") and reader.given("divide_by"):
        reader.fault("fields_conflict", "divide_by")
    if not reader.given("multiply_by") and not reader.given("divide_by"):
        reader.fault("field_missing", "divide_by")
    reader.text("unit")
    direction = reader.choice("round", "none", "up", "down") or "none"
    factor = multiply if multiply is not None else None if divide is None else 1 / divide
    return {"factor": factor, "round": direction}


def read_flat_at_zero(ext: Reader) -> Any:
    return ext.boolean("flat_at_zero", default=True)


def read_minimum(ext: Reader) -> Any:
    reader = ext.object("minimum")
    if reader is None:
        return None
    reader.known("amount", "amount_decimal")
    return reader.amount("amount", required=True)


def read_maximum(ext: Reader) -> Any:
    reader = ext.object("maximum")
    if reader is None:
        return None
    reader.known("amount", "amount_decimal")
    return reader.amount("amount", required=True)


def read_rounding(ext: Reader) -> Any:
    reader = ext.object("rounding")
    if reader is None:
        return "half_away"
    reader.known("mode")
    return reader.choice("mode", "half_away", "half_even", "up", "down", required=True)


def read_accumulate(ext: Reader) -> Any:
    return ext.choice("accumulate", "period", "term") or "period"


def read_modifiers(ext: Reader, model: str, body: dict[str, Any]) -> dict[str, Any]:
    modifiers = {
        "allowance": read_allowance(ext),
        "conversion": read_conversion(ext),
        "flat_at_zero": read_flat_at_zero(ext),
        "minimum": read_minimum(ext),
        "maximum": read_maximum(ext),
        "rounding": read_rounding(ext),
        "accumulate": read_accumulate(ext),
    }
    for name in EXCLUDED[model]:
        if ext.given(name):
            ext.fault("modifier_not_applicable", name)
    for name in ("minimum", "maximum"):
        if ext.given(name) and body.get("line_per_cell"):
            ext.fault("modifier_not_applicable", name)
    low, high = modifiers["minimum"], modifiers["maximum"]
    if low is not None and high is not None and low > high:
        ext.fault("bounds_reversed", "maximum")
    if model == "percentage" and body["cap"] is not None and low is not None and low > body["cap"]:
        ext.fault("bounds_reversed", "minimum")
    if model == "percentage" and body["cap"] is not None and ext.given("maximum"):
        ext.fault("fields_conflict", "maximum")
    if modifiers["conversion"] and modifiers["conversion"]["round"] != "none" and cell_count(model, body) > 1:
        ext.fault("modifier_not_applicable", "conversion.round")
    return modifiers


def cell_count(model: str, body: dict[str, Any]) -> int:
    if model == "matrix":
        return len(body["cells"]) + (body["default"] is not None)
    if model == "time_of_use":
        return len(body["bands"]) + (body["rest"] is not None)
    return 1


# The whole document


def read_currency(top: Reader) -> str | None:
    if top.absent("currency", required=True):
        return None
    value = top.document["currency"]
    if not isinstance(value, str) or not value.isascii() or value.upper() not in MINOR_DIGITS:
        top.fault("currency_unknown", "currency")
        return None
    return value.upper()


def read_top(top: Reader) -> str | None:
    """The fields of the top level, apart from the model's."""
    top.known("currency", "id", "billing_scheme", "ext", "currency_options", "custom_unit_amount", *WIRE_FIELDS, *INERT)
    top.text("id")
    for key in ("currency_options", "custom_unit_amount"):
        value = top.document.get(key)
        if value is not None and value is not False and value not in ({}, [], ""):
            top.fault("price_field_unsupported", key)
    return read_currency(top)


def find_model(top: Reader, ext: Reader) -> str | None:
    """The model's name; notes the conflicts between models."""
    scheme = top.choice("billing_scheme", "per_unit", "tiered")
    named = [key for key in ext.document if key in EXT_MODELS and ext.given(key)]
    for extra in named[1:2]:
        ext.fault("models_conflict", extra)
    if named:
        for key in WIRE_FIELDS:
            if top.given(key):
                top.fault("models_conflict", key)
        if scheme == "tiered":
            top.fault("models_conflict", "billing_scheme")
        return named[0]
    if scheme is None and top.given("billing_scheme"):
        return None
    if scheme == "tiered" or (scheme is None and top.given("tiers")):
        for key in ("unit_amount", "unit_amount_decimal", "transform_quantity"):
            if top.given(key):
                top.fault("fields_conflict", key)
        mode = top.document.get("tiers_mode")
        return mode if mode in ("graduated", "volume") else "graduated"
    for key in ("tiers", "tiers_mode"):
        if top.given(key):
            top.fault("fields_conflict", key)
    return "per_unit"


def read_model(top: Reader, ext: Reader, name: str) -> dict[str, Any]:
    if name == "per_unit":
        return read_per_unit(top)
    if name in ("graduated", "volume"):
        return read_tiered(top)
    reader = ext.object(name)
    return {} if reader is None else MODEL_READERS[name](reader)


def check_scalars(value: Any, path: str, faults: Faults) -> None:
    """Bare numbers and texts anywhere in the document, also where no field of this page is."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if text_fault(key, len(key)) == "text_not_storable":
                faults.add("text_not_storable", path or None)
            check_scalars(entry, f"{path}.{key}" if path else key, faults)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            check_scalars(entry, f"{path}[{index}]", faults)
    elif isinstance(value, str) and text_fault(value, len(value)) == "text_not_storable":
        faults.add("text_not_storable", path or None)
    elif isinstance(value, JsonNumber):
        try:
            read_number(value)
        except Refused as refused:
            faults.add(refused.code, path or None)


def read_price(document: Any) -> tuple[Price | None, Faults]:
    """The price, and all that is wrong with its document; there is a price only if nothing is."""
    faults = Faults()
    if depth(document) > 32:
        faults.add("json_malformed", None)
        return None, faults
    check_scalars(document, "", faults)
    if faults.found:
        return None, faults
    if not isinstance(document, dict):
        faults.add("not_an_object", None)
        return None, faults
    top = Reader(faults, document, "")
    currency = read_top(top)
    ext = top.object("ext") or Reader(faults, {}, "ext")
    ext.known(*EXT_MODELS, *MODIFIERS)
    name = find_model(top, ext)
    if name is None or (name in EXT_MODELS and not isinstance(ext.document[name], dict)):
        if name is not None:
            ext.fault("not_an_object", name)
        return None, faults
    body = read_model(top, ext, name)
    modifiers = read_modifiers(ext, name, {"cap": None, "cells": [], "default": None, "bands": [], "rest": None} | body)
    if faults.found or currency is None:
        return None, faults
    return Price(currency, name, body, modifiers), faults
