"""docs/rounding.md: every test it names exists, every example it gives is right, and a computation from it alone agrees with the code."""

import ast
import json
import re
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import naive_bill
import pytest
from bill_builders import MAY, amounts, grant, positive_amounts, some_items
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.rounding import RoundingMode, apportion, round_to_whole, split
from farthing.core.base.time import Recurrence
from farthing.core.base.timeline import ALL_TIME, Version
from farthing.core.catalog.terms import Discount, PriceVersion, TaxRate
from farthing.core.contract.contract import Agreement, Contract, Item
from farthing.core.contract.resolve import Shelf
from farthing.core.flow import Facts, bill, over_term
from farthing.core.rating.trace import Rated

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rounding.md").read_text(encoding="utf-8")
PAGES = ["rounding.md", "ledger.md", "explanations.md"]


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def rows(kind):
    return [row for block in blocks(kind) for row in block.strip().splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) >= 4
    for path, name in named:
        assert (ROOT / path).is_file(), path
        defined = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}
        assert not name or name in defined, f"{path}::{name}"


def test_every_section_of_rules_is_held_by_tests():
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        assert "tests/" in section or "```bill" in section, title


@pytest.mark.parametrize("row", rows("split"))
def test_a_split_of_the_page_is_right(row):
    given_part, parts = row.split(" = ")
    total, weights = given_part.split(" by ")
    expected = [int(part) for part in parts.split(", ")]
    assert list(split(int(total), [Fraction(weight) for weight in weights.split(", ")])) == expected
    assert naive_bill.in_proportion(int(total), [Fraction(weight) for weight in weights.split(", ")]) == expected


@pytest.mark.parametrize("row", rows("apportion"))
def test_an_apportionment_of_the_page_is_right(row):
    shares, parts = ([Fraction(number) for number in side.split(", ")] for side in row.split(" = "))
    assert list(apportion(round_to_whole(sum(shares)), shares)) == parts
    assert naive_bill.apportion(shares) == parts


def test_the_table_of_modes_is_right():
    table = re.findall(r"^\| `(\w+)` \|.*?((?:\| −?\d+ )+)\|$", PAGE, re.MULTILINE)
    values = [Fraction(5, 2), Fraction(-5, 2), Fraction(21, 10), Fraction(-21, 10), Fraction(3, 2)]
    shown = {mode: [int(cell.replace("−", "-")) for cell in cells.strip("| ").split(" | ")] for mode, cells in table}
    assert shown == {mode.value: [round_to_whole(value, mode) for value in values] for mode in RoundingMode}


PRICE = Version(ALL_TIME, 0, PriceVersion("any-1", "any", {"currency": "usd", "unit_amount": 1}))
MONTHLY = Recurrence("month", 1, datetime(2025, 5, 1), "UTC")


def by_the_code(document):
    """The bill that the flow makes of lines that are rated already, each an item of its own."""
    discounts = tuple(
        Discount(
            one["id"],
            Fraction(one["percent"]) / 100 if "percent" in one else None,
            one.get("amount"),
            None if one.get("items") is None else tuple(one["items"]),
        )
        for one in document.get("discounts", [])
    )
    rates = tuple(TaxRate(one["id"], one["id"], Fraction(one["percent"]) / 100, one.get("inclusive", False)) for one in document.get("tax_rates", []))
    grants = tuple(grant(one["id"], one["remaining"], one["applies"], one.get("priority", 50)) for one in document.get("grants", []))
    items = tuple(Item(one["item"], one["item"], "any", quantity=Fraction(1)) for one in document["lines"])
    contract = Contract("k", "acme", "usd", MAY, MONTHLY, (Version(MAY, 0, Agreement(items, discounts, rates)),))
    facts = Facts(contract, Shelf({"any": [PRICE]}, {}, over_term), MAY, (), known=0, position=0, grants=grants)
    (made,) = bill(facts, lambda _: [{(): (rated(one["amount"]),)} for one in document["lines"]])
    return {
        "discounts": [part.discount for part in made.lines],
        "credits": [part.credit for part in made.lines],
        "taxes": {rate.id: [tax for part in made.lines for id_, _, tax in part.taxes if id_ == rate.id] for rate in rates},
        "total": made.total,
        "due": made.due,
    }


def rated(amount):
    return Rated("", "usd", (), Fraction(amount), None, Fraction(amount), RoundingMode.HALF_AWAY, amount)


@pytest.mark.parametrize("text", blocks("bill"))
def test_a_bill_of_the_page_comes_to_what_the_page_says(text):
    document = json.loads(text)
    assert by_the_code(document) == document["gives"]
    assert naive_bill.bill(document) == document["gives"]


percents = st.decimals(0, 100, places=3).map(str)


@st.composite
def bills(draw):
    items = ("api", "seats", "storage", "support")[: draw(st.integers(1, 4))]
    discounts = [
        {"id": f"d{n}", "items": draw(some_items), **({"percent": draw(percents)} if draw(st.booleans()) else {"amount": draw(positive_amounts)})}
        for n in range(draw(st.integers(0, 3)))
    ]
    rates = [{"id": f"t{n}", "percent": draw(percents), "inclusive": draw(st.booleans())} for n in range(draw(st.integers(0, 3)))]
    grants = [
        {
            "id": f"g{n}",
            "remaining": draw(positive_amounts),
            "applies": draw(st.sampled_from(["before_tax", "after_tax"])),
            "priority": draw(st.integers(0, 2)),
        }
        for n in range(draw(st.integers(0, 3)))
    ]
    lines = [{"item": item, "amount": draw(amounts)} for item in items]
    return {"lines": lines, "discounts": discounts, "tax_rates": rates, "grants": grants}


@given(bills())
def test_a_computation_from_the_page_alone_agrees(document):
    assert by_the_code(document) == naive_bill.bill(document)
