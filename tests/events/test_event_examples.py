"""Every worked example of docs/events.md that is about documents and the log, run."""

import re
from pathlib import Path

import pytest

from farthing.core.base.refusal import Refusal
from farthing.core.events.event import Cancel, Event, Replace
from farthing.core.events.log import effective
from farthing.core.events.parse import decode_json, event_document, parse_fact

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
DOCUMENTS = [decode_json(block) for block in re.findall(r"```json\n(\{.*?)```", PAGE, re.DOTALL)]
LOGS = re.findall(r"^\| ((?:`[-A-Z>]+` ?)+)\| ([A-Z ]*)\|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("example", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_document(example):
    if "refused" in example:
        with pytest.raises(Refusal) as refused:
            parse_fact(example["document"])
        assert {"code": refused.value.code, "field": refused.value.field} == example["refused"]
    else:
        assert event_document(parse_fact(example["document"])) == example["read"]


def fact(position, text):
    if text.startswith("-"):
        return Cancel(text[1:], "call", position)
    target, _, identifier = text.rpartition(">")
    event = Event(identifier, "call", "c", 0, {}, position)
    return Replace(target, event) if target else event


@pytest.mark.parametrize(("facts", "counted"), LOGS, ids=[facts for facts, _ in LOGS])
def test_log(facts, counted):
    log = [fact(position, text) for position, text in enumerate(re.findall(r"`([^`]+)`", facts), start=1)]
    assert [event.identifier for event in effective(log, len(log))] == counted.split()


def test_the_page_has_its_examples():
    assert len(DOCUMENTS) == 6
    assert len(LOGS) == 14
