"""Facts as rows of bytes: nothing is lost on the way, and the hash tells any two facts apart, for ever."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.canonical import canonical_json
from farthing.core.events.event import Cancel, Event, Fact, Replace
from farthing.edges.postgres.rows import NULL, copy_lines, escaped, hash_of, line_of, rows_of

AWKWARD = st.sampled_from(["", "\\N", "\\", "\t", "\\t", "a\tb", "\n", "\r\n", "N", "\\\\N"])
TEXTS = st.one_of(AWKWARD, st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
EVENTS = st.builds(Event, TEXTS, TEXTS, TEXTS, st.integers(0, 2**53), st.dictionaries(TEXTS, TEXTS, max_size=3))
FACTS = st.one_of(EVENTS, st.builds(Cancel, TEXTS, TEXTS), st.builds(Replace, TEXTS, EVENTS))
PINNED: list[tuple[Fact, str, bytes]] = [
    (
        Event("e1", "call", "acme", 1_735_689_600_000_000, {"value": "1", "region": "eu"}),
        "9fb46e714582028286e8a3542ed0031f",
        b'e1\t\\N\tcall\tacme\t1735689600000000\t{"region":"eu","value":"1"}',
    ),
    (
        Event("e\\2\t", "call", "é\n", 0, {'"': "\\ \u0001 \x7f \u2028 ☃ 😀"}),
        "0ffcb33f9aa3940f66ae84c00c5a0b1b",
        'e\\\\2\\t\t\\N\tcall\té\\n\t0\t{"\\\\"":"\\\\\\\\ \\\\u0001 \x7f \u2028 ☃ 😀"}'.encode(),
    ),
    (Replace("e1", Event("e3", "call", "acme", 5, {})), "3249ab979f18b4ec95bfd120c1013902", b"e3\te1\tcall\tacme\t5\t{}"),
]


def test_rows_and_hashes_are_what_they_were_when_the_first_event_was_kept() -> None:
    # A hash stands in every registry. If this fails, every event sent again would be refused as other content.
    for fact, expected, row in PINNED:
        assert line_of(fact) == row
        assert hash_of(row) == expected


@given(st.lists(FACTS, max_size=5))
def test_facts_come_back_from_their_rows(facts: list[Fact]) -> None:
    rows = rows_of(facts)
    assert [rows.fact(index) for index in range(len(rows))] == facts
    assert list(rows.lines()) == [line_of(fact) for fact in facts]
    assert (rows.targets is None) == all(isinstance(fact, Event) for fact in facts)


@given(FACTS, FACTS)
def test_two_facts_have_the_same_row_only_when_they_are_equal(one: Fact, other: Fact) -> None:
    assert (line_of(one) == line_of(other)) == (one == other)
    assert (hash_of(line_of(one)) == hash_of(line_of(other))) == (one == other)


@given(EVENTS)
def test_the_payload_is_canonical_json(event: Event) -> None:
    payload = rows_of([event]).payloads[0].replace(b"\\\\", b"\\")
    assert payload.decode() == canonical_json(dict(event.properties))
    reordered = replace(event, properties=dict(reversed(list(event.properties.items()))))
    assert line_of(reordered) == line_of(event)


@given(TEXTS)
def test_an_escaped_text_is_never_null_and_stays_on_its_line(text: str) -> None:
    assert escaped(text) != NULL
    assert not {b"\t", b"\n", b"\r"} & {bytes([byte]) for byte in escaped(text)}


@given(st.lists(EVENTS, max_size=9), st.integers(1, 4))
def test_copy_takes_ordinal_hash_and_row(events: list[Event], size: int) -> None:
    rows = rows_of(events)
    lines = b"".join(copy_lines(rows, range(len(rows)), size)).split(b"\n")
    assert lines == [*(b"%d\t%b\t%b" % (n, hash_of(line_of(event)).encode(), line_of(event)) for n, event in enumerate(events)), b""]
    chosen = list(range(0, len(events), 2))
    assert [rows.subset(chosen).fact(n) for n in range(len(chosen))] == [events[n] for n in chosen]
