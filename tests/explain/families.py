"""One line of every model family, and of everything that happens to a line: the worked examples of docs/explanations.md."""

from dataclasses import replace
from fractions import Fraction

from bill_builders import correction, fixed, grant, issued_by, key, line, percent, rate
from line_documents import HOUR, derivation, events, finished, line_document, rate_licence, rate_usage

from farthing.core.invoice.difference import difference
from farthing.core.invoice.discount import apply_discounts
from farthing.core.invoice.invoice import Cause
from farthing.core.settlement.grants import apply_before_tax
from farthing.core.tax.taxes import apply_taxes
from farthing.core.usage.meter import Aggregation, Meter, Windows


def of_usage(price, given, meter=None, description="Usage", **more):
    rated, meter = rate_usage(price, given, meter)
    made = line(rated.amount, currency=rated.currency, **more)
    return replace(made, description=description, quantity=rated.quantity, exact=rated.exact, derivation=derivation(rated, meter))


def document(made):
    return line_document(finished(made))


def llm_tokens():
    meter = Meter("llm_input", "llm.request", Aggregation.SUM, "input_tokens")
    price = {"currency": "usd", "unit_amount_decimal": "0.00025"}
    return document(of_usage(price, events({"input_tokens": 18_000_000}, {"input_tokens": 59_974}, {"input_tokens": "many"}), meter, "Input tokens"))


def graduated():
    price = {
        "currency": "usd",
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [
            {"up_to": 1000, "unit_amount": 10, "flat_amount": 500},
            {"up_to": 5000, "unit_amount": 8},
            {"up_to": "inf", "unit_amount_decimal": "6.25", "flat_amount": 300},
        ],
    }
    return document(of_usage(price, events(4000, 2500.5), Meter("calls", "use", Aggregation.SUM), "API calls"))


def volume():
    price = {
        "currency": "usd",
        "billing_scheme": "tiered",
        "tiers_mode": "volume",
        "tiers": [{"up_to": 1000, "unit_amount": 10}, {"up_to": "inf", "unit_amount": 8, "flat_amount": 200}],
    }
    return document(of_usage(price, events(1500), description="Messages"))


def stairstep():
    price = {"currency": "eur", "ext": {"stairstep": {"tiers": [{"up_to": 10, "flat_amount": 1000}, {"up_to": "inf", "flat_amount": 2500}]}}}
    meter = Meter("projects", "use", Aggregation.UNIQUE_COUNT, "project")
    return document(of_usage(price, events(*({"project": f"p{n % 12}"} for n in range(30))), meter, "Projects"))


def package():
    price = {"currency": "usd", "ext": {"package": {"size": 1000, "amount": 200, "free_units": 500}}}
    return document(of_usage(price, events(2001, 700), description="Emails"))


def percentage():
    price = {
        "currency": "gbp",
        "ext": {
            "percentage": {
                "percent": "1.5",
                "fixed_amount": 20,
                "minimum_amount": 25,
                "maximum_amount": 300,
                "free_events": 1,
                "round_per": "event",
            }
        },
    }
    return document(of_usage(price, events(5000, 1999, 100, 25_033, 90_000), description="Payment fees"))


def rate_card():
    price = {
        "currency": "gbp",
        "ext": {
            "rate_card": {
                "rules": [
                    {"label": "United Kingdom", "when": [{"property": "country", "in": ["GB"]}], "fees": [{"percent": "1.5", "fixed_amount": 20}]},
                    {"label": "International", "fees": [{"percent": "3.25", "fixed_amount": 20}]},
                ],
                "surcharges": [{"label": "conversion", "when": [{"property": "converted", "in": [True]}], "fees": [{"percent": "2"}]}],
                "round_per": "event",
            }
        },
    }
    given = events({"value": 8003, "country": "GB"}, {"value": 4001, "country": "US", "converted": "true"}, {"value": "?", "country": "GB"})
    return document(of_usage(price, given, description="Card payments"))


def matrix():
    price = {
        "currency": "usd",
        "ext": {
            "matrix": {
                "dimensions": ["region"],
                "cells": [
                    {"match": {"region": "eu"}, "unit_amount": 12},
                    {"match": {"region": "us"}, "unit_amount": 10},
                ],
            }
        },
    }
    given = events({"value": 10, "region": "eu"}, {"value": 7, "region": "us"}, {"value": 3, "region": "mars"})
    return document(of_usage(price, given, description="Requests by region"))


def time_of_use():
    price = {
        "currency": "eur",
        "ext": {
            "time_of_use": {
                "time_zone": "Europe/Berlin",
                "bands": [
                    {"label": "peak", "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"}], "unit_amount": 30},
                ],
                "rest": {"unit_amount_decimal": "18.5"},
            }
        },
    }
    meter = Meter("energy", "use", Aggregation.SUM, "kwh")
    return document(of_usage(price, events(*({"kwh": "1.25"} for _ in range(24))), meter, "Electricity"))


def time_weighted():
    meter = Meter("storage", "use", Aggregation.TIME_WEIGHTED, "gigabytes", per_micros=0)
    price = {"currency": "usd", "unit_amount": 25}
    return document(of_usage(price, events({"gigabytes": 10}, {"gigabytes": 40}, every=7 * 24 * HOUR), meter, "Storage, mean level"))


