"""The worked example of docs/events.md that is about files, run."""

import re
from pathlib import Path

from farthing.core.events.parse import decode_json, event_document
from farthing.edges.files.options import read_options
from farthing.edges.files.rejects import RejectFile
from farthing.edges.files.source import open_source

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def block(kind, start=""):
    return re.search(rf"```{kind}\n({start}.*?)```", PAGE, re.DOTALL)[1]


def test_the_mapping_and_the_file_of_the_page(tmp_path):
    (tmp_path / "mapping.toml").write_text(block("toml"), encoding="utf-8")
    file = tmp_path / "payments.csv"
    file.write_text(block("csv"), encoding="utf-8")
    (batch,) = open_source(file, read_options(tmp_path / "mapping.toml")).batches(100)
    with RejectFile(tmp_path / "rejects.ndjson", file.name) as rejects:
        rejects.write(batch.rejected)
    (reject,) = [decode_json(line) for line in (tmp_path / "rejects.ndjson").read_bytes().splitlines()]
    assert "Correct the value, or the format" in reject.pop("message")
    assert [*(event_document(accepted.fact) for accepted in batch.accepted), reject] == decode_json(block("json", r"\["))
