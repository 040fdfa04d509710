"""What discounts and credits took off a line, and its taxes, in words."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from farthing.core.base.rounding import RoundingMode, round_to_whole
from farthing.core.catalog.terms import Discount, TaxRate
from farthing.core.explain.explanation import Step, figures
from farthing.core.explain.reading import LineFacts
from farthing.core.explain.wording import ROUNDED, name, number, total

HALF_AWAY = ROUNDED[RoundingMode.HALF_AWAY]


def discount_steps(facts: LineFacts) -> Iterator[Step]:
    """One step for each discount on the line. Errors: ValueError where one does not follow from its terms."""
    by_id = {discount.id: discount for discount in facts.line.discounts}
    left = facts.line.amount
    for id_, part in facts.line.discount_parts:
        if facts.billed_before:
            note = "that of all that was billed for it, less the discount billed before"
            yield Step("discount", f"discount {name(id_)}", facts.money(part), note, figures(amount=part))
        else:
            yield _discount(facts, by_id.get(id_), id_, part, left)
        left -= part


def _discount(facts: LineFacts, discount: Discount | None, id_: str, part: int, left: int) -> Step:
    label, values = f"discount {name(id_)}", figures(amount=part)
    if discount is not None and discount.percent is not None and round_to_whole(left * discount.percent) == part:
        percent = discount.percent * 100
        statement = f"{facts.money(part)} = {facts.money(left)} × {number(percent)} ÷ 100 {HALF_AWAY}"
        return Step("discount", label, statement, "", values + figures(percent=percent, of=left))
    if discount is not None and discount.amount is not None and part <= discount.amount:
        note = f"this line's part of {facts.money(discount.amount)}, which is split over the lines by what is left of each"
        return Step("discount", label, facts.money(part), note, values + figures(of=discount.amount))
    raise ValueError(f"the discount {id_!r} on the line of {facts.line.key.item!r} does not follow from its terms")


def credit_steps(facts: LineFacts) -> Iterator[Step]:
    """One step for each credit before tax that was used on the line, or given back."""
    for id_, part in facts.line.credit_parts:
        note = "used before tax, this line's part" if part > 0 else "given back, as less is left for it to pay"
        yield Step("credit", f"credit {name(id_)}", facts.money(part), note, figures(amount=part))


def net_steps(facts: LineFacts) -> Iterator[Step]:
    """What is left of the line, if anything was taken off. Errors: ValueError where parts do not make up their sums."""
    line = facts.line
    discount, credit = (sum(part for _, part in parts) for parts in (line.discount_parts, line.credit_parts))
    if (discount, credit) != (line.discount, line.credit):
        raise ValueError(f"discount and credit on the line of {line.key.item!r} are not the sums of their parts")
    if line.discount_parts or line.credit_parts:
        parts = [facts.money(line.amount), *(facts.money(-part) for part in (discount, credit) if part)]
        yield Step("net", "left of the line", total(facts.money(line.net), parts), "", figures(net=line.net))


def tax_steps(facts: LineFacts) -> Iterator[Step]:
    """One step for each tax rate; on charges with the exact tax that the line's part stands for."""
    rates = {rate.id: rate for rate in facts.line.tax_rates}
    for id_, taxable, tax in facts.line.taxes:
        rate = rates[id_]
        label = f"tax {name(rate.name)}, {'contained in the net' if rate.inclusive else 'on top'}"
        values = figures(rate=id_, percent=rate.percent * 100, taxable=taxable, tax=tax, inclusive="yes" if rate.inclusive else "no")
        if facts.billed_before:
            note = f"that of the whole net billed for it, less the tax billed before; the taxable amount is {facts.money(taxable)}"
            yield Step("tax", label, facts.money(tax), note, values)
        else:
            note = f"its part of the document's tax at this rate, which is rounded once; the taxable amount is {facts.money(taxable)}"
            yield Step("tax", label, facts.money(tax), note, values, (_exact_tax(facts, rate, taxable, tax),))


def _exact_tax(facts: LineFacts, rate: TaxRate, taxable: int, tax: int) -> Step:
    percent = rate.percent * 100
    if rate.inclusive:
        whole = 100 + sum((other.percent for other in facts.line.tax_rates if other.inclusive), Fraction(0)) * 100
        exact, statement = facts.line.net * percent / whole, f"{facts.money(facts.line.net)} × {number(percent)} ÷ {number(whole)}"
    else:
        exact, statement = taxable * percent / 100, f"{facts.money(taxable)} × {number(percent)} ÷ 100"
    if abs(exact - tax) >= 1:
        raise ValueError(f"the tax {rate.id!r} on the line of {facts.line.key.item!r} does not follow from its rate")
    return Step("tax_exact", "exactly", f"{facts.money(exact)} = {statement}", "", figures(exact=exact))
