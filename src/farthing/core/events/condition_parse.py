"""Documents ↔ conditions on properties, as meters filter and rate cards choose.

A condition is a list of tests that must all hold: `[{"property": "region", "in": ["eu", "uk"]}, {"property": "tokens", "gt": 0}]`.
"""

from __future__ import annotations

from typing import Any, get_args

from farthing.core.base.exact import parse_number, show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.events.condition import Condition, NumberOperator, NumberTest, Test, TextTest
from farthing.core.events.fields import below, read_flag, read_list, read_object, read_text, required
from farthing.core.events.properties import PROPERTY_NAME_LONGEST, property_text

NUMBER_OPERATORS: tuple[NumberOperator, ...] = get_args(NumberOperator)
OPERATORS = ("in", "not_in", "exists", *NUMBER_OPERATORS)
TESTS_MOST = 50
VALUES_MOST = 1000


def parse_condition(raw: object, place: str = "filters") -> Condition:
    """A list of tests, each a `property` and one of in, not_in (lists of scalars), exists (true or false), lt, lte, gt, gte
    (a number). Errors: field_…, fields_conflict, property_not_scalar, text_…, number_…."""
    tests = read_list(raw, place, TESTS_MOST, empty=True)
    return Condition(tuple(_parse_test(test, f"{place}[{i}]") for i, test in enumerate(tests)))


def _parse_test(raw: object, place: str) -> Test:
    document = read_object(raw, place, ("property", *OPERATORS))
    name = read_text(required(document, "property", place), below(place, "property"), PROPERTY_NAME_LONGEST)
    operators = [operator for operator in OPERATORS if document.get(operator) is not None]
    if not operators:
        raise Refusal(FIELD_MISSING, f"one of {', '.join(OPERATORS)} is missing.", place)
    if len(operators) > 1:
        raise Refusal(FIELDS_CONFLICT, f"{operators[0]} and {operators[1]} are two tests.", below(place, operators[1]))
    operator, operand = operators[0], document[operators[0]]
    place = below(place, operator)
    if operator == "exists":
        return TextTest(name, "exists" if read_flag(operand, place) else "absent")
    if operator in ("in", "not_in"):
        values = read_list(operand, place, VALUES_MOST)
        texts = tuple(property_text(value, f"{place}[{i}]") for i, value in enumerate(values))
        return TextTest(name, "in" if operator == "in" else "not_in", texts)
    return NumberTest(name, next(known for known in NUMBER_OPERATORS if known == operator), parse_number(operand, place))


def condition_document(condition: Condition) -> list[dict[str, Any]]:
    """The inverse of `parse_condition`."""
    return [_test_document(test) for test in condition.tests]


def _test_document(test: Test) -> dict[str, Any]:
    if isinstance(test, NumberTest):
        return {"property": test.property, test.operator: show(test.bound)}
    if test.operator in ("exists", "absent"):
        return {"property": test.property, "exists": test.operator == "exists"}
    return {"property": test.property, test.operator: list(test.values)}
