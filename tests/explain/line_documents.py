"""Line documents for the tests: real prices, meters and events, rated by the core, discounted and taxed."""

from fractions import Fraction

from bill_builders import MAY

from farthing.core.base.exact import show
from farthing.core.base.time import show_instant
from farthing.core.events.event import Event
from farthing.core.invoice.discount import apply_discounts
from farthing.core.invoice.document import line_document
from farthing.core.invoice.invoice import Line
from farthing.core.rating.compile import compile_price
from farthing.core.rating.interpret import rate_events, rate_quantity
from farthing.core.rating.trace_json import rated_document
from farthing.core.tax.taxes import apply_taxes
from farthing.core.usage.meter import Aggregation, Meter
from farthing.core.usage.parse import meter_document

__all__ = ["HOUR", "derivation", "events", "finished", "line_document", "rate_licence", "rate_usage"]

HOUR = 3_600_000_000


def events(*payloads, every=HOUR):
    """Events an hour apart from the start of May, at log positions 1, 2, …"""
    rows = [payload if isinstance(payload, dict) else {"value": str(payload)} for payload in payloads]
    return [
        Event(f"e{n}", "use", "acme", MAY.start + (n - 1) * every, {key: str(value) for key, value in row.items()}, n)
        for n, row in enumerate(rows, start=1)
    ]


def rate_usage(price, given, meter=None):
    """One rated line of a price document over events (the first one, for prices with a line a cell)."""
    meter = meter or Meter("m", "use", Aggregation.SUM)
    return rate_events(compile_price(price).program, meter, given, MAY)[0], meter


def rate_licence(price, quantity):
    return rate_quantity(compile_price(price).program, Fraction(quantity))


def derivation(rated, meter=None, quantity=None, share=Fraction(1), before=None):
    return {
        "rated": rated_document(rated),
        "before": None if before is None else rated_document(before),
        "price": {"id": "price_1_v2", "lineage": "price_1", "model": "", "digest": ""},
        "meter": None if meter is None else meter_document(meter),
        "quantity": None if quantity is None else show(Fraction(quantity)),
        "share": show(share),
        "metered": [show_instant(MAY.start), show_instant(MAY.end)],
        "exact": show(rated.exact * share - (0 if before is None else before.exact)),
        "amount": rated.amount - (0 if before is None else before.amount) if share == 1 else None,
        "position": 41,
    }


def finished(line):
    """The line after discounts and taxes, alone on its document."""
    (done,) = apply_taxes(apply_discounts((line,)))
    assert isinstance(done, Line)
    return done
