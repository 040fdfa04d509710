"""`farthing bill`, `correct`, `invoices`, `explain`, `verify` and `aside`: bills made, shown, explained and proven."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from farthing.app.bill import Clerk, Held, bill_until, correct
from farthing.app.explain import EventPage, events_behind, explain
from farthing.app.raters import CoreRater, KernelRater, Rater
from farthing.app.store import Store, StoredDocument
from farthing.app.verify import Verification, verify
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.base.time import Instant, parse_instant, show_instant
from farthing.core.events.parse import event_document
from farthing.core.explain.explanation import as_document, as_text
from farthing.core.explain.wording import money, number
from farthing.core.invoice.document import read_document
from farthing.core.invoice.invoice import Line
from farthing.edges.cli.console import bar, errors, notes
from farthing.edges.cli.wiring import Account, AsJson, DatabaseUrl, DataDir, Live, Settings, Wiring

Engine = Annotated[str, typer.Option("--engine", help="core (event by event) or kernel (columns); each proves the other.")]
Customers = Annotated[list[str] | None, typer.Option("--customer", help="Only these customers; repeat it.")]
Until = Annotated[str | None, typer.Option("--until", help="Bill periods that have ended by then (RFC 3339); now if absent.")]


def rater(store: Store, engine: str) -> Rater:
    """The engine of that name. Errors: field_invalid."""
    if engine == "core":
        return CoreRater(store)
    if engine == "kernel":
        return KernelRater(store)
    raise Refusal(FIELD_INVALID, f"{engine[:20]!r} is neither core nor kernel.", "engine")


def raters(store: Store) -> dict[str, Rater]:
    """Both engines, by name."""
    return {"core": CoreRater(store), "kernel": KernelRater(store)}


def add_commands(app: typer.Typer, wiring: Wiring) -> None:
    """Put the commands about bills on the command line."""
    _add_making(app, wiring)
    _add_reading(app, wiring)


def _add_making(app: typer.Typer, wiring: Wiring) -> None:
    @app.command("bill")
    def _bill(
        until: Until = None,
        customers: Customers = None,
        engine: Engine = "core",
        data_dir: DataDir = Path(".farthing"),
        database_url: DatabaseUrl = None,
        account: Account = "default",
        live: Live = False,
        as_json: AsJson = False,
    ) -> None:
        """Make the bills of all periods that have ended, by difference to what was billed, and make them final."""
        with _store(wiring, Settings(data_dir, database_url, account, live), as_json) as store, bar(as_json) as on_progress:
            end: Instant = wiring.now() if until is None else parse_instant(until, "until")
            clerk = Clerk(store, rater(store, engine), wiring.now(), wiring.new_id)
            held: list[Held] = []
            show_documents(bill_until(clerk, end, customers, on_progress, held.append), as_json)
        show_held(held, as_json)

    @app.command("correct")
    def _correct(
        customers: Customers = None,
        engine: Engine = "core",
        data_dir: DataDir = Path(".farthing"),
        database_url: DatabaseUrl = None,
        account: Account = "default",
        live: Live = False,
        as_json: AsJson = False,
    ) -> None:
        """Correct at once what late facts made wrong on final bills: a further invoice, or a credit note."""
        with _store(wiring, Settings(data_dir, database_url, account, live), as_json) as store:
            clerk = Clerk(store, rater(store, engine), wiring.now(), wiring.new_id)
            held: list[Held] = []
            show_documents(correct(clerk, customers, held.append), as_json)
        show_held(held, as_json)


def _add_reading(app: typer.Typer, wiring: Wiring) -> None:
    @app.command("invoices")
    def _invoices(
        data_dir: DataDir = Path(".farthing"),
        database_url: DatabaseUrl = None,
        account: Account = "default",
        live: Live = False,
        as_json: AsJson = False,
    ) -> None:
        """Show all final bills, in order of finalisation."""
        with _store(wiring, Settings(data_dir, database_url, account, live), as_json) as store:
            show_documents(store.documents(), as_json)

    @app.command("explain")
    def _explain(
        line: Annotated[str, typer.Argument(help="The bill's number (or id), a colon, and the line from 1.")],
        events: Annotated[bool, typer.Option("--events", help="List the events behind the line instead.")] = False,
        page: Annotated[int, typer.Option("--page", min=1, help="Which page of the events, 50 on each.")] = 1,
        data_dir: DataDir = Path(".farthing"),
        database_url: DatabaseUrl = None,
        account: Account = "default",
        live: Live = False,
        as_json: AsJson = False,
    ) -> None:
        """Explain one line: amount, rounding, tiers, quantity, aggregation, events and price version, with the real numbers."""
        with _store(wiring, Settings(data_dir, database_url, account, live), as_json) as store:
            if events:
                show_events(events_behind(store, line, page), as_json)
                return
            explanation = explain(store, line)
            typer.echo(json.dumps(as_document(explanation), ensure_ascii=False) if as_json else as_text(explanation))

    @app.command("verify")
    def _verify(
        data_dir: DataDir = Path(".farthing"),
        database_url: DatabaseUrl = None,
        account: Account = "default",
        live: Live = False,
        as_json: AsJson = False,
    ) -> None:
        """Compute every final bill again by the path that did not make it, and compare; exit code 1 if anything differs."""
        with _store(wiring, Settings(data_dir, database_url, account, live), as_json) as store, bar(as_json) as on_progress:
            result = verify(store, raters(store), on_progress)
        typer.echo(json.dumps(verification_document(result), ensure_ascii=False) if as_json else verification_text(result))
        if not result.verified:
            raise typer.Exit(1)

    @app.command("aside")
    def _aside(
        data_dir: DataDir = Path(".farthing"),
        database_url: DatabaseUrl = None,
        account: Account = "default",
        live: Live = False,
        as_json: AsJson = False,
    ) -> None:
        """List events that are kept aside: accepted, but not billable as things stand."""
        with _store(wiring, Settings(data_dir, database_url, account, live), as_json) as store:
            for row in store.aside():
                span = f"{show_instant(row.first_at)} to {show_instant(row.last_at)}"
                fields = {"reason": row.reason, "event_name": row.event_name, "customer": row.customer, "events": row.events}
                line = f"{row.reason}: {row.events:,} of {row.event_name} for {row.customer}, {span}"
                typer.echo(json.dumps({**fields, "first": show_instant(row.first_at), "last": show_instant(row.last_at)}) if as_json else line)


@contextmanager
def _store(wiring: Wiring, settings: Settings, as_json: bool) -> Iterator[Store]:
    with errors(as_json), wiring.open_store(settings, notes(as_json)) as store:
        yield store


def show_documents(documents: Iterable[StoredDocument], as_json: bool) -> None:
    """Print bills as they come: as text, or one JSON object a line."""
    for document in documents:
        typer.echo(json.dumps(bill_document(document), ensure_ascii=False) if as_json else bill_text(document))


def show_held(held: Sequence[Held], as_json: bool) -> None:
    """Print the contracts that could not be billed, with whose they are and what to do; exit code 1 if there are any."""
    for one in held:
        period = None if one.period is None else [show_instant(one.period.start), show_instant(one.period.end)]
        why = one.refusal.document()
        if as_json:
            typer.echo(json.dumps({"held": {"contract": one.contract, "customer": one.customer, "period": period, **why}}, ensure_ascii=False))
        else:
            span = "its corrections" if period is None else f"the period {period[0]} to {period[1]}"
            typer.echo(f"HELD: contract {one.contract} of {one.customer}, {span}: {why['code']} at {why['field']}: {why['message']}", err=True)
    if held:
        raise typer.Exit(1)


def stop(held: Held) -> None:
    """For runs in which nothing may be held: the refusal ends the run."""
    raise held.refusal


def bill_document(stored: StoredDocument) -> dict[str, Any]:
    """A bill as commands print it: period in its time zone, total in minor units, quantities as whole numbers where they are."""
    bill = read_document(stored.content)
    return {
        "number": stored.number,
        "kind": bill.kind,
        "customer": bill.customer,
        "contract": bill.contract,
        "period_start": show_instant(bill.period.start, bill.zone),
        "period_end": show_instant(bill.period.end, bill.zone),
        "currency": bill.currency,
        "subtotal": bill.subtotal,
        "discount": bill.discount,
        "tax": bill.tax,
        "total": bill.total,
        "amount_due": bill.due,
        "digest": stored.digest,
        "lines": [_line_document(line) for line in bill.lines],
    }


def _line_document(line: Line) -> dict[str, Any]:
    quantity: int | str = line.quantity.numerator if line.quantity.denominator == 1 else show(line.quantity)
    return {
        "kind": line.kind,
        "description": line.description,
        "quantity": quantity,
        "amount_exact": show(line.exact),
        "amount": line.amount,
    }


def bill_text(stored: StoredDocument) -> str:
    """A bill as a person reads it in a terminal."""
    bill = read_document(stored.content)
    kind = "Invoice" if bill.kind == "invoice" else "Credit note"
    start, end = show_instant(bill.period.start, bill.zone), show_instant(bill.period.end, bill.zone)
    rows = [f"{kind} {stored.number} · {bill.customer} · {start} to {end}"]
    width = max((len(line.description) for line in bill.lines), default=0)
    for line in bill.lines:
        note = f"  (corrects {line.corrects})" if line.corrects else ""
        rows.append(f"  {line.description:<{width}}  {number(line.quantity):>14}  {money(line.amount, bill.currency):>16}{note}")
    for name, amount in (("Discount", -bill.discount), ("Credits", -bill.credit_before_tax), ("Tax", bill.tax), ("Credits", -bill.credit_after_tax)):
        if amount:
            rows.append(f"  {name:<{width}}  {'':>14}  {money(amount, bill.currency):>16}")
    rows.append(f"  {'Due':<{width}}  {'':>14}  {money(bill.due, bill.currency):>16}   digest {stored.digest[:12]}")
    return "\n".join(rows)


def show_events(page: EventPage, as_json: bool) -> None:
    """Print one page of events, one JSON document a line."""
    for event in page.events:
        typer.echo(json.dumps({**event_document(event), "position": event.position}, ensure_ascii=False))
    if page.more and not as_json:
        typer.echo(f"page {page.page}; more with --page {page.page + 1}")


def verification_document(result: Verification) -> dict[str, Any]:
    """The outcome of a verification as JSON."""
    return {
        "verified": result.verified,
        "documents": result.documents,
        "lines": result.lines,
        "recomputed_by": sorted(result.engines),
        "events_altered": result.events_altered,
        "findings": [asdict(finding) for finding in result.findings],
        "unproven": [{"document": document, "reason": reason} for document, reason in result.unproven],
    }


def verification_text(result: Verification) -> str:
    """The outcome of a verification in words."""
    paths = " and ".join(sorted(result.engines)) or "nothing"
    rows = [f"{result.documents:,} bills with {result.lines:,} lines computed again by the {paths} path, from the event log as it was known."]
    rows += [f"ALTERED: event {identifier} is not what was accepted." for identifier in result.events_altered]
    for f in result.findings:
        where = f"line {f.line}" if f.line else "the whole"
        rows.append(f"DIFFERS: {f.document}, {where}, {f.field}: stored {f.stored[:200]}, recomputed {f.recomputed[:200]}")
    rows += [f"UNPROVEN: {document}: {reason}" for document, reason in result.unproven]
    rows.append("Verified: every line and every digest is the same." if result.verified else "NOT verified.")
    return "\n".join(rows)
