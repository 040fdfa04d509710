"""docs/pricing.md: its generated part is current, and every example on it is what the calculator answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from farthing.app.rate import rate_line
from farthing.core.base.refusal import RefusalKind
from farthing.core.catalog import refusals
from farthing.core.rating.models import MODELS
from farthing.core.rating.models.documentation import BEGIN, END, page
from farthing.core.rating.modifiers import MODIFIERS

PAGE = Path(__file__).parents[2] / "docs" / "pricing.md"
BLOCKS = re.compile(r"```json\n(.*?)```", re.DOTALL)


def examples() -> list[tuple[str, str]]:
    blocks = [block.strip().split("\n") for block in BLOCKS.findall(PAGE.read_text("utf-8"))]
    return [(given, expected) for given, expected in blocks]


def test_generated_part_is_current() -> None:
    """`make docs` writes the page anew."""
    current = PAGE.read_text("utf-8")
    assert current.count(BEGIN) == current.count(END) == 1
    assert page(current) == current, "docs/pricing.md is not what the registries say: run `make docs`"


@pytest.mark.parametrize(("given", "expected"), examples(), ids=lambda text: json.loads(text)["id"])
def test_example(given: str, expected: str) -> None:
    answer = rate_line(given)
    wanted = json.loads(expected)
    assert {name: answer.get(name) for name in wanted} == wanted


def test_every_model_and_modifier_has_an_example() -> None:
    shown = {json.loads(given)["id"].rsplit(" ", 1)[0] for given, _ in examples()}
    assert shown == set(MODELS) | set(MODIFIERS)


def test_every_refusal_of_prices_is_on_the_page_with_its_place() -> None:
    places = PAGE.read_text("utf-8").split("## Refusals, with their places")[1]
    codes = [kind.code for kind in vars(refusals).values() if isinstance(kind, RefusalKind)]
    assert [code for code in codes if f"`{code}`" not in places] == []


def test_names_of_models_and_modifiers_do_not_collide() -> None:
    assert not set(MODELS) & set(MODIFIERS)
