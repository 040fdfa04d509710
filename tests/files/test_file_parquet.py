from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.base.time import show_instant
from farthing.edges.files.options import options_from_arguments
from farthing.edges.files.rejects import RejectFile
from farthing.edges.files.rows import START, Mark
from farthing.edges.files.source import DEFAULT, open_source

AT = pa.array([1_704_067_200_000_001, 1_704_067_200_000_002, None], pa.timestamp("us", "UTC"))
BASE = {"identifier": pa.array(["a", "b", "c"]), "event_name": pa.array(["call"] * 3), "timestamp": AT, "customer": pa.array(["k"] * 3)}


def write(tmp_path, columns, **options):
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def read(path, options=DEFAULT, start=START, size=2):
    batches = list(open_source(path, options).batches(size, start))
    return [a.fact for b in batches for a in b.accepted], [(r.line, r.refusal.code, r.refusal.field) for b in batches for r in b.rejected]


def test_types_are_read_exactly(tmp_path):
    columns = {
        **BASE,
        "value": pa.array([Decimal("0.10"), Decimal("99999999999999999999.999999999999999999"), None], pa.decimal128(38, 18)),
        "big": pa.array([2**63, 1, None], pa.uint64()),
        "flag": pa.array([True, False, None]),
        "day": pa.array([date(2024, 2, 29), None, None]),
        "seen": pa.array([datetime(2024, 1, 1, 1), None, None], pa.timestamp("ms")),
        "kind": pa.array(["x", "y", None]).dictionary_encode(),
        "none": pa.nulls(3),
    }
    facts, rejected = read(write(tmp_path, columns))
    assert dict(facts[0].properties) == {
        "value": "0.1",
        "big": "9223372036854775808",
        "flag": "true",
        "day": "2024-02-29",
        "seen": "2024-01-01T01:00:00",
        "kind": "x",
    }
    assert dict(facts[1].properties) == {"value": "99999999999999999999.999999999999999999", "big": "1", "flag": "false", "kind": "y"}
    assert [show_instant(fact.at) for fact in facts] == ["2024-01-01T00:00:00.000001+00:00", "2024-01-01T00:00:00.000002+00:00"]
    assert rejected == [(3, "field_missing", "timestamp")]


@pytest.mark.parametrize(
    ("columns", "code", "field"),
    [
        ({**BASE, "value": pa.array([0.1, 0.2, 0.3])}, "column_is_float", "value"),
        ({**BASE, "value": pa.array([0.1, 0.2, 0.3], pa.float32()).dictionary_encode()}, "column_is_float", "value"),
        ({**BASE, "tags": pa.array([["x"], [], None])}, "column_type_unsupported", "tags"),
        ({**BASE, "raw": pa.array([b"x", b"y", None])}, "column_type_unsupported", "raw"),
        ({**BASE, "timestamp": AT.cast(pa.timestamp("us"))}, "timestamp_naive", "timestamp"),
        ({**BASE, "stripe_customer_id": BASE["customer"]}, "mapping_field_twice", "stripe_customer_id"),
        ({"identifier": BASE["identifier"]}, "mapping_incomplete", "event_name"),
    ],
)
def test_columns_refused(tmp_path, columns, code, field):
    with pytest.raises(Refusal) as refused:
        open_source(write(tmp_path, columns))
    assert (refused.value.code, refused.value.field) == (code, field)


def test_two_columns_of_one_name(tmp_path):
    path = tmp_path / "events.parquet"
    pq.write_table(pa.Table.from_arrays([BASE["identifier"], BASE["customer"]], names=["x", "x"]), path)
    with pytest.raises(Refusal, match="column_repeated"):
        open_source(path)


def test_a_float_column_may_be_left_out(tmp_path):
    path = write(tmp_path, {**BASE, "value": pa.array([0.1, 0.2, 0.3])})
    options = options_from_arguments(["identifier=identifier", "timestamp=timestamp", "customer=customer"], ["event_name=call"])
    facts, _ = read(path, options)
    assert [dict(fact.properties) for fact in facts] == [{}, {}]


def test_wall_clocks_in_a_declared_zone(tmp_path):
    noon = pa.array([datetime(2024, 7, 1, 12), datetime(2024, 3, 31, 1, 30), datetime(2024, 10, 27, 1, 30)], pa.timestamp("ns"))
    options = options_from_arguments(other_columns="keep", timestamp={"time_zone": "Europe/London"})
    facts, rejected = read(write(tmp_path, {**BASE, "timestamp": noon}), options)
    assert [show_instant(fact.at) for fact in facts] == ["2024-07-01T11:00:00+00:00", "2024-10-27T00:30:00+00:00"]
    assert rejected == [(2, "wall_clock_skipped", "timestamp")]


