"""`farthing bill`, `correct`, `invoices`, `explain`, `verify` and `aside`: bills made, shown, explained and proven."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from farthing.app.bill import Clerk, Held, bill_until, correct
from farthing.app.explain import EventPage, events_behind, explain
from farthing.app.raters import CoreRater, KernelRater, Rater
from farthing.app.store import Store, StoredDocument
from farthing.app.verify import Verification, verification_document, verify
from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.base.time import Instant, parse_instant, show_instant
from farthing.core.events.parse import event_document
from farthing.core.explain.explanation import as_document, as_text
from farthing.core.explain.wording import money, number
from farthing.core.invoice.document import read_document
from farthing.core.invoice.invoice import Line
from farthing.edges.cli.console import bar, notes
from farthing.edges.cli.refusals import ARGUMENTS_INVALID, TIME_IN_FUTURE
from farthing.edges.cli.wiring import Settings, Wiring, on_store

Engine = Annotated[str, typer.Option("--engine", help="core (event by event) or kernel (columns); each proves the other.")]
Customers = Annotated[list[str] | None, typer.Option("--customer", help="Only these customers; repeat it.")]
Until = Annotated[str | None, typer.Option("--until", help="Bill periods that have ended by then (RFC 3339); now if absent.")]
Ahead = Annotated[bool, typer.Option("--ahead", help="Let the time be in the future.")]
LAST_PAGE = 1_000_000_000


def up_to(text: str | None, field: str, now: Instant, ahead: bool) -> Instant:
    """The time that bills are made up to: now, or one that is given. Errors: timestamp_…, time_in_future."""
    at = now if text is None else parse_instant(text, field)
    if at > now and not ahead:
        raise Refusal(TIME_IN_FUTURE, f"{show_instant(at)} is after {show_instant(now)}.", field)
    return at


def rater_of(engine: str) -> Callable[[Store], Rater]:
    """What makes the engine of that name for a store. Errors: field_invalid."""
    if engine == "core":
        return CoreRater
    if engine == "kernel":
        return KernelRater
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
    @on_store
    def _bill(settings: Settings, until: Until = None, customers: Customers = None, engine: Engine = "core", ahead: Ahead = False) -> None:
        """Make the bills of all periods that have ended, by difference to what was billed, and make them final."""
        end = up_to(until, "until", wiring.now(), ahead)
        rater = rater_of(engine)
        held: list[Held] = []
        with open_store(wiring, settings) as store, bar(settings.as_json) as on_progress:
            clerk = Clerk(store, rater(store), wiring.now(), wiring.new_id)
            show_documents(bill_until(clerk, end, customers, on_progress, held.append), settings.as_json)
        show_held(held, settings.as_json)

    @app.command("correct")
    @on_store
    def _correct(settings: Settings, customers: Customers = None, engine: Engine = "core") -> None:
        """Correct at once what late facts made wrong on final bills: a further invoice, or a credit note."""
        rater = rater_of(engine)
        held: list[Held] = []
        with open_store(wiring, settings) as store:
            clerk = Clerk(store, rater(store), wiring.now(), wiring.new_id)
            show_documents(correct(clerk, customers, held.append), settings.as_json)
        show_held(held, settings.as_json)


def _add_reading(app: typer.Typer, wiring: Wiring) -> None:
    @app.command("invoices")
    @on_store
    def _invoices(settings: Settings) -> None:
        """Show all final bills, in order of finalisation."""
        with open_store(wiring, settings) as store:
            show_documents(store.documents(), settings.as_json)

    @app.command("explain")
    @on_store
    def _explain(
        settings: Settings,
        line: Annotated[str, typer.Argument(help="The bill's number (or id), a colon, and the line from 1.")],
        events: Annotated[bool, typer.Option("--events", help="List the events behind the line instead.")] = False,
        page: Annotated[int | None, typer.Option("--page", min=1, max=LAST_PAGE, help="Which page of --events, 50 on each; else the first.")] = None,
    ) -> None:
        """Explain one line: amount, rounding, tiers, quantity, aggregation, events and price version, with the real numbers."""
        if page is not None and not events:
            raise Refusal(ARGUMENTS_INVALID, "--page is a page of --events, which is not given.", "page")
        with open_store(wiring, settings) as store:
            if events:
                show_events(events_behind(store, line, page or 1), settings.as_json)
                return
            explanation = explain(store, line)
            typer.echo(json.dumps(as_document(explanation), ensure_ascii=False) if settings.as_json else as_text(explanation))

    @app.command("verify")
    @on_store
    def _verify(settings: Settings) -> None:
        """Compute every final bill again by the path that did not make it, and compare; exit code 1 if anything differs."""
        with open_store(wiring, settings) as store, bar(settings.as_json) as on_progress:
            result = verify(store, raters(store), on_progress)
        typer.echo(json.dumps(verification_document(result), ensure_ascii=False) if settings.as_json else verification_text(result))
        if not result.verified:
            raise typer.Exit(1)

    @app.command("aside")
    @on_store
    def _aside(settings: Settings) -> None:
        """List events that are kept aside: accepted, but not billable as things stand."""
        with open_store(wiring, settings) as store:
            for row in store.aside():
                span = f"{show_instant(row.first_at)} to {show_instant(row.last_at)}"
                fields = {"reason": row.reason, "event_name": row.event_name, "customer": row.customer, "events": row.events}
                document = {**fields, "first": show_instant(row.first_at), "last": show_instant(row.last_at)}
                text = f"{row.reason}: {row.events:,} of {row.event_name} for {row.customer}, {span}"
                typer.echo(json.dumps(document) if settings.as_json else text)


def open_store(wiring: Wiring, settings: Settings) -> AbstractContextManager[Store]:
    """The store that a command works on."""
    return wiring.open_store(settings, notes(settings.as_json))


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
        "state": stored.state,
        **({} if stored.void is None else {"void": asdict(stored.void)}),
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
    void = f" · VOID, to {stored.void.disposition}: {stored.void.reason}" if stored.void is not None else ""
    rows = [f"{kind} {stored.number} · {bill.customer} · {start} to {end}{void}"]
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
    if not (page.events or as_json):
        typer.echo("No event is behind this line.")
    if page.more and not as_json:
        typer.echo(f"page {page.page}; more with --page {page.page + 1}")


def verification_text(result: Verification) -> str:
    """The outcome of a verification in words."""
    paths = " and ".join(sorted(result.engines))
    rows = [f"{result.documents:,} bills with {result.lines:,} lines computed again by the {paths} path, from the event log as it was known."]
    if not result.documents:
        rows = ["There is nothing to verify: no bill is final yet."]
    rows += [f"ALTERED: event {identifier} is not what was accepted." for identifier in result.events_altered]
    for f in result.findings:
        where = f"line {f.line}" if f.line else "the whole"
        rows.append(f"DIFFERS: {f.document}, {where}, {f.field}: stored {f.stored[:200]}, recomputed {f.recomputed[:200]}")
    rows += [f"UNPROVEN: {document}: {reason}" for document, reason in result.unproven]
    if not result.verified:
        rows.append("NOT verified.")
    elif result.documents:
        rows.append("Verified: every line and every digest is the same.")
    return "\n".join(rows)