def percentile():
    meter = Meter("bandwidth", "use", Aggregation.PERCENTILE, "mbit", percentile=Fraction(95))
    price = {"currency": "usd", "unit_amount": 150}
    return document(of_usage(price, events(*({"mbit": n} for n in range(1, 51))), meter, "Bandwidth, percentile 95"))


def windows():
    meter = Meter("peak", "use", Aggregation.WINDOWED, "instances", windows=Windows("hour", 1, Aggregation.MAX, Aggregation.SUM))
    price = {"currency": "usd", "unit_amount_decimal": "4.2"}
    return document(of_usage(price, events(*({"instances": n % 7} for n in range(30)), every=HOUR // 3), meter, "Instance hours"))


def allowance_conversion():
    price = {
        "currency": "jpy",
        "unit_amount": 90,
        "ext": {"conversion": {"divide_by": "1000000000", "round": "up", "unit": "GB"}, "allowance": {"units": 5}},
    }
    meter = Meter("transfer", "use", Aggregation.SUM, "bytes")
    return document(of_usage(price, events({"bytes": 9_400_000_001}, {"bytes": 3}), meter, "Transfer"))


def minimum():
    price = {"currency": "usd", "unit_amount": 2, "ext": {"minimum": {"amount": 500}}}
    return document(of_usage(price, events(60, 60), description="Calls, at least five dollars"))


def maximum():
    price = {"currency": "kwd", "unit_amount": 2, "ext": {"maximum": {"amount": 1500}, "rounding": {"mode": "half_even"}}}
    return document(of_usage(price, events(60, 6000), description="Calls, capped"))


def seats():
    rated = rate_licence({"currency": "usd", "unit_amount": 2000}, 3)
    share = Fraction(17, 31)
    amount = 3290  # 6000 × 17/31 = 3290.32
    made = replace(line(amount, "seats"), description="Seats", quantity=Fraction(3), exact=rated.exact * share)
    return document(replace(made, derivation={**derivation(rated, None, 3, share), "amount": amount}))


def discounted():
    bindings = (percent("launch", "1/5"), fixed("voucher", 300))
    rates = (rate("vat", "19/100"), rate("eco", "1/100", inclusive=True))
    made = of_usage({"currency": "usd", "unit_amount_decimal": "0.25"}, events(18_059), description="Requests", discounts=bindings, tax_rates=rates)
    done, _ = apply_before_tax(apply_discounts((made,)), (grant("goodwill", 500),))
    return line_document(apply_taxes(done)[0])


def corrected():
    bindings, rates = (percent("launch", "1/10"),), (rate("vat", "1/5"),)
    price = {"currency": "usd", "unit_amount_decimal": "2.5"}
    first = finished(of_usage(price, events(100, 45), description="Requests", discounts=bindings, tax_rates=rates))
    now, meter = rate_usage(price, events(100, 45, 30))
    late = replace(
        correction(now.amount - first.amount, first),
        description="Requests",
        causes=(Cause("event", "e3", "position 3"), Cause("cancel", 'evt "7"', "position 40")),
        derivation=derivation(now, meter),
    )
    return document(late)


def over_term():
    tiers = [{"up_to": 100, "unit_amount_decimal": "10.5"}, {"up_to": "inf", "unit_amount": 8}]
    price = {"currency": "usd", "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
    before, meter = rate_usage(price, events(81))
    now, _ = rate_usage(price, events(81, 30))
    made = replace(line(now.amount - before.amount, currency="usd"), quantity=Fraction(30), exact=now.exact - before.exact)
    return document(replace(made, description="API calls", derivation=derivation(now, meter, before=before)))


def ended():
    first = finished(of_usage({"currency": "usd", "unit_amount": 5}, events(30), description="Calls"))
    (gone,) = difference((), (issued_by(first),), {}, lambda key: False, lambda key: (Cause("contract", "con_1", "revision 4"),))
    return document(replace(gone, causes_more=2))


def unused():
    price = {"currency": "usd", "ext": {"percentage": {"percent": "1.5", "fixed_amount": 20}}}
    return document(of_usage(price, [], description="Payment fees, none"))


def part_invoice():
    """The second bill of a price that accumulates over a term: what it comes to so far, less what was billed."""
    made = of_usage({"currency": "usd", "unit_amount": 5}, events(30, 12), description="Calls, so far")
    return document(replace(made, amount=60, previously=150))


def grouped():
    made = of_usage({"currency": "usd", "unit_amount": 5}, events(3), description='Calls; "eu" = 1')
    return document(replace(made, key=replace(key(), group=(("region", "eu: 3 = 4"), ("cell", "a\nb")))))


FAMILIES = {
    made.__name__: made
    for made in (
        llm_tokens,
        graduated,
        volume,
        stairstep,
        package,
        percentage,
        rate_card,
        matrix,
        time_of_use,
        time_weighted,
        percentile,
        windows,
        allowance_conversion,
        minimum,
        maximum,
        seats,
        discounted,
        over_term,
        corrected,
        ended,
        unused,
        part_invoice,
        grouped,
    )
}
