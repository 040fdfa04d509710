"""Which credits may be used for a bill, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from farthing.app.resources.desk import ResourceStore
from farthing.app.resources.table import Row
from farthing.app.settlement.kinds import CREDIT_GRANT
from farthing.core.catalog.terms import Grant
from farthing.core.contract.contract import Contract

LAST = 2**63


def usable_grants(store: ResourceStore, contract: Contract, second: int) -> tuple[Grant, ...]:
    """The grants that may pay for a contract's bill at a time in seconds, with what remains of each: those that are effective, neither
    expired nor void, for the prices that they are for. The order in which they are used is in their `priority`: the grant's own, then the
    one that expires first, promotional ones before paid ones, and the older one.

    A grant that is no resource of the API (granted by `farthing apply`) may always be used, behind others of its priority.
    """
    found: list[tuple[tuple[Any, ...], Grant]] = []
    for grant in store.grants(contract.customer):
        row = store.find(CREDIT_GRANT.name, grant.id) if grant.remaining > 0 else None
        if grant.remaining <= 0 or (row is not None and not is_usable(row.document, second)):
            continue
        found.append((_order(grant, row), grant if row is None else replace(grant, prices=_lineages(row, contract))))
    ordered = sorted(found, key=lambda one: one[0])
    return tuple(replace(grant, priority=place) for place, (_, grant) in enumerate(ordered))


def is_usable(document: Mapping[str, Any], second: int) -> bool:
    """Whether a grant's document says that it may be used at a time: from `effective_at` on, before `expires_at`, and not void."""
    return document["effective_at"] <= second and not is_over(document, second)


def is_over(document: Mapping[str, Any], second: int) -> bool:
    """Whether a grant has expired by a time, or is void."""
    expires = document["expires_at"]
    return document["voided_at"] is not None or (expires is not None and expires <= second)


def _order(grant: Grant, row: Row | None) -> tuple[Any, ...]:
    if row is None:
        return grant.priority, LAST, 1, LAST, 0, grant.id
    document = row.document
    expires = LAST if document["expires_at"] is None else document["expires_at"]
    return document["priority"], expires, document["category"] != "promotional", document["effective_at"], row.place, grant.id


def _lineages(row: Row, contract: Contract) -> tuple[str, ...]:
    """The price lineages that a grant is for: those that it names, or all metered ones of the contract."""
    named: Iterable[str] | None = row.hidden["prices"]
    return tuple(sorted(metered_lineages(contract) if named is None else named))


def metered_lineages(contract: Contract) -> set[str]:
    """The price lineages of a contract's items with a meter, of whenever it agreed them."""
    return {item.price for version in contract.versions for item in version.value.items if item.meter is not None}
