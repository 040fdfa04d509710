"""Customers, meters, prices, contracts and grants. Writers take turns on the catalogue's head, so that revisions are dense and in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg.types.json import Jsonb

from farthing.app.refusals import CUSTOMER_UNKNOWN, GRANT_CHANGED, METER_CHANGED, PRICE_VERSION_CHANGED
from farthing.core.base.exact import not_negative
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Interval
from farthing.core.base.timeline import Version
from farthing.core.catalog.fields import canonical
from farthing.core.catalog.terms import Grant, PriceVersion
from farthing.core.contract.contract import Agreement, Contract
from farthing.core.contract.declare import Change, Declaration, changed_fields, declaration, given_again
from farthing.core.contract.parse import agreement_document, contract_document, read_agreement, read_contract
from farthing.core.usage.meter import Meter
from farthing.core.usage.parse import meter_document, parse_meter
from farthing.edges.postgres.session import Connection, Parameters, Session
from farthing.edges.postgres.statements import statement

Write = Callable[[Connection, int], int]
"""Writes under the next revision, and returns the last revision that holds what was to be written: an earlier one if it is there already."""


class CatalogueTables:
    """The catalogue. What is there with the same content is not written again, so every write may be repeated."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def revision(self) -> int:
        """The revision up to which the catalogue is complete."""
        return int(self._session.value("catalogue_head"))

    def put_customer(self, customer: str, document: Mapping[str, Any]) -> int:
        """Add a customer, or replace its document."""
        content = canonical(document)

        def change(connection: Connection, revision: int) -> int:
            latest = _first(connection, "latest_customer", {"customer": customer})
            if latest is not None and latest[1] == content:
                return int(latest[0])
            _run(connection, "insert_customer", {"customer": customer, "revision": revision, "document": Jsonb(content)})
            return revision

        return self._change(change)

    def put_meter(self, meter: Meter) -> int:
        """Add a meter. Errors: meter_changed when the id exists with other content."""
        content = meter_document(meter)

        def change(connection: Connection, revision: int) -> int:
            known = _first(connection, "meter", {"id": meter.id})
            if known is None:
                values = {"id": meter.id, "revision": revision, "event_name": meter.event_name, "document": Jsonb(content)}
                _run(connection, "insert_meter", values)
                return revision
            if known[1] != content:
                raise Refusal(METER_CHANGED, f"meter {meter.id!r} is declared otherwise.", "id")
            return int(known[0])

        return self._change(change)

    def put_price(self, version: PriceVersion, effective: Interval) -> int:
        """Add a price version over a span; overlaps override earlier-known versions there. The same version over the same span is there
        already. Errors: price_version_changed when the id exists with another document or lineage."""
        content = canonical(version.document)

        def change(connection: Connection, revision: int) -> int:
            for known, document, lineage, start, end in connection.execute(statement("price_version"), {"id": version.id}):
                if document != content or lineage != version.lineage:
                    raise Refusal(PRICE_VERSION_CHANGED, f"price version {version.id!r} of {lineage!r} says otherwise.", "price.id")
                if (start, end) == (effective.start, effective.end):
                    return int(known)
            values = {"id": version.id, "lineage": version.lineage, "start": effective.start, "end": effective.end}
            _run(connection, "insert_price_version", {**values, "revision": revision, "document": Jsonb(content)})
            return revision

        return self._change(change)

    def put_contract(self, contract: Contract) -> int:
        """Add a contract, or what it changes (see `given_again`).

        Errors: customer_unknown, contract_changed, contract_end_billed, contract_amended, contract_tax_rate_changed.
        """

        def write(connection: Connection, revision: int) -> int:
            found = _first(connection, "contract", {"id": contract.id})
            if found is None:
                _insert_contract(connection, contract)
                stored: list[Version[Agreement]] = []
                changed = Change(contract.versions)
            else:
                stored = [_version(*row) for row in connection.execute(statement("contract_versions"), {"id": contract.id})]
                changed = _change_of(connection, contract, stored, *found)
            last = max([version.revision for version in stored] + [found[1] if found and found[1] else 0])
            for version in changed.versions:
                span, agreement = version.effective, agreement_document(version.value)
                last = max(last + 1, revision)
                values = {"id": contract.id, "revision": last, "start": span.start, "end": span.end, "agreement": Jsonb(agreement)}
                _run(connection, "insert_contract_version", values)
            return _declare(connection, contract, max(last, revision)) if changed.declared else last

        return self._change(write)

    def customers(self) -> Sequence[str]:
        """All customers, by id."""
        return [row[0] for row in self._session.rows("customers")]

    def contracts(self, customer: str | None = None) -> Sequence[Contract]:
        """Contracts with all their versions, by id."""
        rows = self._session.rows("contracts", {"customer": customer})
        return [read_contract(document, tuple(_version(*row[1:]) for row in group)) for document, group in groupby(rows, key=itemgetter(0))]

    def meters(self) -> Mapping[str, Meter]:
        """All meters by id."""
        meters = (parse_meter(document) for (document,) in self._session.rows("meters"))
        return {meter.id: meter for meter in meters}

    def prices(self, lineages: Sequence[str] | None = None) -> Mapping[str, Sequence[Version[PriceVersion]]]:
        """All versions of price lineages, in order of revision; a lineage without any is left out."""
        found: dict[str, list[Version[PriceVersion]]] = {}
        parameters = {"lineages": None if lineages is None else list(lineages)}
        for lineage, start, end, revision, id_, document in self._session.rows("price_versions", parameters):
            found.setdefault(lineage, []).append(Version(Interval(start, end), revision, PriceVersion(id_, lineage, document)))
        return found

    def put_grant(self, customer: str, grant: Grant) -> None:
        """Grant a credit to a customer (`remaining` is its whole amount). The same grant again is there already.

        Errors: customer_unknown, number_negative, grant_changed when the id exists with other content.
        """
        not_negative(Fraction(grant.remaining), "remaining")
        terms = (customer, grant.currency, grant.remaining, grant.applies, grant.priority)
        values = dict(zip(("customer", "currency", "amount", "applies", "priority"), terms, strict=True))

        def put(connection: Connection) -> None:
            _need_customer(connection, customer)
            if _first(connection, "insert_grant", {"id": grant.id, **values}) is None and _first(connection, "grant", {"id": grant.id}) != terms:
                raise Refusal(GRANT_CHANGED, f"grant {grant.id!r} was granted otherwise.", "id")

        self._session.run(put)

    def grants(self, customer: str) -> Sequence[Grant]:
        """A customer's grants with what remains of each, in the order in which they are used."""
        return [Grant(*row) for row in self._session.rows("grants", {"customer": customer})]

    def _change(self, write: Write) -> int:
        def work(connection: Connection) -> int:
            head = _first(connection, "lock_catalogue", {})
            assert head is not None
            last = write(connection, head[0] + 1)
            if last > head[0]:
                _run(connection, "move_catalogue", {"revision": last})
            return last

        return self._session.run(work)


