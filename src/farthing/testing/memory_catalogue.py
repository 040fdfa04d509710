"""The catalogue in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from farthing.app.refusals import CUSTOMER_UNKNOWN, GRANT_CHANGED, METER_CHANGED, PRICE_VERSION_CHANGED
from farthing.core.base.exact import not_negative
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval, parse_instant
from farthing.core.base.timeline import Version
from farthing.core.catalog.fields import canonical
from farthing.core.catalog.terms import Grant, PriceVersion
from farthing.core.contract.contract import Contract
from farthing.core.contract.declare import Change, Declaration, declaration, given_again
from farthing.core.usage.meter import Meter
from farthing.testing.memory_state import Held


class MemoryCatalogue(Held):
    """Customers, meters, prices, contracts and grants."""

    def revision(self) -> int:
        """The revision of the last change."""
        return self._state.revision

    def _next(self) -> int:
        self._state.revision += 1
        return self._state.revision

    def put_customer(self, customer: str, document: Mapping[str, Any]) -> int:
        """Add a customer, or replace its document."""
        content, known = canonical(document), self._state.customers.get(customer)
        if known is not None and known[1] == content:
            return known[0]
        self._state.customers[customer] = (self._next(), content)
        return self._state.revision

    def put_meter(self, meter: Meter) -> int:
        """Add a meter. Errors: meter_changed."""
        known = self._state.meters.get(meter.id)
        if known is None:
            known = self._state.meters[meter.id] = (self._next(), meter)
        if known[1] != meter:
            raise Refusal(METER_CHANGED, f"meter {meter.id!r} is declared otherwise.", "id")
        return known[0]

    def put_price(self, version: PriceVersion, effective: Interval) -> int:
        """Add a price version over a span. Errors: price_version_changed."""
        version = replace(version, document=canonical(version.document))
        for known in self._state.prices:
            if known.value.id == version.id and known.value != version:
                raise Refusal(PRICE_VERSION_CHANGED, f"price version {version.id!r} of {known.value.lineage!r} says otherwise.", "price.id")
            if known.value == version and known.effective == effective:
                return known.revision
        self._state.prices.append(Version(effective, self._next(), version))
        return self._state.revision

    def put_contract(self, contract: Contract) -> int:
        """Add a contract, or what it changes (see `given_again`). Errors: customer_unknown, contract_changed, contract_end_billed,
        contract_amended, contract_tax_rate_changed."""
        known = self._state.contracts.get(contract.id)
        if known is None:
            self._need_customer(contract.customer)
            known, changed = replace(contract, versions=()), Change(contract.versions)
        else:
            last = self._state.declared.get(contract.id) or declaration(known)
            changed = given_again(known, last, contract, self._billed_periods(contract.id))
        versions = (*known.versions, *(replace(version, revision=self._next()) for version in changed.versions))
        if changed.declared:
            self._need_customer(contract.customer)
            revision = self._state.revision if changed.versions else self._next()
            self._state.declared[contract.id] = Declaration(revision, contract.versions[0].value)
            self._state.drafts = {id_: draft for id_, draft in self._state.drafts.items() if draft.contract != contract.id}
            known = contract
        self._state.contracts[contract.id] = replace(known, versions=versions)
        anew = self._state.declared.get(contract.id)
        return max([version.revision for version in versions] + [anew.revision if anew else 0])

    def customers(self) -> Sequence[str]:
        """All customers, by id."""
        return sorted(self._state.customers)

    def contracts(self, customer: str | None = None) -> Sequence[Contract]:
        """Contracts with all their versions, by id."""
        return [one for _, one in sorted(self._state.contracts.items()) if one.versions and customer in (None, one.customer)]

    def meters(self) -> Mapping[str, Meter]:
        """All meters by id."""
        return {id_: meter for id_, (_, meter) in sorted(self._state.meters.items())}

    def prices(self, lineages: Sequence[str] | None = None) -> Mapping[str, Sequence[Version[PriceVersion]]]:
        """All versions of price lineages, in order of revision; a lineage without any is left out."""
        found: dict[str, list[Version[PriceVersion]]] = {}
        for version in self._state.prices:
            if lineages is None or version.value.lineage in lineages:
                found.setdefault(version.value.lineage, []).append(version)
        return found

    def put_grant(self, customer: str, grant: Grant) -> None:
        """Grant a credit to a customer (`remaining` is its whole amount). Errors: customer_unknown, number_negative, grant_changed."""
        not_negative(Fraction(grant.remaining), "remaining")
        self._need_customer(customer)
        if self._state.granted.setdefault(grant.id, (customer, grant)) != (customer, grant):
            raise Refusal(GRANT_CHANGED, f"grant {grant.id!r} was granted otherwise.", "id")
        self._state.remaining.setdefault(grant.id, grant.remaining)

    def grants(self, customer: str) -> Sequence[Grant]:
        """A customer's grants with what remains of each, in the order in which they are used."""
        mine = (replace(grant, remaining=self._state.remaining[grant.id]) for whose, grant in self._state.granted.values() if whose == customer)
        return sorted(mine, key=lambda grant: (grant.priority, grant.id))

    def _billed_periods(self, contract: str) -> list[Interval]:
        """The periods of a contract's final documents."""
        documents = (one for one in self._state.documents.values() if one.contract == contract)
        return [Interval(*(parse_instant(instant) for instant in one.content["period"])) for one in documents]

    def _need_customer(self, customer: str) -> None:
        if customer not in self._state.customers:
            raise Refusal(CUSTOMER_UNKNOWN, f"there is no customer {customer!r}.", "customer")
