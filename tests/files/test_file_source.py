"""Any file as a source: compression, progress, marks, and the reject file."""

import bz2
import gzip
import json
import lzma
import os
from decimal import Decimal

import pyarrow as pa
import pytest

from farthing.core.base.refusal import Refusal
from farthing.edges.files.rejects import RejectFile
from farthing.edges.files.rows import START, Mark, Rejected, shown_row
from farthing.edges.files.source import open_source


def event(identifier, **payload):
    document = {"identifier": identifier, "event_name": "call", "timestamp": "2024-01-01T00:00:00Z"}
    return json.dumps({**document, "payload": {"stripe_customer_id": "c", **payload}})


LINES = [event(f"e{i}", value=i) if i % 5 else "broken" for i in range(1, 401)]
CONTENT = "\n".join(LINES).encode()


def zstd(raw):
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(raw)
    return out.getvalue().to_pybytes()


COMPRESSORS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstd}


def write(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def outcome(batches):
    batches = list(batches)
    accepted = [(a.line, a.fact.identifier) for batch in batches for a in batch.accepted]
    return accepted, [(r.line, r.refusal.code) for batch in batches for r in batch.rejected]


EXPECTED = ([(i, f"e{i}") for i in range(1, 401) if i % 5], [(i, "json_malformed") for i in range(1, 401) if i % 5 == 0])


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize("name", ["events.ndjson", "EVENTS.JSONL"])
def test_compressed_files(tmp_path, suffix, name):
    path = write(tmp_path, COMPRESSORS[suffix](CONTENT), name + suffix)
    source = open_source(path)
    assert (source.format, source.total, source.unit) == ("ndjson", path.stat().st_size, "bytes")
    batches = list(source.batches(64))
    assert outcome(batches) == EXPECTED
    done = [batch.done for batch in batches]
    assert done == sorted(done)
    assert done[-1] == source.total
    for batch in batches:
        rest = outcome(open_source(path).batches(64, batch.after))
        assert rest == tuple([pair for pair in part if pair[0] > batch.after.line] for part in EXPECTED)


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_a_file_that_was_cut_off_gives_what_it_has(tmp_path, suffix):
    rows = [event(f"e{i}", note=os.urandom(300).hex()) for i in range(1, 3001)]
    whole = COMPRESSORS[suffix]("\n".join(rows).encode())
    accepted, rejected = outcome(open_source(write(tmp_path, whole[:-1000], "events.ndjson" + suffix)).batches(500))
    assert accepted == [(i, f"e{i}") for i in range(1, len(accepted) + 1)]
    if suffix != ".zst":  # a block of zstandard or bzip2 is decoded whole or not at all
        assert len(accepted) > (1500 if suffix == ".bz2" else 2000)
    assert rejected == [(len(accepted) + 1, "file_unreadable")]


@pytest.mark.parametrize("name", ["events.ndjson.gz", "events.json.gz"])
def test_damage_is_refused_by_name(tmp_path, name):
    content = bytearray(gzip.compress(CONTENT if "ndjson" in name else b"[" + event("a").encode() + b"]"))
    content[-6] ^= 0xFF  # the checksum
    accepted, rejected = outcome(open_source(write(tmp_path, bytes(content), name)).batches(10_000))
    assert accepted[0][0] == 1
    assert rejected[-1][1] == "file_unreadable"


def test_files_that_are_none(tmp_path):
    for path, code in [
        (tmp_path / "missing.ndjson", "file_unreadable"),
        (tmp_path, "file_format_unknown"),
        (write(tmp_path, b"", "events"), "file_format_unknown"),
        (write(tmp_path, b"", "events.gz"), "file_format_unknown"),
        (write(tmp_path, b"\x1f\x8b\x08junk", "events.csv"), "file_unreadable"),
        (write(tmp_path, b"\x1f\x8b\x08junk", "events.json"), "file_unreadable"),
    ]:
        with pytest.raises(Refusal) as refused:
            open_source(path)
        assert refused.value.code == code
    (tmp_path / "folder.ndjson").mkdir()
    with pytest.raises(Refusal, match="file_unreadable"):
        open_source(tmp_path / "folder.ndjson")
    assert list(open_source(write(tmp_path, b"", "events.ndjson")).batches(5)) == []


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_a_mark_beyond_the_end(tmp_path, suffix):
    path = write(tmp_path, COMPRESSORS[suffix](CONTENT), "events.ndjson" + suffix)
    assert list(open_source(path).batches(5, Mark(len(CONTENT), 400, 400))) == []
    with pytest.raises(Refusal) as refused:
        list(open_source(path).batches(5, Mark(len(CONTENT) + 1, 400, 400)))
    assert refused.value.code == "file_changed"


def test_marks_as_text():
    assert Mark.parse(Mark(5, 4, 3).text()) == Mark(5, 4, 3)
    for text in ("", "1:2", "1:2:3:4", "a:b:c", "-1:2:3", "1:2:\u0663"):
        with pytest.raises(Refusal) as refused:
            Mark.parse(text)
        assert refused.value.code == "file_changed"


def test_the_fingerprint_changes_with_the_file(tmp_path):
    path = write(tmp_path, CONTENT, "events.ndjson")
    first = open_source(path).fingerprint
    assert open_source(path).fingerprint == first
    path.write_bytes(CONTENT[:-1] + b" ")
    assert open_source(path).fingerprint != first
    path.write_bytes(CONTENT + b"\n")
    assert open_source(path).fingerprint != first


def rejects_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def load(source, rejects_path, start, stop_after=None, size=7):
    """A loader that is killed after `stop_after` batches, having written the rejects of one more; it returns the kept mark."""
    mark = start
    with RejectFile(rejects_path, source.name, start) as rejects:
        for count, batch in enumerate(source.batches(size, start)):
            rejects.write(batch.rejected)
            if count == stop_after:
                return mark
            mark = batch.after
    return mark


def test_each_refused_row_is_in_the_reject_file_once(tmp_path):
    path = write(tmp_path, CONTENT, "events.ndjson")
    rejects = tmp_path / "rejects.ndjson"
    other = {"file": "other.csv", "line": 3, "field": None, "code": "x", "message": "y", "row": "z"}
    rejects.write_text(json.dumps(other) + "\n")
    rejects.chmod(0o640)
    mark = START
    while mark.row < 400:
        mark = load(open_source(path), rejects, mark, stop_after=5)
        with rejects.open("a") as torn:
            torn.write('{"file": "events.ndjson", "line": ')
        if mark.row > 380:
            mark = load(open_source(path), rejects, mark)
    found = rejects_of(rejects)
    assert found[0] == other
    assert [(r["file"], r["line"], r["code"], r["row"]) for r in found[1:]] == [
        ("events.ndjson", i, "json_malformed", "broken") for i in range(5, 401, 5)
    ]
    assert set(found[1]) == {"file", "line", "field", "code", "message", "row"}
    assert found[1]["message"].endswith("Send one complete JSON object.")
    assert rejects.stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in tmp_path.iterdir()) == ["events.ndjson", "rejects.ndjson"]


def test_no_reject_file_without_rejects(tmp_path):
    with RejectFile(tmp_path / "rejects.ndjson", "a") as rejects:
        rejects.write([])
    assert not (tmp_path / "rejects.ndjson").exists()
    assert rejects.written == 0


def test_rejects_keep_the_row_as_it_was(tmp_path):
    path = write(tmp_path, b'caf\xe9\n"\xf0\x9f\x98\x80', "events.ndjson")
    (batch,) = open_source(path).batches(5)
    with RejectFile(tmp_path / "rejects", path.name) as rejects:
        rejects.write(batch.rejected)
        surrogate = Rejected(3, Refusal(batch.rejected[0].refusal.kind, "half \ud800"), {"a": "\ud800"})
        rejects.write([surrogate])
    assert [reject["row"] for reject in rejects_of(tmp_path / "rejects")] == ["caf\\xe9", '"\U0001f600', '{"a": "\ud800"}']
    assert len(shown_row(b"x" * 10**6)) == 65_536
    assert shown_row({"a": Decimal("1.50"), "b": surrogate.refusal}) == f'{{"a": "1.50", "b": "{surrogate.refusal.code}"}}'
