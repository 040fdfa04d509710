"""NDJSON, and arrays of documents."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.core.events.event import Cancel, Replace
from farthing.edges.files.json_array import CHUNK
from farthing.edges.files.lines import LINE_LARGEST
from farthing.edges.files.options import options_from_arguments
from farthing.edges.files.rows import START, Mark
from farthing.edges.files.source import open_source


def event(identifier, **payload):
    document = {"identifier": identifier, "event_name": "call", "timestamp": "2024-01-01T00:00:00Z"}
    return {**document, "payload": {"stripe_customer_id": "c", **payload}}


def cloud(name, **data):
    document = {"specversion": "1.0", "id": name, "source": "/s", "type": "call", "subject": "c", "time": "2024-01-01T00:00:00Z"}
    return {**document, "data": data}


CANCEL = {"type": "cancel", "event_name": "call", "cancel": {"identifier": "a"}}
REPLACE = {"type": "replace", "replace": {"identifier": "a"}, "event": event("b")}


def identity(fact):
    return f"-{fact.target}" if isinstance(fact, Cancel) else fact.event.identifier if isinstance(fact, Replace) else fact.identifier


def outcome(path, size=100, start=START, options=None):
    accepted, rejected = [], []
    for batch in open_source(path, *([options] if options else [])).batches(size, start):
        accepted += [(a.line, identity(a.fact)) for a in batch.accepted]
        rejected += [(r.line, r.refusal.code, r.refusal.field) for r in batch.rejected]
    return accepted, rejected


def write(folder, content, name):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_documents_of_every_kind_in_one_file(tmp_path):
    documents = [event("a", value=1), cloud("x", value=2), CANCEL, REPLACE]
    lines = "\n".join(json.dumps(document) for document in documents)
    for content in (lines, lines + "\n", "\ufeff" + lines.replace("\n", "\r\n\r\n  \r\n")):
        accepted, rejected = outcome(write(tmp_path, content, "events.ndjson"))
        assert ([name for _, name in accepted], rejected) == (["a", "/s x", "-a", "b"], [])
    for content in (json.dumps(documents), json.dumps(documents, indent=2), "\ufeff" + json.dumps(documents) + "\n"):
        assert outcome(write(tmp_path, content, "events.json")) == ([(1, "a"), (2, "/s x"), (3, "-a"), (4, "b")], [])
    assert outcome(write(tmp_path, lines, "lines.json"))[0][0] == (1, "a")


BAD = [
    (b"{", "json_malformed", None),
    (b"x", "json_malformed", None),
    (b"[]", "not_an_object", None),
    (b'"text"', "not_an_object", None),
    (b"17", "not_an_object", None),
    (b"null", "not_an_object", None),
    (b'{"a": "\xff"}', "json_malformed", None),
    (b'{"identifier": "a", "identifier": "b"}', "key_repeated", "identifier"),
    (b'{"a": NaN}', "number_not_finite", "a"),
    (b'{"a": "\0"}', "json_malformed", None),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "json_malformed", None),
    (json.dumps(event("x", value="many")).encode(), "number_malformed", "payload.value"),
    (json.dumps(event("x", tags=[1])).encode(), "property_not_scalar", "payload.tags"),
    (json.dumps({**event("x"), "more": 1}).encode(), "field_unknown", "more"),
    (json.dumps(event("x", note="y" * LINE_LARGEST)).encode(), "line_too_long", None),
]


@pytest.mark.parametrize(("line", "code", "field"), BAD, ids=[f"{code}-{i}" for i, (_, code, _) in enumerate(BAD)])
def test_a_bad_line_costs_no_other(tmp_path, line, code, field):
    good = [json.dumps(event(name)).encode() for name in "abc"]
    path = write(tmp_path, b"\n".join([good[0], line, good[1], good[2]]), "events.ndjson")
    assert outcome(path, size=2) == ([(1, "a"), (3, "b"), (4, "c")], [(2, code, field)])


@pytest.mark.parametrize(("element", "code", "field"), BAD[1:], ids=[f"{code}-{i}" for i, (_, code, _) in enumerate(BAD[1:])])
def test_a_bad_element_costs_no_other(tmp_path, element, code, field):
    good = [json.dumps(event(name)).encode() for name in "abc"]
    path = write(tmp_path, b"[" + b",\n".join([good[0], element, good[1], good[2]]) + b"]", "events.json")
    assert outcome(path, size=2) == ([(1, "a"), (3, "b"), (4, "c")], [(2, code, field)])


A = json.dumps(event("a"))
B = json.dumps(event("b"))
ARRAYS = [
    ("[]", [], []),
    (" [ ] \n", [], []),
    (f"[{A}, {B}", ["a", "b"], [(3, "json_malformed")]),
    (f"[{A}, {B[:-9]}", ["a"], [(2, "json_malformed"), (3, "json_malformed")]),
    (f"[{A} {B}]", ["a"], [(2, "json_malformed")]),
    (f"[{A},, {B}]", ["a", "b"], [(2, "json_malformed")]),
    (f"[, {A}]", ["a"], [(1, "json_malformed")]),
    (f"[{A},]", ["a"], [(2, "json_malformed")]),
    (f"[{A}] {B}", ["a"], [(2, "json_malformed")]),
    (f"[{A}, }}, {B}]", ["a", "b"], [(2, "json_malformed")]),
    (f'[{A}, "]}}\\"[", {B}]', ["a", "b"], [(2, "not_an_object")]),
]


@pytest.mark.parametrize(("content", "names", "refused"), ARRAYS, ids=range(len(ARRAYS)))
def test_arrays_that_are_none(tmp_path, content, names, refused):
    accepted, rejected = outcome(write(tmp_path, content, "events.json"))
    assert ([name for _, name in accepted], [(line, code) for line, code, _ in rejected]) == (names, refused)


def test_arrays_across_chunks_and_backslashes_at_their_ends(tmp_path):
    texts = ["\\" * n + '"' * n + "]}" for n in range(40)]
    names = [f"e{i}" for i in range(3000)]
    content = json.dumps([event(name, note=texts[i % 40]) for i, name in enumerate(names)])
    assert len(content) > 2 * CHUNK
    for shift in range(3):
        path = write(tmp_path, " " * shift + content, "events.json")
        accepted, rejected = outcome(path)
        assert ([name for _, name in accepted], rejected) == (names, [])


def test_what_follows_an_array_is_never_read_as_part_of_it(tmp_path):
    path = write(tmp_path, f"[{A}], {B}", "events.json")
    for batch in open_source(path).batches(1):
        assert outcome(path, start=batch.after) == ([], [(2, "json_malformed", None)])


@pytest.mark.parametrize(("name", "join"), [("events.ndjson", "\n"), ("events.json", ", ")])
def test_reading_goes_on_from_every_mark(tmp_path, name, join):
    documents = [
        A,
        "17",
        json.dumps(event("b", note="y" * LINE_LARGEST)),
        json.dumps(event("\u00e9", value="x")),
        json.dumps(event("\u00e9"), ensure_ascii=False),
    ]
    content = join.join(documents)
    path = write(tmp_path, f"[{content}]" if name.endswith(".json") else content, name)
    whole = outcome(path)
    batches = list(open_source(path).batches(1))
    assert len(batches) == 5
    for count, batch in enumerate(batches, start=1):
        mark = Mark.parse(batch.after.text())
        accepted, rejected = outcome(path, start=mark)
        assert len(accepted) + len(rejected) == 5 - count
        assert accepted == [pair for pair in whole[0] if pair[0] > count]
        assert rejected == [triple for triple in whole[1] if triple[0] > count]


def test_ndjson_rows_through_a_mapping(tmp_path):
    rows = [{"id": 7, "when": "2024-01-01T00:00:00Z", "user": "c", "n": 1.50}, {"id": 8, "when": "2024-01-01T00:00:00Z", "user": ""}, [1]]
    path = write(tmp_path, "\n".join(json.dumps(row) for row in rows), "rows.jsonl")
    options = options_from_arguments(["identifier=id", "timestamp=when", "customer=user", "value=n"], ["event_name=call"])
    (batch,) = open_source(path, options).batches(9)
    assert [(a.fact.identifier, a.fact.customer, dict(a.fact.properties)) for a in batch.accepted] == [("7", "c", {"value": "1.5"})]
    assert [(r.line, r.refusal.code, r.refusal.field) for r in batch.rejected] == [(2, "field_missing", "user"), (3, "not_an_object", None)]


goods = st.integers(0, 99).map(lambda i: json.dumps(event(f"g{i}")).encode())
garbage = st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"").replace(b"{", b""))


@given(lines=st.lists(st.one_of(goods.map(lambda g: (True, g)), garbage.map(lambda g: (False, g))), max_size=12))
def test_no_garbage_costs_a_good_line(tmp_path_factory, lines):
    lines = [(True, A.encode()), *lines]  # a first line that does not look like a compressed file
    path = write(tmp_path_factory.getbasetemp(), b"\n".join(raw for _, raw in lines), "garbage.ndjson")
    accepted, rejected = outcome(path, size=3)
    assert [line for line, _ in accepted] == [i for i, (good, _) in enumerate(lines, start=1) if good]
    blank = {i for i, (_, raw) in enumerate(lines, start=1) if not raw.strip()}
    assert {line for line, *_ in rejected} == {i for i, (good, _) in enumerate(lines, start=1) if not good} - blank


tokens = st.sampled_from([b"[", b"]", b"{", b"}", b",", b'"', b"\\", b" ", b"\n", b"1", A.encode(), b"," + B.encode(), b"\xff", b"\0"])


@given(content=st.lists(tokens, max_size=14).map(b"".join), size=st.integers(1, 3))
def test_no_garbage_stops_an_array(tmp_path_factory, content, size):
    path = write(tmp_path_factory.getbasetemp(), b"[" + content, "garbage.json")
    first = outcome(path, size=size)
    assert first == outcome(path)
    for batch in open_source(path).batches(1):
        rest = outcome(path, start=batch.after)
        assert [pair for pair in rest[0] if pair[0] > batch.after.row] == [pair for pair in first[0] if pair[0] > batch.after.row]


names = st.sampled_from(["x.csv", "x.ndjson", "x.json", "x.parquet", "x.csv.gz", "x.json.zst", "x.ndjson.xz"])
magic = st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"\xfd7zXZ\x00", b"BZh9", b"\x28\xb5\x2f\xfd", b"PAR1"])


@given(raw=st.binary(max_size=200), name=names, start=magic)
def test_random_bytes_are_read_or_refused_by_name(tmp_path_factory, raw, name, start):
    path = write(tmp_path_factory.getbasetemp(), start + raw + (start if start == b"PAR1" else b""), name)
    try:
        assert all(batch.accepted or batch.rejected for batch in open_source(path).batches(2))
    except Refusal as refused:
        assert refused.code
