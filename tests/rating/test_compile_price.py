"""What documents compile to: order of steps, bounds, lines, and that no document whatever does anything but compile or be refused."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.app.rate import rate_line
from farthing.core.base.canonical import digest
from farthing.core.base.refusal import Refusal, all_refusal_kinds
from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.price import parse_price
from farthing.core.rating.compile import compile_price
from farthing.core.rating.models import MODELS
from farthing.core.rating.modifiers import MODIFIERS
from farthing.core.rating.program import Include, RoundUnits, Scale

FOLDER = Path(__file__).parents[1] / "pricing_examples"
ROWS = [json.loads(line) for path in sorted(FOLDER.glob("*.ndjson")) for line in path.read_text("utf-8").splitlines()]
EXAMPLES = [
    {"id": 1, "price": example.price, **example.usage} for kind in (*MODELS.values(), *MODIFIERS.values()) for example in kind.schema.examples
]


def test_steps_run_as_declared() -> None:
    package = {"size": 5, "amount": 1, "free_units": 2}
    compiled = compile_price(
        {"currency": "usd", "ext": {"allowance": {"units": 3}, "package": package, "conversion": {"divide_by": 1000, "unit": "k"}}}
    )
    assert compiled.program.cells[0].steps == (
        Scale(Fraction(1, 1000)),
        Include(Fraction(3)),
        Include(Fraction(2)),
        Scale(Fraction(1, 5)),
        RoundUnits(RoundingMode.UP),
    )
    assert (compiled.model, compiled.unit, compiled.accumulate) == ("package", "k", "period")


def test_a_guard_stands_where_rounding_up_would_hide_a_negative_quantity_and_nowhere_else() -> None:
    def first(**ext: Any) -> Any:
        tiers = {"tiers_mode": "volume", "tiers": [{"up_to": "inf", "unit_amount": 1}]}
        steps = compile_price({"currency": "usd", **tiers, "ext": ext}).program.cells[0].steps
        return steps[0] if steps else None

    assert first(conversion={"divide_by": 2, "round": "up"}) == Include(Fraction(0))
    assert first(conversion={"divide_by": 2, "round": "up"}, allowance={"units": 1}) == Include(Fraction(0))
    assert first(conversion={"divide_by": 2, "round": "down"}) == Scale(Fraction(1, 2))
    assert first(conversion={"divide_by": 2}) == Scale(Fraction(1, 2))
    assert first() is None


def test_bounds_rounding_and_accumulation() -> None:
    ext = {"rounding": {"mode": "half_even"}, "maximum": {"amount": 9}, "minimum": {"amount_decimal": "1.5"}, "accumulate": "term"}
    compiled = compile_price({"currency": "usd", "unit_amount": 1, "ext": ext})
    program = compiled.program
    assert (program.minimum, program.maximum, program.rounding) == (Fraction(3, 2), Fraction(9), RoundingMode.HALF_EVEN)
    assert compiled.accumulate == "term"


def test_rounding_reaches_events_only_where_they_are_rounded() -> None:
    def event_mode(**percentage: Any) -> Any:
        document = {"currency": "usd", "ext": {"percentage": {"percent": 1, **percentage}, "rounding": {"mode": "up"}}}
        fees = compile_price(document).program.cells[0].fees
        assert fees is not None
        return fees.rounding

    assert event_mode() is None
    assert event_mode(round_per="event") is RoundingMode.UP


def test_a_read_price_and_its_document_compile_alike() -> None:
    document = {"id": "price_1", "currency": "EUR", "unit_amount": 5}
    price = parse_price(document)
    assert (price.id, price.currency) == ("price_1", "eur")
    assert compile_price(price) == compile_price(document)


def test_the_document_of_a_price_has_a_digest_and_keeps_its_numbers() -> None:
    price = parse_price({"currency": "usd", "unit_amount_decimal": Decimal("0.10"), "created": 5})
    assert price.document == {"currency": "usd", "unit_amount_decimal": "0.1", "created": 5}
    assert digest(dict(price.document)) == digest({"created": 5, "unit_amount_decimal": "0.1", "currency": "usd"})


@pytest.mark.parametrize("model", list(MODELS.values()), ids=lambda model: model.name)
def test_exclusions_name_modifiers(model: Any) -> None:
    assert model.excludes <= set(MODIFIERS)


JUNK: list[Any] = [
    None, True, False, 0, -1, 1, "1.5", "-0.1", "inf", "NaN", "", "x", "up", [], {}, [1], {"a": 1}, 10**19, 10**25, "1e-30", "\x00", "*", ["*"],
]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(node, dict):
        return found + [place for name, child in node.items() for place in places(child, (*path, name))]
    if isinstance(node, list):
        return found + [place for i, child in enumerate(node) for place in places(child, (*path, i))]
    return found


junk = st.sampled_from(JUNK).map(copy.deepcopy)
names = st.sampled_from(["tiers", "amount", "unit_amount_decimal", "label", "x", "units", "when"])


def spoil(data: st.DataObject, line: dict[str, Any]) -> None:
    """Change one place of the line: replace, remove, add or repeat."""
    spots = places(line["price"], ("price",)) + places(line.get("events", 0), ("events",))
    *way, last = data.draw(st.sampled_from([spot for spot in spots if len(spot) > 1] or [("price",)]))
    node: Any = line
    for step in way:
        node = node[step]
    match data.draw(st.sampled_from(["replace", "remove", "add", "repeat"])):
        case "remove" if isinstance(node, list):
            node.pop(last)
        case "remove":
            del node[last]
        case "add" if isinstance(node, dict):
            node[data.draw(names)] = data.draw(junk)
        case "repeat" if isinstance(node, list):
            node.append(copy.deepcopy(node[last]))
        case _:
            node[last] = data.draw(junk)


@given(st.data())
def test_whatever_is_put_where_it_is_rated_or_refused_by_a_declared_name(data: st.DataObject) -> None:
    lines = EXAMPLES + [{"id": 1, "quantity": 3, "price": row["price"]} for row in ROWS]
    line = copy.deepcopy(data.draw(st.sampled_from(lines)))
    for _ in range(data.draw(st.integers(1, 3))):
        if isinstance(line.get("price"), dict):
            spoil(data, line)
    answer = rate_line(json.dumps(line))
    if "error" in answer:
        assert answer["error"]["code"] in {kind.code for kind in all_refusal_kinds()}
    else:
        assert abs(answer["amount"] - Fraction(answer["amount_exact"])) <= max(1, len(answer["trace"].get("lines", [])))


tree = st.recursive(
    st.sampled_from(JUNK[:14]),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.sampled_from([*MODELS, *MODIFIERS, "ext", "tiers", "rules", "fees"]), part, max_size=3)
    ),
    max_leaves=12,
)
exts = st.dictionaries(st.sampled_from([*MODELS, *MODIFIERS]), tree, max_size=2)
tops = st.dictionaries(st.sampled_from(["unit_amount", "tiers", "tiers_mode"]), tree, max_size=2)


@given(exts, tops)
def test_compiling_raises_nothing_but_refusals(ext: Any, top: Any) -> None:
    try:
        compile_price({"currency": "usd", "ext": ext, **top})
    except Refusal as refusal:
        assert refusal.field is not None
