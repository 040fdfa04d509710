"""Answers as they are shown: ids replaced by what they stand for where `expand` asks for it, and left out what is shown only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from farthing.app.resources.desk import Desk
from farthing.app.resources.kinds import KINDS
from farthing.app.resources.table import Document
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.edges.http.refusals import EXPAND_INVALID
from farthing.edges.http.wire.contract import Operation
from farthing.edges.http.wire.shapes import expandable, schemas

DEEPEST, MOST = 4, 20
Make = Callable[[Desk, Document], Any]
Tree = dict[str, Any]

_HIDDEN: dict[str, dict[str, Make | None]] = {}
_SHOWN: dict[str, Make] = {}
_LISTS = ("list", "search_result")
_SENDERS_OWN = ("ext", "metadata", "payload")
"""Objects whose keys the sender chose: what looks like a resource in them is none."""


def shown_on_request(schema: str, field: str, make: Make | None = None) -> None:
    """A field of a resource is left out of answers unless `expand` names it: one that its document holds, or one that is made then."""
    _HIDDEN.setdefault(schema, {})[field] = make


def shown_as(schema: str, make: Make) -> None:
    """Documents of a resource are shown as what `make` makes of them, such as a field that changes with the time. Events show what was."""
    _SHOWN[schema] = make


def read_paths(operation: Operation, paths: Sequence[str]) -> tuple[str, ...]:
    """The paths of `expand`, each of at most four fields that the operation's answer has. Errors: expand_invalid."""
    if len(paths) > MOST:
        raise Refusal(EXPAND_INVALID, f"{len(paths)} paths are more than {MOST}.", "expand")
    for n, path in enumerate(paths):
        parts = path.split(".")
        inside = parts[1:] if operation.listed is not None and parts[0] == "data" else parts
        if len([part for part in inside if part != "data"]) > DEEPEST:
            raise Refusal(EXPAND_INVALID, f"{shown(path)} has more than {DEEPEST} fields.", f"expand[{n}]")
        schema = operation.result
        if operation.listed is not None:
            schema = operation.listed if parts[0] == "data" and inside else None
        if schema is None or not _expands(schema, inside):
            hint = " in a list, paths begin with data." if operation.listed is not None and parts[0] != "data" else ""
            raise Refusal(EXPAND_INVALID, f"{shown(path)} cannot be expanded.{hint}", f"expand[{n}]")
    return tuple(paths)


def _expands(schema: str, parts: list[str]) -> bool:
    """Whether a path leads from a resource over fields that expand to one that this version can expand."""
    known = expandable(schema)
    for end in range(1, len(parts) + 1):
        path, rest = ".".join(parts[:end]), parts[end:]
        if path not in known:
            continue
        targets = [target for target in known[path] if target in KINDS]
        if not rest:
            return bool(targets) or not known[path]
        if any(_expands(target, rest) for target in targets if target in schemas()):
            return True
    return False


def expanded(desk: Desk, document: Document, paths: Sequence[str]) -> dict[str, Any]:
    """A document as it is shown, with these paths (`read_paths`) expanded."""
    tree: Tree = {}
    for path in paths:
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
    made: dict[str, Any] = _Showing(desk).value(document, tree, None, "")
    return made


class _Showing:
    """One answer in the making; what an id stands for is read once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: dict[tuple[tuple[str, ...], str], Document | None] = {}

    def value(self, value: Any, tree: Tree, schema: str | None, prefix: str) -> Any:
        """A value at a place of a document of a schema: `prefix` is the way to it, with a dot behind."""
        if isinstance(value, Mapping):
            return self._object(value, tree, schema, prefix)
        if isinstance(value, list | tuple):
            return [self.value(entry, tree, schema, prefix) for entry in value]
        return value

    def _object(self, value: Document, tree: Tree, schema: str | None, prefix: str) -> dict[str, Any]:
        named = value.get("object")
        if isinstance(named, str) and named not in _LISTS:
            if named == "event":
                return dict(value)  # what was, whatever is now
            schema, prefix = named, ""
            if named in _SHOWN and not value.get("deleted"):
                value = _SHOWN[named](self._desk, value)
        hidden: Mapping[str, Make | None] = {} if prefix else _HIDDEN.get(schema or "", {})
        shown: dict[str, Any] = {}
        for name, inner in value.items():
            if name in _SENDERS_OWN:
                shown[name] = inner
            elif name in tree:
                shown[name] = self._wanted(inner, tree[name], schema, prefix + name)
            elif name not in hidden:
                shown[name] = self.value(inner, {}, schema, f"{prefix}{name}.")
        for name, make in hidden.items():
            if name in tree and make is not None:
                shown[name] = self.value(make(self._desk, value), tree[name], schema, f"{prefix}{name}.")
        return shown

    def _wanted(self, value: Any, tree: Tree, schema: str | None, path: str) -> Any:
        """What stands at a place that a path leads to or over."""
        targets = expandable(schema).get(path, ()) if schema in schemas() else ()
        if isinstance(value, str) and targets:
            found = self._find(targets, value)
            return value if found is None else self.value(found, tree, None, "")
        if isinstance(value, list | tuple) and targets:
            return [self._wanted(entry, tree, schema, path) for entry in value]
        return self.value(value, tree, schema, path + ".")

    def _find(self, targets: tuple[str, ...], id_: str) -> Document | None:
        if (targets, id_) not in self._found:
            self._found[targets, id_] = None
            for target in targets:
                row = self._desk.store.find(target, id_) if target in KINDS else None
                if row is not None:
                    deleted = {"id": id_, "object": target, "deleted": True}
                    self._found[targets, id_] = deleted if row.deleted else row.document
                    break
        return self._found[targets, id_]
