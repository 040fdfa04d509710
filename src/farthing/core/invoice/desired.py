"""Terms and what rating made of them → what each charge key should come to, with the whole way to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from farthing.core.base.canonical import digest
from farthing.core.base.exact import show
from farthing.core.base.rounding import round_to_whole
from farthing.core.base.time import show_instant
from farthing.core.catalog.terms import Group, Terms
from farthing.core.invoice.invoice import Desired
from farthing.core.rating.modifiers.form import Compiled
from farthing.core.rating.program import Program
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import rated_document
from farthing.core.usage.parse import meter_document

Rates = Mapping[Group, tuple[Rated, ...]]


def prorated(program: Program, terms: Terms) -> Program:
    """The program with its minimum and maximum scaled to the part of the period that a segment covers, and without its minimum while
    more of the segment is billed later. Usage is never prorated."""
    minimum = None if program.minimum is None or terms.open else program.minimum * terms.share
    maximum = None if program.maximum is None else program.maximum * terms.share
    return program if (minimum, maximum) == (program.minimum, program.maximum) else replace(program, minimum=minimum, maximum=maximum)


def desired_for(terms: Terms, compiled: Compiled, rates: Rates, position: int) -> Iterator[Desired]:
    """What each key of the terms should come to, groups in order of their values, then the price's cells in order."""
    for group in sorted(rates):
        for rated in rates[group]:
            yield _desired(terms, compiled, (*group, *_cell(compiled, rated)), rated, position)


def _cell(compiled: Compiled, rated: Rated) -> Group:
    return (("cell", rated.label),) if compiled.program.line_per_cell else ()


def _desired(terms: Terms, compiled: Compiled, group: Group, rated: Rated, position: int) -> Desired:
    share = terms.share if terms.meter is None else Fraction(1)
    exact = rated.exact * share
    amount = rated.amount if share == 1 else round_to_whole(exact, rated.rounding)
    derivation: dict[str, Any] = {
        "price": {"id": terms.price.id, "lineage": terms.price.lineage, "model": compiled.model, "digest": digest(dict(terms.price.document))},
        "meter": None if terms.meter is None else meter_document(terms.meter),
        "metered": [show_instant(terms.metered.start), show_instant(terms.metered.end)],
        "quantity": None if terms.quantity is None else show(terms.quantity),
        "share": show(share),
        "rated": rated_document(rated),
        "exact": show(exact),
        "amount": amount,
        "position": position,
    }
    return Desired(
        key=terms.key(group),
        description=describe(terms.description, group),
        service=terms.service,
        quantity=rated.quantity,
        exact=exact,
        amount=amount,
        derivation=derivation,
        discounts=terms.discounts,
        tax_rates=terms.tax_rates,
    )


def describe(description: str, group: Group) -> str:
    """What a line is called: the item, the cell of its price, and the values of its group."""
    cell = next((value for name, value in group if name == "cell"), None)
    values = ", ".join(f"{name} {value or 'none'}" for name, value in group if name != "cell")
    named = description if cell is None else f"{description}: {cell or 'events that no rule takes'}"
    return f"{named} ({values})" if values else named
