"""Lines, bindings and issued totals for the tests of money after rating, and Hypothesis strategies for them."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey, Discount, Grant, TaxRate
from farthing.core.invoice.invoice import Document, Issued, Line

MAY = Interval(1_746_057_600_000_000, 1_748_736_000_000_000)
EXACT_ZERO = Fraction(0)


def key(item="api", currency="usd"):
    return ChargeKey("acme", "con_1", item, "price_" + item, MAY, (), currency)


def line(amount, item="api", discounts=(), tax_rates=(), currency="usd", **more):
    return Line("charge", key(item, currency), item, MAY, Fraction(1), Fraction(amount), amount, {}, tuple(discounts), tuple(tax_rates), **more)


def issued_by(*lines, document="in_1"):
    """What finalised documents with these lines of one key have billed for it."""
    first = lines[0]
    return Issued(
        first.key,
        first.description,
        first.service,
        first.quantity,
        Fraction(sum(part.amount for part in lines)),
        sum(part.amount for part in lines),
        sum(part.discount for part in lines),
        first.discounts,
        first.tax_rates,
        document,
        _sums(pair for part in lines for pair in part.discount_parts),
        _sums(pair for part in lines for pair in part.credit_parts),
        _triples(triple for part in lines for triple in part.taxes),
    )


def correction(amount, *earlier):
    """A correcting line by `amount` after the earlier lines of its key."""
    issued = issued_by(*earlier)
    return replace(
        line(amount, issued.key.item, currency=issued.key.currency),
        kind="correction",
        discounts=issued.discounts,
        tax_rates=issued.tax_rates,
        previously=issued.amount,
        corrects=issued.document,
        issued=issued,
    )


def _sums(pairs):
    sums = {}
    for id_, units in pairs:
        sums[id_] = sums.get(id_, 0) + units
    return tuple(sums.items())


def _triples(triples):
    sums = {}
    for id_, taxable, tax in triples:
        before = sums.get(id_, (0, 0))
        sums[id_] = (before[0] + taxable, before[1] + tax)
    return tuple((id_, *both) for id_, both in sums.items())


def percent(id_, share, items=None):
    return Discount(id_, percent=Fraction(share), items=items)


def fixed(id_, amount, items=None):
    return Discount(id_, amount=amount, items=items)


def rate(id_, share, inclusive=False):
    return TaxRate(id_, id_.upper(), Fraction(share), inclusive)


def grant(id_, remaining, applies="before_tax", priority=50, currency="usd"):
    return Grant(id_, currency, remaining, applies, priority)


def document(lines, credit_after_tax=0, grants_used=(), kind="invoice"):
    """A document over finished lines, its sums as the noun of a bill defines them."""
    inclusive = {rate.id for part in lines for rate in part.tax_rates if rate.inclusive}
    on_top = sum(tax for part in lines for id_, _, tax in part.taxes if id_ not in inclusive)
    included = sum(tax for part in lines for id_, _, tax in part.taxes if id_ in inclusive)
    total = sum(part.net for part in lines) + on_top
    return Document(
        kind,
        "acme",
        "con_1",
        lines[0].key.currency if lines else "usd",
        MAY,
        "UTC",
        tuple(lines),
        sum(part.amount for part in lines),
        sum(part.discount for part in lines),
        sum(part.credit for part in lines),
        on_top,
        included,
        total,
        credit_after_tax,
        total - credit_after_tax,
        tuple(grants_used),
    )


amounts = st.one_of(st.integers(-300, 300), st.integers(-(10**12), 10**12), st.integers(-4, 4))
positive_amounts = st.one_of(st.integers(0, 300), st.integers(0, 10**12), st.integers(0, 4))
shares = st.builds(lambda part, whole: Fraction(part % (whole + 1), whole), st.integers(0, 1000), st.sampled_from([1000, 2, 3, 7, 100, 8, 400]))
ITEMS = ("api", "seats", "storage", "support")
some_items = st.sampled_from([None, ("api",), ("seats", "storage"), (), ("api", "storage", "support"), ("support", "seats", "api")])


@st.composite
def discount_lists(draw):
    """Discounts with ids of their own, of both kinds mixed."""
    kinds = draw(st.lists(st.booleans(), max_size=4))
    return tuple(
        percent(f"d{n}", draw(shares), draw(some_items)) if is_percent else fixed(f"d{n}", draw(positive_amounts), draw(some_items))
        for n, is_percent in enumerate(kinds)
    )


@st.composite
def rate_lists(draw):
    """Tax rates with ids of their own, inclusive and exclusive mixed."""
    kinds = draw(st.lists(st.booleans(), max_size=3))
    return tuple(rate(f"t{n}", draw(shares), inclusive) for n, inclusive in enumerate(kinds))


@st.composite
def charges(draw, values=amounts, min_size=0):
    """Charge lines of one document, one an item, all under the same discounts and tax rates."""
    discounts, rates = draw(discount_lists()), draw(rate_lists())
    picked = draw(st.lists(values, min_size=min_size, max_size=len(ITEMS)))
    return tuple(line(amount, item, discounts, rates) for amount, item in zip(picked, ITEMS, strict=False))


grant_lists = st.lists(
    st.builds(
        grant,
        st.sampled_from(["g1", "g2", "g3", "g4", "g5"]),
        positive_amounts,
        st.sampled_from(["before_tax", "after_tax"]),
        st.integers(0, 3),
        st.sampled_from(["usd", "usd", "eur"]),
    ),
    max_size=5,
    unique_by=lambda granted: granted.id,
).map(tuple)