def _insert_contract(connection: Connection, contract: Contract) -> None:
    _need_customer(connection, contract.customer)
    _run(connection, "insert_contract", _header(contract))


def _change_of(
    connection: Connection, contract: Contract, stored: Sequence[Version[Agreement]], document: Any, revision: int | None, agreement: Any
) -> Change:
    """What a contract given again changes; whether anything was billed is asked under the contract's lock, which a bill that becomes
    final takes too."""
    known = read_contract(document, tuple(stored))
    last = declaration(known) if revision is None else Declaration(revision, read_agreement(agreement))
    billed: list[Interval] = []
    if changed_fields(known, contract) or contract.versions[0].value != last.agreement:
        _run(connection, "lock_contract", {"contract": contract.id})
        billed = [Interval(*row) for row in connection.execute(statement("billed_periods"), {"contract": contract.id})]
    return given_again(known, last, contract, billed)


def _declare(connection: Connection, contract: Contract, revision: int) -> int:
    """Declare a contract anew; drafts of it were computed from what it was."""
    _need_customer(connection, contract.customer)
    agreement = Jsonb(agreement_document(contract.versions[0].value))
    _run(connection, "insert_contract_declaration", {**_header(contract), "revision": revision, "agreement": agreement})
    _run(connection, "delete_drafts", {"contract": contract.id})
    return revision


def _header(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "customer": contract.customer,
        "currency": contract.currency,
        "start": contract.active.start,
        "end": contract.active.end,
        "document": Jsonb(contract_document(contract)),
    }


def _version(start: int, end: int, revision: int, agreement: Mapping[str, Any]) -> Version[Agreement]:
    return Version(Interval(start, end), revision, read_agreement(agreement))


def _need_customer(connection: Connection, customer: str) -> None:
    if _first(connection, "latest_customer", {"customer": customer}) is None:
        raise Refusal(CUSTOMER_UNKNOWN, f"there is no customer {customer!r}.", "customer")


def _first(connection: Connection, name: str, parameters: Parameters) -> tuple[Any, ...] | None:
    return connection.execute(statement(name), parameters).fetchone()


def _run(connection: Connection, name: str, parameters: Parameters) -> None:
    connection.execute(statement(name), parameters)
