"""Every rule and boundary of every model and modifier, as rows of tests/pricing_examples; refusals with their exact place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from farthing.app.rate import rate_line
from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.catalog import refusals
from farthing.core.catalog.price import parse_price
from farthing.core.rating.compile import compile_price
from farthing.core.rating.models import MODELS

FOLDER = Path(__file__).parents[1] / "pricing_examples"


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def rows() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.ndjson")):
        if path.stem != "refusals":
            found += [pytest.param(line, id=f"{path.stem}: {json.loads(line)['rule']}") for line in lines(path)]
    return found


@pytest.mark.parametrize("line", rows())
def test_rule(line: str) -> None:
    # The text goes to the calculator as it stands in the file, so that its numbers are read exactly.
    row = json.loads(line)
    head = line[: line.rindex(', "error"' if "error" in row else ', "amount":')] + "}"
    given = head.replace('"rule": ', '"id": ', 1)
    answer = rate_line(given)
    if "error" in row:
        assert "error" in answer, answer
        assert {"code": answer["error"]["code"], "field": answer["error"]["field"]} == row["error"]
    else:
        assert (answer.get("amount"), answer.get("amount_exact")) == (row["amount"], row["amount_exact"]), answer


def test_every_model_has_rows() -> None:
    assert {path.stem for path in FOLDER.glob("*.ndjson")} == set(MODELS) | {"modifiers", "refusals"}


REFUSALS = [json.loads(line) for line in lines(FOLDER / "refusals.ndjson")]


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row["what"])
def test_refusal(row: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        compile_price(row["price"])
    assert (refused.value.code, refused.value.field) == (row["code"], row["field"])
    answer = rate_line(json.dumps({"id": 1, "price": row["price"], "quantity": 1}))
    assert answer["error"]["field"] == f"price.{row['field']}"


def test_every_refusal_kind_of_prices_has_a_row() -> None:
    kinds = {kind.code for kind in vars(refusals).values() if isinstance(kind, RefusalKind)}
    assert kinds - {row["code"] for row in REFUSALS} == set()


def test_lists_are_bounded() -> None:
    tiers = [{"up_to": i + 1, "unit_amount": 1} for i in range(1000)] + [{"up_to": "inf", "unit_amount": 1}]
    document = {"currency": "usd", "tiers_mode": "volume", "tiers": tiers}
    with pytest.raises(Refusal) as refused:
        compile_price(document)
    assert (refused.value.code, refused.value.field) == ("field_invalid", "tiers")
    compile_price({**document, "tiers": tiers[1:]})


@pytest.mark.parametrize("document", [None, 5, "x", [1], 1.5])
def test_a_price_that_is_no_object(document: Any) -> None:
    with pytest.raises(Refusal) as refused:
        parse_price(document)
    assert refused.value.code in ("not_an_object", "number_malformed")
    assert refused.value.field is None


def test_a_binary_float_is_refused_wherever_it_stands() -> None:
    with pytest.raises(Refusal) as refused:
        parse_price({"currency": "usd", "ext": {"package": {"size": 0.1}}})
    assert (refused.value.code, refused.value.field) == ("number_malformed", "ext.package.size")


def test_a_document_nested_too_deep() -> None:
    deep: Any = 1
    for _ in range(33):
        deep = [deep]
    with pytest.raises(Refusal) as refused:
        compile_price({"currency": "usd", "unit_amount": 1, "metadata": deep})
    assert (refused.value.code, refused.value.field) == ("json_malformed", "metadata" + "[0]" * 32)
    compile_price({"currency": "usd", "unit_amount": 1, "metadata": deep[0][0]})
