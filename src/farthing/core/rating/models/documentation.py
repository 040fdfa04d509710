"""The part of docs/pricing.md that is made from the registries: every model and modifier with rule, fields and worked examples."""

from __future__ import annotations

import json
from collections.abc import Iterator

from farthing.core.base.refusal import RefusalKind
from farthing.core.catalog import refusals
from farthing.core.catalog.fields import Field
from farthing.core.rating.models import MODELS
from farthing.core.rating.models.form import Example, Schema
from farthing.core.rating.modifiers import MODIFIERS

BEGIN = "<!-- generated from the registries of models and modifiers: change them, not this part -->"
END = "<!-- end of the generated part -->"


def documentation() -> str:
    """Markdown of the generated part, without its markers. Every example is a pair of JSON blocks: the calculator's input line,
    and what its output line must contain."""
    parts = ["## Models\n", *(_section(model.schema, _named(model.schema, model.native)) for model in MODELS.values())]
    parts += ["## Modifiers\n", *(_section(modifier.schema, f"`ext.{modifier.name}`") for modifier in MODIFIERS.values())]
    parts += ["## What goes together\n", _combinations(), "## Refusals of price documents\n", _refusals()]
    return "\n".join(parts)


def page(current: str) -> str:
    """The whole page with its generated part made anew; `current` is the page as it is, with both markers."""
    before, _, rest = current.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{documentation()}\n{END}{after}"


def _named(schema: Schema, native: bool) -> str:
    return "the wire's own fields" if native else f"`ext.{schema.name}`"


def _section(schema: Schema, where: str) -> str:
    table = field_table(schema.fields)
    examples = "\n".join(_example(schema.name, number, example) for number, example in enumerate(schema.examples, start=1))
    return f"### {schema.name}\n\nNamed by {where}.\n\n{schema.rule.strip()}\n\n{table}\n\n{examples}"


def field_table(fields: tuple[Field, ...]) -> str:
    """A Markdown table of declared fields, those of objects and lists below them."""
    return "\n".join(["| field | type | meaning | default |", "|---|---|---|---|", *_rows(fields, "")])


def _rows(fields: tuple[Field, ...], prefix: str) -> Iterator[str]:
    for field in fields:
        name = prefix + field.name
        kind = f"`{'`, `'.join(field.choices)}`" if field.choices else field.type
        default = "required" if field.required else (field.default or "none")
        yield f"| `{name}` | {kind} | {field.meaning.replace('|', '/')} | {default} |"
        yield from _rows(field.fields, f"{name}[]." if field.type == "list" else f"{name}.")


def _example(name: str, number: int, example: Example) -> str:
    given = json.dumps({"id": f"{name} {number}", "price": example.price, **example.usage}, ensure_ascii=False)
    result = json.dumps({"id": f"{name} {number}", "amount": example.amount, "amount_exact": example.amount_exact}, ensure_ascii=False)
    title = example.title[0].upper() + example.title[1:]
    return f"Example: {title}.\n\n```json\n{given}\n{result}\n```\n"


def _combinations() -> str:
    lines = [f"| model | {' | '.join(MODIFIERS)} |", "|---" * (len(MODIFIERS) + 1) + "|"]
    for model in MODELS.values():
        cells = ("no" if name in model.excludes else "yes" for name in MODIFIERS)
        lines.append(f"| {model.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n\nA modifier marked no is refused: `modifier_not_applicable` at `ext.<modifier>`.\n"


def _refusals() -> str:
    kinds = [kind for kind in vars(refusals).values() if isinstance(kind, RefusalKind)]
    rows = (f"| `{kind.code}` | {_plain(kind.meaning)} | {_plain(kind.remedy)} |" for kind in sorted(kinds, key=lambda kind: kind.code))
    return "\n".join(["| code | meaning | what to do |", "|---|---|---|", *rows]) + "\n"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")
