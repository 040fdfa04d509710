"""Named refusals: every way in which input is turned down, with its place and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class RefusalKind:
    """One named way to be refused. `code` is stable and public; `remedy` says what the sender should do."""

    code: str
    meaning: str
    remedy: str


class Refusal(Exception):
    """Input was refused: `code` names the rule, `message` says what is wrong with which value, `field` says where.

    `field` is a dotted path into the document that was refused (`tiers[1].up_to`), or None when it is about the whole.
    """

    def __init__(self, kind: RefusalKind, message: str, field: str | None = None) -> None:
        super().__init__(f"{kind.code}: {message}" + (f" (at {field})" if field else ""))
        self.kind = kind
        self.code = kind.code
        self.message = message
        self.field = field

    def within(self, prefix: str) -> Refusal:
        """The same refusal with its field put below `prefix` (a parser of a part does not know where the part stands)."""
        if self.field is None:
            path = prefix
        else:
            path = prefix + self.field if self.field.startswith("[") else f"{prefix}.{self.field}"
        return Refusal(self.kind, self.message, path)

    def document(self) -> dict[str, str | None]:
        """The refusal as it is shown on every path: `{"code", "message", "field"}`; the message ends with the remedy."""
        return {"code": self.code, "message": f"{self.message} {self.kind.remedy}", "field": self.field}


_KINDS: dict[str, RefusalKind] = {}


def refusal_kind(code: str, meaning: str, remedy: str) -> RefusalKind:
    """Declare a refusal. Each is declared once, in the stage that refuses; docs/refusals.md is generated from all."""
    if code in _KINDS and _KINDS[code] != RefusalKind(code, meaning, remedy):
        raise ValueError(f"refusal {code} is declared twice")
    kind = RefusalKind(code, meaning, remedy)
    _KINDS[code] = kind
    return kind


def all_refusal_kinds() -> tuple[RefusalKind, ...]:
    """Every refusal declared by the modules imported so far, by code."""
    return tuple(replace(_KINDS[code]) for code in sorted(_KINDS))
