"""What is taken back of a final line by decision: discounts, credits and taxes of the whole key, and nothing that is decided anew."""

from dataclasses import replace
from fractions import Fraction

from farthing.core.base.time import Interval
from farthing.core.catalog.terms import ChargeKey, Discount, TaxRate
from farthing.core.invoice.discount import apply_discounts
from farthing.core.invoice.invoice import Issued
from farthing.core.invoice.taken_back import TakenBack, taken_back_line
from farthing.core.settlement.grants import apply_before_tax
from farthing.core.tax.taxes import apply_taxes

KEY = ChargeKey("c", "k", "calls", "price", Interval(0, 10), (), "usd")
TENTH, VAT = Discount("tenth", Fraction(1, 10)), TaxRate("vat", "VAT", Fraction(19, 100))
# 1000, less 10 %, less 400 of a grant: 500, and 19 % of it
ISSUED = Issued(
    KEY,
    "Calls",
    KEY.segment,
    Fraction(100),
    Fraction(1000),
    1000,
    100,
    (TENTH,),
    (VAT,),
    "in_1",
    (("tenth", 100),),
    (("grant", 400),),
    (("vat", 500, 95),),
)


def taken(amount, issued=ISSUED):
    line = taken_back_line(TakenBack(issued, amount, {"amount": 1000}))
    (credited,), used = apply_before_tax(apply_discounts((line,)), ())
    (done,) = apply_taxes((credited,))
    return done, used


def test_a_part_goes_back_with_what_the_whole_has_too_much():
    line, used = taken(700)  # 300 are left, less 30; 130 of the grant have nothing left to pay
    assert (line.amount, line.discount, line.credit, line.net) == (-700, -70, -130, -500)
    assert (used, line.taxes) == ((("grant", -130),), (("vat", -500, -95),))


def test_all_of_it_goes_back_to_the_cent():
    line, used = taken(1000)
    assert (line.discount, line.credit, line.net, line.taxes) == (-100, -400, -500, (("vat", -500, -95),))
    assert used == (("grant", -400),)


def test_it_is_a_correction_that_decides_nothing_anew():
    line, _ = taken(1)
    assert (line.kind, line.quantity, line.exact, line.previously, line.corrects) == ("correction", 0, 0, 1000, "in_1")
    assert line.derivation == {"amount": 1000}
    assert [(cause.kind, cause.id) for cause in line.causes] == [("waiver", "1")]


def test_what_was_taken_back_before_counts():
    before = replace(ISSUED, amount=900, discount=90, discount_parts=(("tenth", 90),), credit_parts=(), taxes=(("vat", 810, 154),))
    line, used = taken(900, before)
    assert (line.net, line.taxes, used) == (-810, (("vat", -810, -154),), ())
