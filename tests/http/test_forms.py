"""Forms: bytes to nested values, and each way in which they are refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.edges.http.wire import forms


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {}),
        (b"a=1", {"a": "1"}),
        (b"a", {"a": ""}),
        (b"a=", {"a": ""}),
        (b"&&a=1&", {"a": "1"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=x+y%20z%2B", {"a": "x y z+"}),
        (b"a=%C3%A9&b=\xc3\xa9", {"a": "é", "b": "é"}),
        (b"a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
        (b"a[0]=x&a[1]=y", {"a": {"0": "x", "1": "y"}}),
        (b"a[]=x&a[]=y", {"a": ["x", "y"]}),
        (b"a[][b]=1&a[][c]=2&a[][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        (b"a[][b][c]=1&a[][b][d]=2&a[][b][c]=3", {"a": [{"b": {"c": "1", "d": "2"}}, {"b": {"c": "3"}}]}),
        (b"a[][b][]=1&a[][b][]=2", {"a": [{"b": ["1", "2"]}]}),
        (b"items[0][price]=p&items[0][tax_rates][0]=t", {"items": {"0": {"price": "p", "tax_rates": {"0": "t"}}}}),
    ],
)
def test_forms_are_nested_values(body: bytes, expected: dict[str, Any]) -> None:
    assert forms.decode(body) == expected


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"a=" + b"x" * forms.MOST_BYTES, "form_too_large", None),
        (b"&".join(b"a%d=" % n for n in range(forms.MOST_FIELDS + 1)), "form_too_large", None),
        (b"a" + b"[b]" * forms.MOST_LEVELS + b"=", "form_too_large", "a" + "[b]" * forms.MOST_LEVELS),
        (b"a" * (forms.LONGEST_NAME + 1) + b"=", "form_too_large", "a" * 80),
        (b"a=%", "form_malformed", "a"),
        (b"a=%4", "form_malformed", "a"),
        (b"a=%zz", "form_malformed", "a"),
        (b"%zz=1", "form_malformed", None),
        (b"a=%ff", "form_malformed", "a"),
        (b"a=\xff", "form_malformed", "a"),
        (b"=1", "form_malformed", None),
        (b"[a]=1", "form_malformed", "[a]"),
        (b"a[b=1", "form_malformed", "a[b"),
        (b"a[[b]]=1", "form_malformed", "a[[b]]"),
        (b"a]b=1", "form_malformed", "a]b"),
        (b"a[b]c=1", "form_malformed", "a[b]c"),
        (b"a=1&a=2", "form_conflict", "a"),
        (b"a[b]=1&a[b]=2", "form_conflict", "a[b]"),
        (b"a=1&a[b]=2", "form_conflict", "a[b]"),
        (b"a[b]=1&a=2", "form_conflict", "a"),
        (b"a[]=1&a[b]=2", "form_conflict", "a[b]"),
        (b"a[b]=1&a[]=2", "form_conflict", "a[]"),
        (b"a[]=1&a=2", "form_conflict", "a"),
        (b"a=%00", "text_not_storable", "a"),
        (b"a%00=1", "text_not_storable", None),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, code: str, field: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        forms.decode(body)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    "body",
    [
        b"a=" + b"x" * (forms.MOST_BYTES - 2),
        b"&".join(b"a%d=" % n for n in range(forms.MOST_FIELDS)),
        b"a" + b"[b]" * (forms.MOST_LEVELS - 1) + b"=",
        b"a" * forms.LONGEST_NAME + b"=",
    ],
    ids=["bytes", "fields", "levels", "name"],
)
def test_the_bounds_themselves_are_taken(body: bytes) -> None:
    assert forms.decode(body)


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0[]"), min_size=1, max_size=8)
NESTED = st.recursive(TEXTS, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=12)


def pairs(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for name, inner in value.items() for pair in pairs(inner, f"{path}[{name}]" if path else name)]
    return [(path, value)]


@given(st.dictionaries(NAMES, NESTED, max_size=4), st.sampled_from([quote, quote_plus]))
def test_what_is_encoded_is_decoded(nested: dict[str, Any], quoted: Any) -> None:
    encoded = urlencode(pairs(nested, ""), quote_via=quoted).encode()
    assert forms.decode(encoded) == nested


@given(st.dictionaries(NAMES, st.lists(TEXTS, min_size=1, max_size=5), max_size=3))
def test_plain_lists_keep_their_order(lists: dict[str, list[str]]) -> None:
    encoded = urlencode([(f"{name}[]", entry) for name, entries in lists.items() for entry in entries]).encode()
    assert forms.decode(encoded) == lists


@given(
    st.one_of(
        st.binary(max_size=80), st.lists(st.sampled_from([b"a", b"b", b"[", b"]", b"=", b"&", b"%", b"0", b"41", b"+"]), max_size=30).map(b"".join)
    )
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = forms.decode(body)
    except Refusal as refusal:
        assert refusal.code in ("form_malformed", "form_conflict", "form_too_large", "text_not_storable")
        return
    assert all(isinstance(name, str) and isinstance(value, str | dict | list) for name, value in found.items())
