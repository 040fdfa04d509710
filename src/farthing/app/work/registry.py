"""The registry of due work: what is done with a row of a kind once its `due_at` has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row

After = Callable[[], None]
Do = Callable[[Desk, Row], After | None]
OnFault = Callable[[Desk, Row, str], None]


@dataclass(frozen=True, slots=True)
class Work:
    """The work on rows of a kind.

    `do` has the row locked, inside a transaction, and writes it with a later `due_at` or none; what it returns is called once that is
    durable, outside of any transaction. With `steps` it may leave `due_at` as it is as long as the row changes, and is called again at
    once. `on_clocks`: rows of the kind may live by test clocks. `on_fault` is what becomes of a row whose work failed, with the reason,
    in place of another try after a while.
    """

    kind: str
    do: Do
    steps: bool = False
    on_clocks: bool = True
    on_fault: OnFault | None = None


WORKS: dict[str, Work] = {}


def works(kind_name: str, do: Do, *, steps: bool = False, on_clocks: bool = True, on_fault: OnFault | None = None) -> None:
    """Register the work on a kind, once."""
    if kind_name in WORKS:
        raise ValueError(f"the work on {kind_name} is registered twice")
    WORKS[kind_name] = Work(kind_name, do, steps, on_clocks, on_fault)


def kinds_on_clocks() -> tuple[str, ...]:
    """The kinds whose rows may live by test clocks."""
    return tuple(name for name, work in WORKS.items() if work.on_clocks)
