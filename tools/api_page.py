"""The generated part of docs/api.md: which operations are served, with which parameters, which statuses refusals have, and how ids begin;
from the registries of routes, refusals and kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from farthing.app.resources.kinds import KINDS
from farthing.edges.http import problem
from farthing.edges.http.keys import resource_of
from farthing.edges.http.resources import register
from farthing.edges.http.routes import ROUTES
from farthing.edges.http.wire import contract
from farthing.edges.http.wire.contract import Operation, Shape

BEGIN = "<!-- generated from the registry of routes: change that, not this part -->"
END = "<!-- end of the generated part -->"


def page(current: str) -> str:
    """The whole page with its generated part made anew; `current` is the page as it is, with both markers."""
    before, _, rest = current.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{generated()}\n{END}{after}"


def generated() -> str:
    """Markdown of the generated part."""
    register()
    every = sorted(contract.operations(), key=lambda one: (resource_of(one.path), one.path, one.method))
    served = [one for one in every if (one.method, one.path) in ROUTES]
    missing = [one for one in every if (one.method, one.path) not in ROUTES]
    head = f"Of {len(every)} operations of the wire contract {len(served)} are served, all by their names below, and {len(missing)} are not."
    groups = groupby(missing, key=lambda one: resource_of(one.path))
    lines = "\n".join(f"- {resource}: {', '.join(f'`{one.method} {one.path}`' for one in group)}" for resource, group in groups)
    parts = [
        f"{head}\n\n{_counts(every)}",
        f"### Operations that are served\n\nParameters not named in the middle are refused as `parameter_unsupported`.\n\n{_served(served)}",
        f"### Operations that are not served\n\nThey are refused as `operation_unsupported`.\n\n{lines}",
        "### Statuses of errors\n\nWhat is not here is a 400 `invalid_request_error`, and `resource_missing` a 404 where the path names it. "
        f"[refusals.md](refusals.md) has all codes.\n\n{_statuses()}",
        f"### Ids\n\n{_ids()}",
    ]
    return "\n\n".join(parts) + "\n"


def _counts(every: Iterable[Operation]) -> str:
    rows = ["| resource | operations | served |", "|---|---:|---:|"]
    for resource, group in groupby(every, key=lambda one: resource_of(one.path)):
        operations = list(group)
        rows.append(f"| {resource} | {len(operations)} | {sum((one.method, one.path) in ROUTES for one in operations)} |")
    return "\n".join(rows)


def _served(served: Iterable[Operation]) -> str:
    rows = ["| operation | takes | refuses by name |", "|---|---|---|"]
    for one in served:
        rows.append(f"| `{one.method} {one.path}` | {_named(taken(one))} | {_named(untaken(one))} |")
    return "\n".join(rows)


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _statuses() -> str:
    """A row for each status and type, with the codes that are answered so by declaration."""
    found: dict[tuple[int, str], list[str]] = {}
    for code, how in sorted(problem.manners().items()):
        found.setdefault((how.status, how.type), []).append(code)
    rows = ["| status | type | codes |", "|---:|---|---|"]
    rows += [f"| {status} | `{type_}` | {_named(codes)} |" for (status, type_), codes in sorted(found.items())]
    return "\n".join(rows)


def _ids() -> str:
    rows = ["| resource | its ids begin with |", "|---|---|"]
    for kind in sorted(KINDS.values(), key=lambda one: one.name):
        if kind.collection.startswith("/"):
            rows.append(f"| {kind.name} | {f'`{kind.prefix}`' if kind.prefix else 'anything: they may be sent'} |")
    return "\n".join(rows)


def taken(operation: Operation) -> list[str]:
    """The parameters that the route of an operation takes; of one that it takes in part, the parts."""
    return sorted(_leaves(ROUTES[operation.method, operation.path].taken, ""))


def _leaves(tree: Mapping[str, Any], place: str) -> Iterator[str]:
    for name, inner in tree.items():
        path = f"{place}[{'' if name == '*' else name}]" if place else name
        if inner is None:
            yield path
        else:
            yield from _leaves(inner, path)


def untaken(operation: Operation) -> list[str]:
    """The parameters of an operation that its route does not take; of one that it takes in part, the parts."""
    return list(dict.fromkeys(_untaken(operation.params, ROUTES[operation.method, operation.path].taken, "")))


def _untaken(shape: Shape, taken: Mapping[str, Any], place: str) -> Iterator[str]:
    for name, inner in _fields(shape):
        path = f"{place}[{'' if name == '*' else name}]" if place else name
        if path == "expand":
            continue
        if name not in taken and "*" not in taken:
            yield path
        elif (below := taken.get(name, taken.get("*"))) is not None:
            yield from _untaken(inner, below, path)


def _fields(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """What may stand within a parameter, by name: fields of an object, `*` for entries of a list or map."""
    if shape.kind == "union":
        for option in shape.options:
            yield from _fields(option)
    elif shape.kind == "object":
        yield from shape.fields.items()
    elif shape.inner is not None:
        yield "*", shape.inner
