"""`farthing ingest` and `farthing apply`: event files into the log, catalogue documents into the catalogue."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from farthing.app.apply import apply_catalogue
from farthing.app.ingest import Loaded, ingest
from farthing.app.store import Store
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import NOT_AN_OBJECT
from farthing.core.events.exact_json import decode_json
from farthing.edges.cli.console import bar, created, notes
from farthing.edges.cli.wiring import Settings, Wiring, on_store

Files = Annotated[
    list[Path],
    typer.Argument(help="CSV (.csv, .tsv), NDJSON (.ndjson, .jsonl), JSON (CloudEvents), Parquet; all but Parquet also .gz, .xz, .bz2, .zst."),
]
Mapping = Annotated[Path | None, typer.Option("--mapping", help="A TOML or JSON file that says which column is what.")]
Columns = Annotated[list[str] | None, typer.Option("--map", help="field=column, such as identifier=InvoiceNo; repeat it.")]
Constants = Annotated[list[str] | None, typer.Option("--set", help="field=text for every row, such as event_name=payment.")]
Templates = Annotated[list[str] | None, typer.Option("--template", help="field=text with {column}, {#file} or {#row} in it.")]
Zone = Annotated[str | None, typer.Option("--time-zone", help="The zone of timestamps that do not say theirs, such as Europe/London.")]
Form = Annotated[str | None, typer.Option("--format", help="csv, ndjson, json or parquet, where the name does not say.")]
RejectsPath = Annotated[Path | None, typer.Option("--rejects", help="Where refused rows go; beside each file as NAME.rejects.ndjson if absent.")]


def add_commands(app: typer.Typer, wiring: Wiring) -> None:
    """Put `ingest` and `apply` on the command line."""

    @app.command("ingest")
    @on_store
    def _ingest(
        settings: Settings,
        files: Files,
        mapping: Mapping = None,
        columns: Columns = None,
        constants: Constants = None,
        templates: Templates = None,
        time_zone: Zone = None,
        form: Form = None,
        rejects: RejectsPath = None,
    ) -> None:
        """Load event files into the log, each event once; run it again after a crash and it goes on where it stopped.

        Refused rows are written to a reject file with line, field and reason; then the exit code is 1.
        """
        as_json = settings.as_json
        options = wiring.file_options(mapping, columns or [], constants or [], templates or [], time_zone, form)
        sources = [(file, wiring.open_source(file, options)) for file in files]  # before the store: a typing error is told at once
        with _creating(wiring, settings) as store:
            loaded: list[Loaded] = []
            for file, source in sources:
                path = rejects or file.with_name(f"{file.name}.rejects.ndjson")
                with bar(quiet=as_json) as on_progress:
                    loaded.append(ingest(store, source, wiring.open_rejects(path, source), on_progress))
                _report(loaded[-1], path, as_json)
            if as_json:
                typer.echo(json.dumps([_document(one) for one in loaded]))
        if any(one.refused for one in loaded):
            raise typer.Exit(1)

    @app.command("apply")
    @on_store
    def _apply(
        settings: Settings,
        file: Annotated[Path, typer.Argument(help="A catalogue document: customers, meters, prices, contracts, amendments, grants (JSON).")],
    ) -> None:
        """Write a catalogue document, all of it or nothing; docs/catalogue.md has its fields.

        What is there already is not written again. A price changes by a further version: the same lineage, another id, and the time from
        which it holds (effective_from). A contract changes by amendments, and in all while nothing was billed of it.
        """
        document = decode_json(file.read_bytes())
        if not isinstance(document, dict):
            raise Refusal(NOT_AN_OBJECT, f"{file.name} does not hold a JSON object.")
        with _creating(wiring, settings) as store:
            counts = apply_catalogue(store, document)
        typer.echo(json.dumps(counts) if settings.as_json else ", ".join(f"{count} {kind}" for kind, count in counts.items() if count))


def _creating(wiring: Wiring, settings: Settings) -> AbstractContextManager[Store]:
    """The store, whose account is created if there is none of that name."""
    return wiring.open_store(replace(settings, create=created(settings.as_json)), notes(settings.as_json))


def _document(loaded: Loaded) -> dict[str, Any]:
    fields = ("accepted", "duplicates", "refused", "head", "resumed")
    return {"file": loaded.name, **{field: getattr(loaded, field) for field in fields}}


def _report(loaded: Loaded, rejects: Path, as_json: bool) -> None:
    if as_json:
        return
    resumed = " (went on where an earlier run stopped)" if loaded.resumed else ""
    typer.echo(f"{loaded.name}: {loaded.accepted:,} accepted, {loaded.duplicates:,} known already, {loaded.refused:,} refused{resumed}")
    if loaded.refused:
        typer.echo(f"  the refused rows, each with line, field and reason: {rejects}")
