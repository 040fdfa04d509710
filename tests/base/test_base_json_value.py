"""How messages show values, and bare numbers that are kept as text."""

import json
from decimal import Decimal

import pytest

from farthing.core.base.exact import parse_number
from farthing.core.base.json_value import NumberText, shown

SHOWN = [
    (None, "null"),
    (True, "true"),
    (-12, "-12"),
    (Decimal("1.50"), "1.50"),
    (NumberText("1.5"), "1.5"),
    ("1.5", '"1.5"'),
    ('say "é"', '"say \\"é\\""'),
    ("\0\ud800", '"\\u0000\\ud800"'),
    ({"a": [None, Decimal("0.1"), "x"]}, '{"a": [null, 0.1, "x"]}'),
    ("x" * 80, '"' + "x" * 56 + "..."),
    (list(range(10**6)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16..."),
    (10**5000, "a number of 16610 bits"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN, ids=range(len(SHOWN)))
def test_a_value_is_shown_as_json_has_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_bare_number_kept_as_text_is_the_same_text_and_the_same_json() -> None:
    assert NumberText("1.5") == "1.5"
    assert json.dumps({"a": NumberText("1.5")}) == '{"a": "1.5"}'
    assert parse_number(NumberText("1.5")) == parse_number("1.5")
