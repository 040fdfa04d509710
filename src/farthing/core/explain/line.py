"""The explanation of one line of a document, made from nothing but the line's document and the derivation in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from farthing.core.base.rounding import round_to_whole
from farthing.core.explain.explanation import Explanation, Step, figures
from farthing.core.explain.priced import Priced, price_steps
from farthing.core.explain.reading import LineFacts, read_facts
from farthing.core.explain.taken_off import credit_steps, discount_steps, net_steps, tax_steps
from farthing.core.explain.wording import ROUNDED, count, name, number, span, total

_CAUSES = {
    "event": "a late event",
    "cancel": "a cancelled event",
    "replace": "a replaced event",
    "price": "a changed price, version",
    "contract": "a changed contract",
    "void": "a bill that became void,",
    "waiver": "given up, in minor units:",
}


def explain_line(line_document: Mapping[str, Any]) -> Explanation:
    """Unfold a line: how its amount came about, what was taken off it, its tax, and the terms it stands on.

    Errors: ValueError where the line's figures contradict each other (so that no wrong amount is ever explained).
    """
    facts = read_facts(line_document)
    shown, described = facts.money(facts.line.amount), name(facts.line.description)
    headline = f"{shown}, a correction of {described}" if facts.line.kind == "correction" else f"{shown} for {described}"
    after = (*discount_steps(facts), *credit_steps(facts), *net_steps(facts), *tax_steps(facts))
    return Explanation(headline, (_amount(facts), *after, _terms(facts)))


def _amount(facts: LineFacts) -> Step:
    if not facts.adds_to_earlier:
        return _desired(facts, "amount")
    line = facts.line
    other = line.amount - facts.desired + line.previously
    parts = [facts.money(facts.desired)]
    if line.previously:
        parts.append(facts.money(-line.previously))
    if other:
        parts.append(f"{facts.money(other)} on drafts or given up")
    document = f" by document {name(line.corrects)}" if line.corrects else ""
    return Step(
        "difference",
        f"what it comes to now, less what was billed before{document}",
        total(facts.money(line.amount), parts),
        "",
        figures(now=facts.desired, previously=line.previously, amount=line.amount),
        (_desired(facts, "comes to now"), *_causes(facts)),
    )


def _causes(facts: LineFacts) -> Iterator[Step]:
    for cause in facts.line.causes:
        note = f"{_CAUSES[cause.kind]} {name(cause.id)}" + (f", known since {name(cause.at)}" if cause.at else "")
        yield Step("cause", "because of", "", note, figures(cause=cause.kind, id=cause.id, at=cause.at))
    if more := facts.line.causes_more:
        yield Step("causes_more", "because of", "", f"{count(more, 'further fact')} of the same kind", figures(facts=more))


def _desired(facts: LineFacts, label: str) -> Step:
    if facts.before is None and facts.lowered is None:
        return _rounded(facts, label, facts.exact, facts.desired)
    so_far, before = facts.rated.amount, 0 if facts.before is None else facts.before.amount
    if facts.desired != so_far - before or facts.exact != facts.rated.exact - (0 if facts.before is None else facts.before.exact):
        raise ValueError(f"the line of {facts.line.key.item!r} is not what its price comes to, less what it came to before")
    statement = total(facts.money(facts.desired), [facts.money(so_far), facts.money(-before)])
    note = "what the term comes to so far, less what it came to before the service"
    if facts.lowered is not None:
        note = f"by {facts.lowered} the term comes to less than it did before: that, less what counts for earlier periods"
    values = figures(amount=facts.desired, so_far=so_far, before=before, lowered=facts.lowered)
    return Step("carried", label, statement, note, values, (_rounded(facts, "the term so far", facts.rated.exact, so_far),))


def _rounded(facts: LineFacts, label: str, exact: Fraction, amount: int) -> Step:
    rated = facts.rated
    if round_to_whole(exact, rated.rounding) != amount:
        raise ValueError(f"the line of {facts.line.key.item!r} says {amount} minor units, which is not its exact amount rounded")
    if not facts.line.key.rated:
        return Step("adjustment", label, facts.money(amount), "billed by decision, not by a price", figures(amount=amount))
    if not facts.price:
        return Step("ended", label, facts.money(amount), "it is not agreed any more", figures(amount=amount))
    because = _shared(facts, exact, price_steps(rated, Priced(facts.line.key.currency, facts.meter, facts.licensed, facts.bounds_share)))
    values = figures(amount=amount, exact=exact, mode=rated.rounding.value)
    if exact == amount:
        return Step("rounding", label, facts.money(amount), "a whole amount, so that nothing was rounded", values, because)
    statement = f"{facts.money(amount)} = {facts.money(exact)} {ROUNDED[rated.rounding]}"
    return Step("rounding", label, statement, "", values, because)


def _shared(facts: LineFacts, exact: Fraction, because: tuple[Step, ...]) -> tuple[Step, ...]:
    rated = facts.rated
    if exact != rated.exact * facts.share:
        raise ValueError(f"the line of {facts.line.key.item!r} does not follow from its price and its share of the period")
    if facts.share == 1:
        return because
    statement = f"{facts.money(exact)} = {facts.money(rated.exact)} × {number(facts.share)}"
    return (Step("share", "the part of the period that it holds for", statement, "", figures(share=facts.share, whole=rated.exact), because),)


def _terms(facts: LineFacts) -> Step:
    key = facts.line.key
    words = [f"price {name(key.price)}" + (f" in version {name(facts.price)}" if facts.price else "") if key.rated else f"item {name(key.item)}"]
    if facts.meter is not None:
        words.append(f"meter {name(facts.meter.id)} of events {name(facts.meter.event_name)}")
    words += [f"where {name(property_)} is {name(value)}" for property_, value in key.group]
    words.append(f"service {span(facts.line.service)}")
    if facts.position is not None:
        words.append(f"as known at log position {number(facts.position)}")
    values = figures(
        customer=key.customer,
        contract=key.contract,
        item=key.item,
        price=key.price,
        price_version=facts.price or None,
        meter=facts.meter.id if facts.meter else None,
        position=facts.position,
    )
    return Step("terms", "terms", "", ", ".join(words), values)