def test_nanoseconds(tmp_path):
    at = pa.array([1_704_067_200_000_001_000, 1_704_067_200_000_001_001, None], pa.timestamp("ns", "Europe/Paris"))
    path = write(tmp_path, {**BASE, "timestamp": at})
    facts, rejected = read(path)
    assert [fact.at for fact in facts] == [1_704_067_200_000_001]
    assert rejected == [(2, "timestamp_too_precise", "timestamp"), (3, "field_missing", "timestamp")]
    facts, _ = read(path, options_from_arguments(other_columns="keep", timestamp={"truncate": True}))
    assert [fact.at for fact in facts] == [1_704_067_200_000_001] * 2


def test_integers_that_count_from_1970(tmp_path):
    columns = {**BASE, "timestamp": pa.array([1_704_067_200_123, 0, 10**17])}
    facts, rejected = read(write(tmp_path, columns), options_from_arguments(other_columns="keep", timestamp={"format": "unix_ms"}))
    assert [fact.at for fact in facts] == [1_704_067_200_123_000, 0]
    assert rejected == [(3, "time_format_mismatch", "timestamp")]
    assert read(write(tmp_path, columns))[1] == [(n, "timestamp_malformed", "timestamp") for n in (1, 2, 3)]


def test_identifiers_may_be_numbers(tmp_path):
    columns = {
        **BASE,
        "timestamp": AT.fill_null(0),
        "identifier": pa.array([7, 2**62, -1]),
        "customer": pa.array([Decimal("5"), Decimal("6"), Decimal("6.5")]),
    }
    facts, rejected = read(write(tmp_path, columns))
    assert [(fact.identifier, fact.customer) for fact in facts] == [("7", "5"), (str(2**62), "6")]
    assert rejected == [(3, "field_invalid", "customer")]


def test_text_that_is_no_utf8_costs_no_other_row(tmp_path):
    broken = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xff", b"c"]).buffers())
    facts, rejected = read(write(tmp_path, {**BASE, "timestamp": AT.fill_null(0), "note": broken}))
    assert [fact.identifier for fact in facts] == ["a", "c"]
    assert rejected == [(2, "encoding_malformed", "note")]


def test_reading_goes_on_from_every_mark_across_row_groups(tmp_path):
    rows = 25
    columns = {
        "identifier": pa.array([f"e{i}" for i in range(rows)]),
        "event_name": pa.array(["call"] * rows),
        "timestamp": pa.array([i if i % 7 else None for i in range(rows)], pa.timestamp("us", "UTC")),
        "customer": pa.array(["k"] * rows),
    }
    path = write(tmp_path, columns, row_group_size=4)
    source = open_source(path)
    assert (source.total, source.unit) == (rows, "rows")
    batches = list(source.batches(3))
    assert [batch.done for batch in batches] == [3, 6, 9, 12, 15, 18, 21, 24, 25]
    whole, refused = read(path)
    for batch in batches:
        facts, rejected = read(path, start=Mark.parse(batch.after.text()))
        assert facts == [fact for fact in whole if int(fact.identifier[1:]) >= batch.after.row]
        assert rejected == [reject for reject in refused if reject[0] > batch.after.row]
    with pytest.raises(Refusal, match="file_changed"):
        list(source.batches(3, Mark(0, 26, 26)))


def test_a_damaged_row_group_costs_no_other(tmp_path):
    rows = 3000
    columns = {name: pa.array([f"{name}{i}" for i in range(rows)]) for name in ("identifier", "event_name", "customer")}
    columns["timestamp"] = pa.array(range(rows), pa.timestamp("us", "UTC"))
    path = write(tmp_path, columns, row_group_size=1000, use_dictionary=False, compression="zstd", write_page_checksum=True)
    where = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    middle = where.data_page_offset + where.total_compressed_size // 2
    content[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(content)
    facts, rejected = read(path, size=500)
    assert rejected == [(1001, "file_unreadable", None)]
    assert [fact.identifier for fact in facts] == [f"identifier{i}" for i in range(rows) if not 1000 <= i < 2000]
    facts, rejected = read(path, start=Mark(0, 2000, 2000))
    assert (len(facts), rejected) == (1000, [])


def test_rows_of_columns_in_a_reject_file(tmp_path):
    path = write(tmp_path, {**BASE, "value": pa.array([Decimal("0.10"), None, None])})
    (batch,) = open_source(path).batches(9)
    with RejectFile(tmp_path / "rejects", path.name) as rejects:
        rejects.write(batch.rejected)
    assert '"row": "{\\"identifier\\": \\"c\\", \\"event_name\\": \\"call\\", \\"timestamp\\": null' in (tmp_path / "rejects").read_text()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"PAR1" + b"\0" * 40 + b"PAR1", b"not parquet at all"])
def test_what_is_no_parquet(tmp_path, content):
    path = tmp_path / "events.parquet"
    path.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        open_source(path)
    assert refused.value.code == "file_unreadable"
