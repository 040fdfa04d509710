"""Terms and what rating made of them → what each charge key should come to, with the whole way to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from farthing.core.base.canonical import digest
from farthing.core.base.exact import show
from farthing.core.base.rounding import round_to_whole
from farthing.core.base.time import show_instant
from farthing.core.catalog.terms import ChargeKey, Group, Terms
from farthing.core.invoice.invoice import Desired
from farthing.core.invoice.over_term import Part
from farthing.core.rating.modifiers.form import Compiled
from farthing.core.rating.trace import Rated
from farthing.core.rating.trace_json import rated_document
from farthing.core.usage.parse import meter_document


def desired_for(terms: Terms, compiled: Compiled, groups: Mapping[Group, tuple[Part, ...]], position: int) -> Iterator[Desired]:
    """What each key of the terms should come to, groups in order of their values, then the price's cells in order."""
    for group in sorted(groups):
        for part in groups[group]:
            yield _desired(terms, compiled, group, part, position)


def has_key(terms: Terms, compiled: Compiled, key: ChargeKey) -> bool:
    """Whether a key that was billed is one that the terms can have: not if it was billed when cells were lines and they are none now, or
    the other way round, or when the meter had other groups. Such a key is reversed."""
    groups = () if terms.meter is None else terms.meter.group_by
    return len(key.group) == len(groups) + compiled.program.line_per_cell


def unused(terms: Terms, compiled: Compiled, key: ChargeKey, position: int) -> Desired:
    """What a key of the terms comes to that was billed and has no usage any more (a group or cell whose events were all taken back)."""
    zero = Fraction(0)
    label = dict(key.group)["cell"] if compiled.program.line_per_cell else ""
    rated = Rated(label, terms.currency, (), zero, None, zero, compiled.program.rounding, 0)
    group = key.group[:-1] if compiled.program.line_per_cell else key.group
    return _desired(terms, compiled, group, Part(rated, None, zero), position)


def _desired(terms: Terms, compiled: Compiled, group: Group, part: Part, position: int) -> Desired:
    rated, before = part.rated, part.before
    cell = (("cell", rated.label),) if compiled.program.line_per_cell else ()
    share = terms.share if terms.meter is None else Fraction(1)
    exact = rated.exact * share - (0 if before is None else before.exact)
    amount = (rated.amount if share == 1 else round_to_whole(exact, rated.rounding)) - (0 if before is None else before.amount)
    derivation: dict[str, Any] = {
        "price": {"id": terms.price.id, "lineage": terms.price.lineage, "model": compiled.model, "digest": digest(dict(terms.price.document))},
        "meter": None if terms.meter is None else meter_document(terms.meter),
        "metered": [show_instant(terms.metered.start), show_instant(terms.metered.end)],
        "quantity": None if terms.quantity is None else show(terms.quantity),
        "share": show(share),
        "bounds_share": show(Fraction(1) if terms.meter is None else terms.share),
        "rated": rated_document(rated),
        "before": None if before is None else rated_document(before),
        "lowered": None if part.lowered is None else show_instant(part.lowered),
        "exact": show(exact),
        "amount": amount,
        "position": position,
    }
    return Desired(
        key=terms.key((*group, *cell)),
        description=describe(terms.description, group, rated.label if cell else None),
        service=terms.service,
        quantity=part.quantity,
        exact=exact,
        amount=amount,
        derivation=derivation,
        discounts=terms.discounts,
        tax_rates=terms.tax_rates,
    )


def describe(description: str, group: Group, cell: str | None = None) -> str:
    """What a line is called: the item, the cell of its price where each cell is a line, and the values of its group."""
    values = ", ".join(f"{name} {value or 'none'}" for name, value in group)
    named = description if cell is None else f"{description}: {cell or 'events that no rule takes'}"
    return f"{named} ({values})" if values else named
