"""Refusals: declared once, placed by a path, and shown with what to do."""

import pytest

from farthing.core.base.refusal import Refusal, all_refusal_kinds, refusal_kind
from farthing.core.base.refusals import FIELD_MISSING


def test_a_refusal_shows_code_message_with_remedy_and_field():
    refusal = Refusal(FIELD_MISSING, "currency is missing.", "currency")
    assert refusal.document() == {"code": "field_missing", "message": "currency is missing. Add the field.", "field": "currency"}
    assert str(refusal) == "field_missing: currency is missing. (at currency)"


@pytest.mark.parametrize(("field", "path"), [("currency", "prices[2].currency"), ("[0].id", "prices[2][0].id"), (None, "prices[2]")])
def test_a_part_is_placed_below_the_whole(field, path):
    assert Refusal(FIELD_MISSING, "gone.", field).within("prices[2]").field == path


def test_a_refusal_is_declared_once():
    assert refusal_kind(FIELD_MISSING.code, FIELD_MISSING.meaning, FIELD_MISSING.remedy) == FIELD_MISSING
    with pytest.raises(ValueError, match="field_missing is declared twice"):
        refusal_kind("field_missing", "Another meaning.", "Do something else.")


def test_every_refusal_says_what_it_means_and_what_to_do_in_sentences():
    for kind in all_refusal_kinds():
        assert kind.code.replace("_", "").isalpha()
        assert kind.code == kind.code.lower()
        assert kind.meaning.endswith(".")
        assert kind.remedy.endswith(".")
