"""`farthing part`, `void` and `waive`: bills before their period has ended, and what is taken back by decision."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from farthing.app.adjust import void, waive
from farthing.app.bill import Clerk, Held, bill_part
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_INVALID
from farthing.core.events.fields import read_text
from farthing.core.invoice.voids import Disposition
from farthing.edges.cli.bills import (
    Ahead,
    Customers,
    Engine,
    bill_document,
    bill_text,
    open_store,
    rater_of,
    raters,
    show_documents,
    show_held,
    up_to,
)
from farthing.edges.cli.console import bar, note
from farthing.edges.cli.wiring import Settings, Wiring, on_store

Reason = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]
REASON_LONGEST = 500


def add_commands(app: typer.Typer, wiring: Wiring) -> None:
    """Put the commands on the command line."""

    @app.command("part")
    @on_store
    def _part(
        settings: Settings,
        at: Annotated[str | None, typer.Option("--at", help="Bill open periods up to then (RFC 3339); now if absent.")] = None,
        customers: Customers = None,
        engine: Engine = "core",
        ahead: Ahead = False,
    ) -> None:
        """Bill what has ended, and the usage so far of periods that are still open, as part-invoices."""
        end = up_to(at, "at", wiring.now(), ahead)
        rater = rater_of(engine)
        held: list[Held] = []
        with open_store(wiring, settings) as store, bar(settings.as_json) as on_progress:
            clerk = Clerk(store, rater(store), wiring.now(), wiring.new_id)
            show_documents(bill_part(clerk, end, customers, on_progress, held.append), settings.as_json)
        show_held(held, settings.as_json)

    @app.command("void")
    @on_store
    def _void(
        settings: Settings,
        bill: Annotated[str, typer.Argument(help="The bill's number.")],
        reason: Reason,
        then: Annotated[str, typer.Option("--then", help="reissue: it is due again with what is known then. waive: it is given up for ever.")],
    ) -> None:
        """Make a final bill void: its entry is reversed and credits go back; it keeps its number."""
        disposition, why = _disposition(then), read_text(reason, "reason", REASON_LONGEST)
        with open_store(wiring, settings) as store:
            stored = void(Clerk(store, raters(store)["core"], wiring.now(), wiring.new_id), bill, disposition, why)
            if stored.void is not None and stored.void.reason != why:
                first = json.dumps(stored.void.reason, ensure_ascii=False)
                note(f"{bill} was void already, and stays so for its first reason, {first}; the new one is not kept.", settings.as_json)
            typer.echo(json.dumps(bill_document(stored), ensure_ascii=False) if settings.as_json else bill_text(stored))

    @app.command("waive")
    @on_store
    def _waive(
        settings: Settings,
        line: Annotated[str, typer.Argument(help="The bill's number, a colon, and the line from 1.")],
        amount: Annotated[int, typer.Argument(help="Minor units, before discount and tax.")],
        reason: Reason,
    ) -> None:
        """Give up part of what a line's charge was billed; `correct` or the next bill takes it off."""
        with open_store(wiring, settings) as store:
            waive(store, line, amount, read_text(reason, "reason", REASON_LONGEST))
        text = f"{amount} minor units of {line} are given up; the next bill or `correct` takes them off."
        typer.echo(json.dumps({"waived": {"line": line, "amount": amount}}) if settings.as_json else text)


def _disposition(text: str) -> Disposition:
    if text == "reissue":
        return "reissue"
    if text == "waive":
        return "waive"
    raise Refusal(FIELD_INVALID, f"{json.dumps(text[:20])} is neither reissue nor waive.", "then")
