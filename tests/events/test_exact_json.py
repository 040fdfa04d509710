import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.events.exact_json import decode_json, decode_tolerantly, refuse_bad_numbers

REFUSALS = [
    ("", "json_malformed", None),
    ("{", "json_malformed", None),
    ("{} {}", "json_malformed", None),
    ('{"a": 1,}', "json_malformed", None),
    ('{"a": 01}', "json_malformed", None),
    ("{'a': 1}", "json_malformed", None),
    ('{"a": "\n"}', "json_malformed", None),
    ('{"a": "\\ud8"}', "json_malformed", None),
    (b'{"a": "\xff"}', "json_malformed", None),
    (b'\xff\xfe{\x00"\x00', "json_malformed", None),
    ('{"a": NaN}', "number_not_finite", "a"),
    ('{"a": Infinity}', "number_not_finite", "a"),
    ('{"a": -Infinity}', "number_not_finite", "a"),
    ('{"a": 1, "a": 1}', "key_repeated", "a"),
    ('{"p": {"b": 1, "c": 2, "b": 3}}', "key_repeated", "b"),
    ('{"a": 1, "\\u0061": 2}', "key_repeated", "a"),
    ("[" * 33 + "]" * 33, "json_malformed", None),
    ('{"a":' * 33 + "1" + "}" * 33, "json_malformed", None),
    ("[" * 100_000, "json_malformed", None),
    ('{"a": {"b": [1, NaN]}, "c": NaN}', "number_not_finite", "a.b[1]"),
    ("[-Infinity]", "number_not_finite", "[0]"),
    ("NaN", "number_not_finite", None),
    ('{"a": NaN', "json_malformed", None),
    ('{"a": NaN, "b": 1, "b": 2}', "key_repeated", "b"),
    ('{"a": ' + "9" * 5000 + "}", "number_too_large", "a"),
    ('{"a": [-' + "9" * 5000 + "]}", "number_too_large", "a[0]"),
    ('{"a": 1e99999999999999999999}', "number_too_large", "a"),
]


@pytest.mark.parametrize(("text", "code", "field"), REFUSALS, ids=[f"{code}-{i}" for i, (_, code, _) in enumerate(REFUSALS)])
def test_refusals(text, code, field):
    with pytest.raises(Refusal) as refused:
        decode_json(text)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_numbers_keep_every_digit():
    read = decode_json('{"a": 0.1, "b": 9007199254740993, "c": 12345678901234567890123, "d": 1e-7, "e": 1.10, "f": -0}')
    assert read == {"a": Decimal("0.1"), "b": 9007199254740993, "c": 12345678901234567890123, "d": Decimal("1e-7"), "e": Decimal("1.10"), "f": 0}
    assert [type(value) for value in read.values()] == [Decimal, int, int, Decimal, Decimal, int]


def test_a_tolerant_reader_sees_what_stands_around_a_bad_number():
    read = decode_tolerantly('{"id": 7, "a": NaN, "b": 1e99999999999999999999, "c": 0.1, "d": ' + "9" * 5000 + "}")
    assert (read["id"], read["c"]) == (7, Decimal("0.1"))
    assert [repr(read[name])[:6] for name in "abd"] == ["NaN", "1e9999", "999999"]
    with pytest.raises(Refusal) as refused:
        refuse_bad_numbers(read)
    assert (refused.value.code, refused.value.field, refused.value.message) == ("number_not_finite", "a", "NaN is not a finite number.")


def test_brackets_in_texts_do_not_nest():
    text = json.dumps({"a": "[" * 100 + '\\"{' * 50, "q": '"' + "[" * 100, "b": [[] for _ in range(100)]})
    assert decode_json(text) == json.loads(text)


def test_thirty_two_levels_are_fine():
    assert decode_json("[" * 32 + "]" * 32)


def test_a_byte_order_mark_is_no_content():
    assert decode_json(b"\xef\xbb\xbf{}") == {}


documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)


@given(document=documents)
def test_what_json_writes_is_read(document):
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
        assert decode_json(text) == document


@given(raw=st.one_of(st.binary(max_size=60), st.text(max_size=60), st.text('{}[]":,\\0aeE.-+NI ', max_size=40)))
def test_garbage_is_refused_by_name(raw):
    try:
        decode_json(raw)
    except Refusal as refused:
        assert refused.code in {"json_malformed", "key_repeated", "number_not_finite", "number_too_large"}
