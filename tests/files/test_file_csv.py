import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal
from farthing.edges.files.csv_rows import dialect
from farthing.edges.files.lines import LINE_LARGEST
from farthing.edges.files.options import options_from_arguments, parse_options
from farthing.edges.files.rows import START
from farthing.edges.files.source import DEFAULT, open_source

HEADER = "identifier,event_name,timestamp,customer,value,region"
GOOD = "2024-01-01T00:00:00Z,c"


def row(identifier, value="1", region="eu"):
    return f"{identifier},call,{GOOD},{value},{region}"


def write(tmp_path, content, name="events.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def outcome(path, options=DEFAULT, size=100, start=START):
    """([(line, identifier)], [(line, code, field)]) of a file."""
    accepted, rejected = [], []
    for batch in open_source(path, options).batches(size, start):
        accepted += [(a.line, a.fact.identifier) for a in batch.accepted]
        rejected += [(r.line, r.refusal.code, r.refusal.field) for r in batch.rejected]
    return accepted, rejected


def test_a_plain_file(tmp_path):
    path = write(tmp_path, "\n".join([HEADER, row("a"), row("b", "2.50", ""), ""]))
    (batch,) = open_source(path).batches(100)
    assert [a.line for a in batch.accepted] == [2, 3]
    a, b = (accepted.fact for accepted in batch.accepted)
    assert (a.identifier, a.event_name, a.customer, dict(a.properties)) == ("a", "call", "c", {"value": "1", "region": "eu"})
    assert dict(b.properties) == {"value": "2.5"}  # an empty field is absent
    assert batch.accepted[0].raw == row("a").encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_blank_lines_and_a_byte_order_mark(tmp_path, end, mark):
    content = mark + end.join([HEADER, row("a"), "", row("b")]).encode()
    assert outcome(write(tmp_path, content)) == ([(2, "a"), (4, "b")], [])


def test_quotes(tmp_path):
    content = "\n".join([HEADER, row('"a"'), row("b", region='"x, ""y""\nz"'), row("c", region='5" pipe'), row('"d"', region='""')])
    path = write(tmp_path, content)
    assert outcome(path) == ([(2, "a"), (3, "b"), (5, "c"), (6, "d")], [])
    regions = [a.fact.properties.get("region") for batch in open_source(path).batches(9) for a in batch.accepted]
    assert regions == ["eu", 'x, "y"\nz', '5" pipe', None]


BAD_LINES = [
    ("x,call", "csv_field_count", None),
    (row("x") + ",more", "csv_field_count", None),
    (row("x", region='"eu"x'), "csv_malformed", None),
    (row("x", region="e\ru"), "csv_malformed", None),
    (row("x", region='"eu'), "csv_quote_unclosed", None),
    (row('"x'), "csv_quote_unclosed", None),
    (row("x", region="e\0u"), "text_not_storable", None),
    (row("x", region="\ufffd").encode().replace("\ufffd".encode(), b"\xe9"), "encoding_malformed", None),
    (row("x", region="y" * LINE_LARGEST), "line_too_long", None),
    (row("x", value="many"), "number_malformed", "value"),
    (row("x", value="1e30"), "number_too_large", "value"),
    (row("x", region="y" * 1001), "text_too_long", "region"),
    (row(""), "field_missing", "identifier"),
    (row("x").replace("call", ""), "field_missing", "event_name"),
    (row("x").replace(",c,", ",,"), "field_missing", "customer"),
    (row("x").replace("Z", ""), "timestamp_naive", "timestamp"),
    (row("x").replace("01-01", "13-01"), "timestamp_malformed", "timestamp"),
    (row("x").replace("2024", "1924"), "event_time_out_of_range", "timestamp"),
]


@pytest.mark.parametrize(("line", "code", "field"), BAD_LINES, ids=[f"{code}-{field}" for _, code, field in BAD_LINES])
@pytest.mark.parametrize("neighbours", ["plain", "quoted"])
def test_a_bad_line_costs_no_other(tmp_path, line, code, field, neighbours):
    line = line if isinstance(line, bytes) else line.encode()
    region = "eu" if neighbours == "plain" else '"e ""u"""'
    a, b, c = (row(name, region=region).encode() for name in "abc")
    content = b"\n".join([HEADER.encode(), a, line, b, c])
    accepted, rejected = outcome(write(tmp_path, content))
    assert accepted == [(2, "a"), (4, "b"), (5, "c")]
    assert rejected == [(3, code, field)]


def test_a_field_over_many_lines_is_bounded(tmp_path):
    lines = [HEADER, row("a", region='"' + "\n" * 900 + '"'), row("b", region='"' + "\n" * 1100 + '"'), row("c")]
    accepted, rejected = outcome(write(tmp_path, "\n".join(lines)))
    assert accepted == [(2, "a"), (2004, "c")]
    assert rejected == [(903, "csv_quote_unclosed", None), (2003, "csv_quote_unclosed", None)]


FILES = [
    ("", DEFAULT, "csv_header_missing", None),
    ("\n\n", DEFAULT, "csv_header_missing", None),
    ('"identifier', DEFAULT, "csv_quote_unclosed", None),
    (HEADER.encode("utf-16"), DEFAULT, "encoding_malformed", None),
    (HEADER + ",value", DEFAULT, "column_repeated", "value"),
    (HEADER + ",stripe_customer_id", DEFAULT, "mapping_field_twice", "stripe_customer_id"),
    (HEADER.replace("identifier", "id"), DEFAULT, "mapping_incomplete", "identifier"),
    (HEADER, options_from_arguments(["identifier=Number"]), "column_missing", "Number"),
    (HEADER, options_from_arguments(templates=["identifier={Number}"]), "column_missing", "Number"),
    (HEADER, options_from_arguments(["identifier=identifier"]), "mapping_incomplete", "event_name"),
]


@pytest.mark.parametrize(("content", "options", "code", "field"), FILES, ids=[f"{code}-{i}" for i, (_, _, code, _) in enumerate(FILES)])
def test_files_refused_as_a_whole(tmp_path, content, options, code, field):
    with pytest.raises(Refusal) as refused:
        open_source(write(tmp_path, content), options)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"delimiter": ""}, "field_invalid"),
        ({"delimiter": '"'}, "field_invalid"),
        ({"encoding": "utf-16"}, "encoding_unsupported"),
        ({"encoding": "x"}, "encoding_unsupported"),
    ],
)
def test_dialects_refused(arguments, code):
    with pytest.raises(Refusal) as refused:
        dialect(**arguments)
    assert refused.value.code == code


