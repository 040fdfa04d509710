"""`farthing demo`: two real scenarios loaded, billed, explained and proven, each time from a clean state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from farthing.app.apply import apply_catalogue
from farthing.app.bill import Clerk, bill_until
from farthing.app.explain import explain
from farthing.app.store import Progress as Step
from farthing.app.store import Store, StoredDocument
from farthing.app.verify import Verification, verification_document, verify
from farthing.core.base.time import parse_instant
from farthing.core.events.event import Fact
from farthing.core.events.parse import parse_fact
from farthing.core.explain.explanation import as_text
from farthing.demo.scenarios import SCENARIOS, Scenario
from farthing.edges.cli.bills import Engine, bill_document, bill_text, rater_of, raters, stop, verification_text
from farthing.edges.cli.console import bar, notes
from farthing.edges.cli.wiring import AsJson, Settings, Wiring

BATCH = 5_000


def add_commands(app: typer.Typer, wiring: Wiring) -> None:
    """Put `demo` on the command line."""

    @app.command("demo")
    def _demo(
        engine: Engine = "core",
        data_dir: Annotated[Path, typer.Option("--data-dir", help="Where the demo keeps its own database.")] = Path(".farthing/demo"),
        as_json: AsJson = False,
    ) -> None:
        """Bill an hour of two LLM services and thirteen months of card payments, and prove the bills. Needs nothing installed."""
        with wiring.open_store(Settings(data_dir, fresh=True), notes(as_json)) as store:
            with bar(as_json) as on_progress:
                made = {}
                for scenario in SCENARIOS:
                    apply_catalogue(store, scenario.catalogue)
                    _load(store, scenario, on_progress)
                    made[scenario.name] = _bill(store, wiring, scenario, engine, on_progress)
                result = verify(store, raters(store), on_progress)
            typer.echo(_json(made, result) if as_json else _text(store, data_dir, made, result))
        if not result.verified:
            raise typer.Exit(1)


def _load(store: Store, scenario: Scenario, on_progress: Any) -> None:
    done, what = 0, f"loading {scenario.size:,} events: {scenario.title}"
    for batch in _batches(scenario):
        store.append(batch)
        done += len(batch)
        on_progress(Step(what, done, scenario.size))


def _batches(scenario: Scenario) -> Iterator[Sequence[Fact]]:
    facts = (parse_fact(document) for document in scenario.events())
    while batch := list(islice(facts, BATCH)):
        yield batch


def _bill(store: Store, wiring: Wiring, scenario: Scenario, engine: str, on_progress: Any) -> list[StoredDocument]:
    clerk = Clerk(store, rater_of(engine)(store), wiring.now(), wiring.new_id)
    customers = [customer["id"] for customer in scenario.catalogue["customers"]]
    return list(bill_until(clerk, parse_instant(scenario.until), customers, on_progress, stop))


def _json(made: dict[str, list[StoredDocument]], result: Verification) -> str:
    scenarios = {name: {"invoices": [bill_document(document) for document in documents]} for name, documents in made.items()}
    outcome = verification_document(result)
    return json.dumps({"scenarios": scenarios, "verified": outcome.pop("verified"), "verification": outcome}, ensure_ascii=False)


def _text(store: Store, data_dir: Path, made: dict[str, list[StoredDocument]], result: Verification) -> str:
    parts: list[str] = []
    for scenario in SCENARIOS:
        parts += [f"# {scenario.title}", *(bill_text(document) for document in made[scenario.name])]
    line = f"{made['fees'][0].number}:1"
    parts += [f"# Why? farthing explain {line}", as_text(explain(store, line)), "# Proof", verification_text(result)]
    parts.append(f"Go on with: .venv/bin/farthing invoices | explain {line} --events | verify, each with --data-dir {data_dir}")
    return "\n\n".join(parts)
