"""Canonical JSON: one content, one text, one digest."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.canonical import canonical_json, digest
from farthing.core.base.rounding import RoundingMode

documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=20,
)


def test_keys_are_sorted_without_white_space_and_text_is_kept():
    assert canonical_json({"b": [1, None, True], "a": "Müller ☕", "B": {}}) == '{"B":{},"a":"Müller ☕","b":[1,null,true]}'


def test_the_digest_is_sha_256_of_the_text():
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({"a": 1}) != digest({"a": "1"}) != digest({"a": True})


def test_tuples_and_text_enums_are_written_as_lists_and_text():
    assert canonical_json((1, RoundingMode.HALF_AWAY)) == '[1,"half_away"]'


@pytest.mark.parametrize("node", [0.5, Fraction(1, 2), Decimal("1"), b"x", {1: "a"}, {None: 1}, {"a": {"b": [0.1]}}, {"a", "b"}, object()])
def test_what_has_no_canonical_form_is_an_error(node):
    with pytest.raises(TypeError):
        canonical_json(node)


@given(documents)
def test_canonical_json_reads_back(document):
    assert json.loads(canonical_json(document)) == document


@given(documents, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(document, random):
    assert digest(_shuffled(document, random)) == digest(document)


def _shuffled(node, random):
    if isinstance(node, dict):
        keys = list(node)
        random.shuffle(keys)
        return {key: _shuffled(node[key], random) for key in keys}
    return [_shuffled(value, random) for value in node] if isinstance(node, list) else node