def test_other_delimiters_encodings_and_no_header(tmp_path):
    form = {"file": {"delimiter": ";", "encoding": "latin-1", "header": False}, "columns": {"identifier": "1", "timestamp": "2", "region": "3"}}
    options = parse_options({**form, "constants": {"event_name": "call", "customer": "c", "weight": 5}})
    path = write(tmp_path, 'a;2024-01-01T00:00:00Z;M\u00fcnchen\nb;2024-01-01T00:00:00Z;"x;y"\n'.encode("latin-1"))
    facts = [a.fact for batch in open_source(path, options).batches(9) for a in batch.accepted]
    assert [dict(fact.properties) for fact in facts] == [{"weight": "5", "region": "M\u00fcnchen"}, {"weight": "5", "region": "x;y"}]


def test_a_quote_left_open_before_a_line_that_is_no_text(tmp_path):
    content = b"\n".join([HEADER.encode(), row("a", region='"x').encode(), b"\xff", row("b").encode()])
    assert outcome(write(tmp_path, content)) == ([(4, "b")], [(2, "csv_quote_unclosed", None), (3, "encoding_malformed", None)])


def test_rows_are_numbered_with_those_refused_and_on_from_a_mark(tmp_path):
    path = write(tmp_path, "\n".join([HEADER, row("a", region='"x\ny"'), "", row("b", value="?"), row("c"), row("d")]))
    columns = [f"{name}={name}" for name in ("event_name", "timestamp", "customer", "value")]
    options = options_from_arguments(columns, templates=["identifier={#file}:{#row}:{identifier}"])
    first, *_ = open_source(path, options).batches(2)
    assert outcome(path, options)[0] == [(2, "events.csv:1:a"), (6, "events.csv:3:c"), (7, "events.csv:4:d")]
    assert outcome(path, options, start=first.after)[0] == [(6, "events.csv:3:c"), (7, "events.csv:4:d")]


def test_tabs_part_the_fields_of_a_tsv_file(tmp_path):
    content = "\n".join([HEADER, row("a", region='"x"')]).replace(",", "\t")
    assert outcome(write(tmp_path, content, "events.tsv")) == ([(2, "a")], [])
    assert outcome(write(tmp_path, content.replace("\t", ";"), "events.tsv"), parse_options({"file": {"delimiter": ";"}})) == ([(2, "a")], [])


def test_reading_goes_on_from_every_mark(tmp_path):
    content = "\n".join([HEADER, row("a", region='"x\ny"'), row("b", value="?"), row('"c'), row("d"), "", row("e")])
    path = write(tmp_path, content)
    whole = outcome(path)
    marks = [batch.after for batch in open_source(path).batches(1)]
    assert len(marks) == 5
    for count, mark in enumerate(marks, start=1):
        accepted, rejected = outcome(path, start=mark)
        before = [batch for batch, _ in zip(open_source(path).batches(1), range(count), strict=False)]
        done = [(a.line, a.fact.identifier) for batch in before for a in batch.accepted]
        refused = [(r.line, r.refusal.code, r.refusal.field) for batch in before for r in batch.rejected]
        assert (done + accepted, refused + rejected) == whole


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@given(cells=st.lists(st.tuples(texts, texts), min_size=1, max_size=8), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_a_csv_writer_writes_is_read(tmp_path_factory, cells, quoting):
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator="\n")
    writer.writerow(["identifier", "a", "b"])
    writer.writerows((f"r{i}", a, b) for i, (a, b) in enumerate(cells))
    path = write(tmp_path_factory.getbasetemp(), out.getvalue(), "written.csv")
    options = options_from_arguments(["identifier=identifier", "a=a", "b=b"], ["event_name=call", "customer=c", "timestamp=2024-01-01T00:00:00Z"])
    facts = [a.fact for batch in open_source(path, options).batches(100) for a in batch.accepted]
    assert [(f.properties.get("a", ""), f.properties.get("b", "")) for f in facts] == cells
    assert [f.identifier for f in facts] == [f"r{i}" for i in range(len(cells))]


lines = [row("g").encode(), b"\n" + row("h").encode() + b"\n"]
pieces = st.one_of(st.binary(max_size=8), st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\0", b'""', *lines]))


@given(garbage=st.lists(pieces, max_size=30).map(b"".join), size=st.integers(1, 3))
def test_garbage_never_stops_a_file(tmp_path_factory, garbage, size):
    path = write(tmp_path_factory.getbasetemp(), HEADER.encode() + b"\n" + row("first").encode() + b"\n" + garbage, "garbage.csv")
    accepted, rejected = outcome(path, size=size)
    assert accepted[0] == (2, "first")
    whole = outcome(path)
    assert (accepted, rejected) == whole
    lines = [line for line, *_ in accepted + rejected]
    assert len(set(lines)) == len(lines)  # one outcome a record
