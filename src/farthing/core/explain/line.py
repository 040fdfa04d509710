"""The explanation of one line of a document, made from nothing but the line's document and the derivation in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from farthing.core.base.rounding import round_to_whole
from farthing.core.explain.explanation import Explanation, Step, figures
from farthing.core.explain.priced import Priced, price_steps
from farthing.core.explain.reading import LineFacts, read_facts
from farthing.core.explain.wording import ROUNDED, money, name, number, span, total

_CAUSES = {
    "event": "a late event",
    "cancel": "a cancelled event",
    "replace": "a replaced event",
    "price": "a changed price, version",
    "contract": "a changed contract",
}


def explain_line(line_document: Mapping[str, Any]) -> Explanation:
    """Unfold a line: how its amount came about, what was taken off it, its tax, and the terms it stands on.

    Errors: ValueError where the line's figures contradict each other (so that no wrong amount is ever explained).
    """
    facts = read_facts(line_document)
    shown = money(facts.amount, facts.currency)
    if facts.kind == "correction":
        headline = f"{shown}, a correction of {name(facts.description)}"
    else:
        headline = f"{shown} for {name(facts.description)}"
    steps = (*_amount(facts), *_discounts(facts), *_credits(facts), *_net(facts), *_taxes(facts), _terms(facts))
    return Explanation(headline, steps)


def _amount(facts: LineFacts) -> Iterator[Step]:
    if facts.kind == "charge" and facts.amount == facts.desired:
        yield _desired(facts, "amount")
        return
    other = facts.amount - facts.desired + facts.previously
    parts = [facts.money(facts.desired), facts.money(-facts.previously)]
    if other:
        parts.append(f"{facts.money(other)} on drafts or given up")
    before = f"less what was billed before by document {name(facts.corrects)}" if facts.corrects else "less what was billed before"
    yield Step(
        "difference",
        f"what it comes to now, {before}",
        total(facts.money(facts.amount), parts),
        "",
        figures(now=facts.desired, previously=facts.previously, amount=facts.amount),
        (_desired(facts, "comes to now"), *_causes(facts)),
    )


def _causes(facts: LineFacts) -> Iterator[Step]:
    for cause in facts.causes:
        note = f"{_CAUSES[cause.kind]} {name(cause.id)}, known since {name(cause.at)}"
        yield Step("cause", "because of", "", note, figures(cause=cause.kind, id=cause.id, at=cause.at))


def _desired(facts: LineFacts, label: str) -> Step:
    rated = facts.rated
    if round_to_whole(facts.exact, rated.rounding) != facts.desired:
        raise ValueError(f"the line of {facts.item!r} says {facts.desired} minor units, but its exact amount rounds to something else")
    because = _shared(facts, price_steps(rated, Priced(facts.currency, facts.meter, facts.licensed)))
    values = figures(amount=facts.desired, exact=facts.exact, mode=rated.rounding.value)
    if facts.exact == facts.desired:
        return Step("rounding", label, facts.money(facts.desired), "a whole amount, so that nothing was rounded", values, because)
    statement = f"{facts.money(facts.desired)} = {facts.money(facts.exact)} {ROUNDED[rated.rounding]}"
    return Step("rounding", label, statement, "", values, because)


def _shared(facts: LineFacts, because: tuple[Step, ...]) -> tuple[Step, ...]:
    rated = facts.rated
    if facts.exact == rated.exact:
        return because
    if facts.exact != rated.exact * facts.share:
        raise ValueError(f"the line of {facts.item!r} does not follow from its price and its share of the period")
    statement = f"{facts.money(facts.exact)} = {facts.money(rated.exact)} × {number(facts.share)}"
    return (Step("share", "the part of the period that it holds for", statement, "", figures(share=facts.share, whole=rated.exact), because),)


def _discounts(facts: LineFacts) -> Iterator[Step]:
    by_id = {discount.id: discount for discount in facts.discounts}
    left = facts.amount
    for id_, part in facts.discount_parts:
        discount = by_id.get(id_)
        label, values = f"discount {name(id_)}", figures(amount=part)
        if facts.kind == "correction":
            note = "that of all that was billed for it, less the discount billed before"
            yield Step("discount", label, facts.money(part), note, values)
        elif discount is not None and discount.percent is not None and round_to_whole(left * discount.percent) == part:
            statement = f"{facts.money(part)} = {facts.money(left)} × {number(discount.percent * 100)} ÷ 100 rounded half away from zero"
            yield Step("discount", label, statement, "", values + figures(percent=discount.percent * 100, of=left))
        elif discount is not None and discount.amount is not None:
            note = f"this line's part of {facts.money(discount.amount)}, which is split over the lines by what is left of each"
            yield Step("discount", label, facts.money(part), note, values + figures(of=discount.amount))
        else:
            raise ValueError(f"the discount {id_!r} on the line of {facts.item!r} does not follow from its terms")
        left -= part


def _credits(facts: LineFacts) -> Iterator[Step]:
    for id_, part in facts.credit_parts:
        note = "used before tax, this line's part" if part > 0 else "given back, as less is left for it to pay"
        yield Step("credit", f"credit {name(id_)}", facts.money(part), note, figures(amount=part))


def _net(facts: LineFacts) -> Iterator[Step]:
    discount, credit = -sum(part for _, part in facts.discount_parts), -sum(part for _, part in facts.credit_parts)
    if (discount, credit) != (-facts.discount, -facts.credit):
        raise ValueError(f"discount and credit on the line of {facts.item!r} are not the sums of their parts")
    if not (facts.discount_parts or facts.credit_parts):
        return
    parts = [facts.money(facts.amount), *(facts.money(part) for part in (discount, credit) if part)]
    yield Step("net", "left of the line", total(facts.money(facts.net), parts), "", figures(net=facts.net))


def _taxes(facts: LineFacts) -> Iterator[Step]:
    rates = {rate.id: rate for rate in facts.tax_rates}
    inside = sum((rate.percent for rate in facts.tax_rates if rate.inclusive), Fraction(0)) * 100
    for id_, taxable, tax in facts.taxes:
        rate = rates[id_]
        percent = rate.percent * 100
        if rate.inclusive:
            exact, statement = facts.net * percent / (100 + inside), f"{facts.money(facts.net)} × {number(percent)} ÷ {number(100 + inside)}"
        else:
            exact, statement = taxable * percent / 100, f"{facts.money(taxable)} × {number(percent)} ÷ 100"
        because: tuple[Step, ...] = ()
        if facts.kind == "charge":
            note = "its part of the document's tax at this rate, which is rounded once"
            because = (Step("tax_exact", "exactly", f"{facts.money(exact)} = {statement}", "", figures(exact=exact)),)
        else:
            note = "that of the whole net billed for it, less the tax billed before"
        label = f"{name(rate.name)}, {'contained in the net' if rate.inclusive else 'on top'}"
        values = figures(rate=id_, percent=percent, taxable=taxable, tax=tax, inclusive="yes" if rate.inclusive else "no")
        yield Step("tax", f"tax {label}", facts.money(tax), f"{note}, on {facts.money(taxable)}", values, because)


def _terms(facts: LineFacts) -> Step:
    words = [f"price {name(facts.lineage)} in version {name(facts.price)}"]
    if facts.meter is not None:
        words.append(f"meter {name(facts.meter.id)} of events {name(facts.meter.event_name)}")
    words += [f"where {name(key)} is {name(value)}" for key, value in facts.group]
    words.append(f"service {span(facts.service)}")
    if facts.position is not None:
        words.append(f"as known at log position {number(facts.position)}")
    values = figures(
        customer=facts.customer,
        contract=facts.contract,
        item=facts.item,
        price=facts.lineage,
        price_version=facts.price,
        meter=facts.meter.id if facts.meter else None,
        position=facts.position,
    )
    return Step("terms", "terms", "", ", ".join(words), values)
