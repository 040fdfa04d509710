"""Which column fills which field, and what times mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.refusal import Refusal, RefusalKind
from farthing.core.base.time import parse_instant, to_datetime
from farthing.core.events.parse import parse_fact
from farthing.edges.files import refusals
from farthing.edges.files.mapping import AS_NAMED, ColumnMapping, Mapper
from farthing.edges.files.options import FileOptions, options_from_arguments, parse_options, read_options
from farthing.edges.files.wall_clock import TimeRules, timestamp_text

TOML = """
other_columns = "keep"

[file]
format = "csv"
delimiter = ";"
encoding = "utf-8-sig"

[columns]
timestamp = "InvoiceDate"
value = "Amount"
"payload.identifier" = "Reference"

[constants]
event_name = "payment"
customer = "online-retail"
rate = 0.10
test = false

[templates]
identifier = "{InvoiceNo}/{StockCode} {#file}:{#row}"

[timestamp]
time_zone = "Europe/London"
format = "%d/%m/%Y %H:%M"
"""


def test_a_mapping_file(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text(TOML)
    options = read_options(path)
    assert (options.format, options.dialect.delimiter, options.dialect.encoding) == ("csv", ";", "utf-8")
    assert options.mapping is not None
    columns = ["InvoiceNo", "StockCode", "InvoiceDate", "Amount", "Reference", "Country"]
    mapper = Mapper(options.mapping, "shop.csv", columns)
    assert mapper.used([*columns, "event_name"]) == columns
    row = dict(zip(columns, ["536365", "85123A", "01/12/2010 08:26", "15.30", "R1", "EIRE"], strict=True))
    fact = parse_fact(mapper.document(row, 12))
    assert fact.identifier == "536365/85123A shop.csv:12"
    assert fact.at == parse_instant("2010-12-01T08:26:00Z")
    assert dict(fact.properties) == {"rate": "0.1", "test": "false", "value": "15.3", "Country": "EIRE", "identifier": "R1"}
    assert [
        mapper.place(field) for field in ("payload.value", "payload.identifier", "timestamp", "payload.stripe_customer_id", "payload.Country", None)
    ] == [
        "Amount",
        "Reference",
        "InvoiceDate",
        "customer",
        "Country",
        None,
    ]
    as_json = tmp_path / "mapping.json"
    as_json.write_text(json.dumps({"columns": {"value": "Amount"}}))
    assert read_options(as_json) == FileOptions(mapping=ColumnMapping(columns={"value": "Amount"}))


def test_arguments():
    options = options_from_arguments(["value=A=B", "stripe_customer_id=C"], ["event_name=call"], ["identifier={#row}"], file={"format": "ndjson"})
    assert options.format == "ndjson"
    assert options.mapping == ColumnMapping({"value": "A=B", "customer": "C"}, {"event_name": "call"}, {"identifier": "{#row}"})
    assert options_from_arguments(file={"delimiter": "\t"}).mapping is None
    assert options_from_arguments(columns=["payload.region=R"]).mapping == ColumnMapping({"region": "R"})


REFUSALS = [
    (lambda: options_from_arguments(["value"]), "mapping_malformed", None),
    (lambda: options_from_arguments(["=value"]), "mapping_malformed", None),
    (lambda: options_from_arguments(["a=b", "a=c"]), "mapping_field_twice", "a"),
    (lambda: options_from_arguments(["a=b"], ["a=c"]), "mapping_field_twice", "a"),
    (lambda: options_from_arguments(["customer=b", "stripe_customer_id=c"]), "mapping_field_twice", "columns.stripe_customer_id"),
    (lambda: parse_options([]), "not_an_object", None),
    (lambda: parse_options({"column": {}}), "field_unknown", "column"),
    (lambda: parse_options({"columns": []}), "not_an_object", "columns"),
    (lambda: parse_options({"columns": {"a": 7}}), "field_invalid", "columns.a"),
    (lambda: parse_options({"columns": {"": "b"}}), "text_empty", "columns."),
    (lambda: parse_options({"columns": {"a": ""}}), "text_empty", "columns.a"),
    (lambda: parse_options({"constants": {"a": ""}}), "field_invalid", "constants.a"),
    (lambda: parse_options({"constants": {"a": []}}), "property_not_scalar", "constants.a"),
    (lambda: parse_options({"other_columns": "all"}), "field_invalid", "other_columns"),
    (lambda: parse_options({"file": {"format": "xml"}}), "field_invalid", "file.format"),
    (lambda: parse_options({"file": {"header": "no"}}), "field_invalid", "file.header"),
    (lambda: parse_options({"file": {"encoding": "utf-16"}}), "encoding_unsupported", "encoding"),
    (lambda: parse_options({"timestamp": {"time_zone": "Europe/Lundon"}}), "time_zone_unknown", "timestamp.time_zone"),
    (lambda: parse_options({"timestamp": {"repeated": "both"}}), "field_invalid", "timestamp.repeated"),
    (lambda: parse_options({"timestamp": {"truncate": 1}}), "field_invalid", "timestamp.truncate"),
    (lambda: Mapper(ColumnMapping({"value": "V"}), "f", ["W"]), "column_missing", "V"),
    (lambda: Mapper(ColumnMapping({"value": "V"}), "f", ["V"]), "mapping_incomplete", "identifier"),
    (lambda: Mapper(AS_NAMED, "f", ["identifier", "event_name", "timestamp"]), "mapping_incomplete", "customer"),
    (lambda: Mapper(ColumnMapping(templates={"x": "{a}-{b}"}), "f", None).document({"a": "1"}, 1), "field_missing", "b"),
    (lambda: Mapper(AS_NAMED, "f", None).row_document(7, 1), "not_an_object", None),
]


@pytest.mark.parametrize(("action", "code", "field"), REFUSALS, ids=[f"{code}-{i}" for i, (_, code, _) in enumerate(REFUSALS)])
def test_refusals(action, code, field):
    with pytest.raises(Refusal) as refused:
        action()
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(("name", "content"), [("m.toml", b"[columns"), ("m.toml", b"\xff"), ("m.json", b"{"), ("m.toml", None)])
def test_mapping_files_that_are_none(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Refusal) as refused:
        read_options(tmp_path / name)
    assert refused.value.code == ("file_unreadable" if content is None else "json_malformed" if name == "m.json" else "mapping_malformed")


LONDON = TimeRules("Europe/London")
TIMES = [
    ("2024-01-01T12:00:00Z", TimeRules(), "2024-01-01T12:00:00Z"),
    ("2024-01-01T12:00:00+02:00", LONDON, "2024-01-01T12:00:00+02:00"),  # an offset of its own stands
    ("2024-07-01 12:00", LONDON, "2024-07-01T11:00:00Z"),
    ("2024-07-01T12:00:00.5", LONDON, "2024-07-01T11:00:00.500000Z"),
    ("2024-07-01 12:00:00.1234560", LONDON, "2024-07-01T11:00:00.123456Z"),
    ("2024-07-01", LONDON, "2024-06-30T23:00:00Z"),
    ("2024-10-27 01:30", LONDON, "2024-10-27T00:30:00Z"),
    ("2024-10-27 01:30", TimeRules("Europe/London", repeated="later"), "2024-10-27T01:30:00Z"),
    ("2023-11-16 18:15:46.6805900", TimeRules("UTC", truncate=True), "2023-11-16T18:15:46.680590Z"),
    ("2023-11-16 18:15:46.6805909", TimeRules("UTC", truncate=True), "2023-11-16T18:15:46.680590Z"),
    ("2023-11-16T18:15:46.6805909Z", TimeRules(truncate=True), "2023-11-16T18:15:46.680590Z"),
    ("01/12/2010 08:26", TimeRules("Europe/London", "%d/%m/%Y %H:%M"), "2010-12-01T08:26:00Z"),
    ("01/12/2010 08:26 +0100", TimeRules(None, "%d/%m/%Y %H:%M %z"), "2010-12-01T07:26:00Z"),
    ("1704067200", TimeRules(None, "unix"), "2024-01-01T00:00:00Z"),
    ("1704067200.25", TimeRules(None, "unix"), "2024-01-01T00:00:00.250000Z"),
    (1704067200123, TimeRules(None, "unix_ms"), "2024-01-01T00:00:00.123000Z"),
    (1704067200000001, TimeRules(None, "unix_us"), "2024-01-01T00:00:00.000001Z"),
    ("1704067200000001.9", TimeRules(None, "unix_us", truncate=True), "2024-01-01T00:00:00.000001Z"),
]


@pytest.mark.parametrize(("raw", "rules", "text"), TIMES)
def test_times(raw, rules, text):
    assert timestamp_text(raw, rules) == text


BAD_TIMES = [
    ("2024-01-01 12:00", TimeRules(), "timestamp_naive"),
    ("2024-02-30 12:00", LONDON, "timestamp_malformed"),
    ("2024-01-01 25:00", LONDON, "timestamp_malformed"),
    ("2024-03-31 01:30", LONDON, "wall_clock_skipped"),
    ("2024-10-27 01:30", TimeRules("Europe/London", repeated="refuse"), "wall_clock_repeated"),
    ("2024-01-01 12:00:00.1234567", LONDON, "timestamp_too_precise"),
    ("2024-01-01", TimeRules("Europe/London", "%d/%m/%Y"), "time_format_mismatch"),
    ("01/12/2010", TimeRules(None, "%d/%m/%Y"), "timestamp_naive"),
    ("soon", TimeRules(None, "unix"), "time_format_mismatch"),
    ("1e9", TimeRules(None, "unix"), "time_format_mismatch"),
    ("1.0000001", TimeRules(None, "unix"), "timestamp_too_precise"),
    ("9" * 18, TimeRules(None, "unix"), "time_format_mismatch"),
    (1704067200, LONDON, "timestamp_malformed"),
    (True, LONDON, "timestamp_malformed"),
    ("0001-01-01 00:00", TimeRules("Asia/Tokyo"), "timestamp_malformed"),
]


@pytest.mark.parametrize(("raw", "rules", "code"), BAD_TIMES)
def test_times_refused(raw, rules, code):
    with pytest.raises(Refusal) as refused:
        timestamp_text(raw, rules)
    assert (refused.value.code, refused.value.field) == (code, "timestamp")


@given(
    moment=st.datetimes(min_value=to_datetime(0).replace(tzinfo=None)),
    zone=st.sampled_from(["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
)
def test_a_wall_clock_is_the_instant_at_which_it_is_shown(moment, zone):
    try:
        text = timestamp_text(moment.isoformat(sep=" "), TimeRules(zone))
    except Refusal as refused:
        assert refused.code in ("wall_clock_skipped", "timestamp_malformed")
        return
    assert to_datetime(parse_instant(text), zone).replace(tzinfo=None, fold=0) == moment


def test_every_refusal_of_files_has_a_row():
    """Each code of edges/files/refusals.py is expected by a test of this folder."""
    from pathlib import Path

    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_file_*.py"))
    codes = {kind.code for kind in vars(refusals).values() if isinstance(kind, RefusalKind)}
    assert {code for code in codes if f'"{code}"' not in tests} == set()
