"""What the log says, case by case and against its rules restated as sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.events.event import Cancel, Event, Replace
from farthing.core.events.log import Metered, SetAside, Superseded, effective, fates, position_of
from farthing.core.events.refusals import cancel_names_other_event, identifier_conflict, replaced_already, replacement_circular


def at(position, fact):
    """The fact at a log position, from a short form: "A" an event ("a" one of another name), "-A" a cancellation, "A>B" a
    replacement of A by B."""
    if fact.startswith("-"):
        target, _, name = fact[1:].partition(":")
        return Cancel(target, name or "call", position)
    target, replaced, identifier = fact.rpartition(">")
    event = Event(identifier, "call" if identifier.isupper() else "other", "c", 0, {}, position)
    return Replace(target, event) if replaced else event


def log(*facts):
    return [at(i, fact) for i, fact in enumerate(facts, start=1)]


def counted(facts, up_to=99):
    return "".join(event.identifier for event in effective(facts, up_to))


CASES = [
    ("nothing", [], ""),
    ("events count", ["A", "B"], "AB"),
    ("a duplicate counts once", ["A", "A", "B", "A"], "AB"),
    ("a cancelled event does not count", ["A", "B", "-A"], "B"),
    ("cancelling twice is cancelling once", ["A", "-A", "-A"], ""),
    ("a cancelled event sent again stays cancelled", ["A", "-A", "A"], ""),
    ("a cancellation waits for its event", ["-A", "A", "B"], "B"),
    ("a cancellation of what never comes does nothing", ["-Z", "A"], "A"),
    ("a cancellation under another event_name does nothing", ["A", "-A:other"], "A"),
    ("a cancellation states the event_name", ["a", "b", "-a:other", "-b"], "b"),
    ("a replacement counts in the stead of its target", ["A", "B", "A>C"], "BC"),
    ("a replacement counts before its target is known, alone after it", ["A>C", "A"], "C"),
    ("a chain of replacements", ["A", "A>B", "B>C"], "C"),
    ("a chain in any order", ["B>C", "A>B", "A"], "C"),
    ("a cancelled replacement does not bring its target back", ["A", "A>B", "-B"], ""),
    ("cancelling what was replaced changes nothing", ["A", "A>B", "-A"], "B"),
    ("a cancelled event can be replaced", ["A", "-A", "A>B"], "B"),
    ("a second replacement of a target brings nothing", ["A", "A>B", "A>C"], "B"),
    ("a replacement under a taken identifier has no effect", ["A", "B", "A>B"], "AB"),
    ("a circle is refused by its identifier", ["A", "A>B", "B>A"], "B"),
    ("a replacement that closes a circle brings nothing", ["A>B", "B>A"], "B"),
    ("whichever comes last", ["B>A", "A>B"], "A"),
    ("nor does one that closes a longer circle", ["A>B", "B>C", "C>A"], "C"),
    ("in any order", ["C>A", "A>B", "B>C"], "B"),
    ("nor one of itself", ["A>A", "B"], "B"),
    ("what closed no circle is brought later", ["A>B", "B>A", "A", "B>C"], "C"),
]


@pytest.mark.parametrize(("facts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_counts(facts, expected):
    assert counted(log(*facts)) == expected


def test_the_first_fact_under_an_identifier_is_the_event():
    assert [event.position for event in effective(log("A", "B", "A", "B>C", "C"), 99)] == [1, 4]


def test_what_was_known_at_a_position():
    facts = log("A", "B", "-A", "B>C", "C>D")
    assert [counted(facts, up_to) for up_to in range(6)] == ["", "A", "AB", "B", "C", "D"]


def test_every_event_has_one_fate():
    facts = log("A", "B", "C", "-A", "B>D", "-A", "E", "C>D")

    def judge(event):
        return SetAside("meter_unknown") if event.identifier == "E" else Metered(("m",))

    assert fates(facts, 99, judge) == {
        "A": Superseded("cancelled", 4),
        "B": Superseded("replaced", 5),
        "C": Metered(("m",)),
        "D": Metered(("m",)),
        "E": SetAside("meter_unknown"),
    }
    assert fates(facts, 4, judge)["B"] == Metered(("m",))
    assert "D" not in fates(facts, 4, judge)


names = st.sampled_from("ABCD")
replacements = st.tuples(names, names).map(">".join)
short = st.one_of(names, names.map("-{}".format), names.map("-{}:other".format), replacements)
logs = st.lists(short, max_size=12).map(lambda facts: log(*facts))


@given(facts=logs, up_to=st.integers(0, 13))
def test_fates_are_the_effective_events_and_the_superseded_ones(facts, up_to):
    fate = fates(facts, up_to, lambda event: Metered(()))
    known = {f.event.identifier if isinstance(f, Replace) else f.identifier for f in facts if position_of(f) <= up_to and not isinstance(f, Cancel)}
    events = effective(facts, up_to)
    assert set(fate) <= known
    assert {e.identifier for e in events} == {identifier for identifier, f in fate.items() if isinstance(f, Metered)}
    assert all(f.by <= up_to for f in fate.values() if isinstance(f, Superseded))
    assert [e.position for e in events] == sorted({e.position for e in events})


@given(facts=logs, up_to=st.integers(0, 13))
def test_facts_beyond_the_position_change_nothing(facts, up_to):
    assert effective(facts, up_to) == effective([f for f in facts if position_of(f) <= up_to], 99)


@st.composite
def consistent(draw):
    """Facts as a log admits them: each identifier once, each target replaced once, no circle."""
    facts, taken, replaced = [], set(), {}
    for fact in draw(st.lists(short, max_size=12)):
        if fact.startswith("-"):
            facts.append(fact)
            continue
        target, _, identifier = fact.rpartition(">")
        if identifier not in taken and (not target or (target not in replaced and target not in chain(replaced, identifier))):
            facts.append(fact)
            taken.add(identifier)
            if target:
                replaced[target] = identifier
    return facts


def chain(replaced, identifier):
    """An identifier, and what it was replaced by, one after the other."""
    found = [identifier]
    while found[-1] in replaced:
        found.append(replaced[found[-1]])
    return found


@given(facts=consistent(), data=st.data())
def test_the_order_of_arrival_does_not_matter_in_the_end(facts, data):
    shuffled = data.draw(st.permutations(facts))
    assert set(counted(log(*facts))) == set(counted(log(*shuffled)))


@given(facts=st.lists(replacements, max_size=12).map(lambda facts: log(*facts)))
def test_of_replacements_alone_something_always_counts(facts):
    """What the first of them brings, or what replaced that in the end: usage that was sent is never lost in a circle."""
    assert counted(facts) != "" or all(fact.target == fact.event.identifier for fact in facts)


@pytest.mark.parametrize(
    ("refusal", "code", "field"),
    [
        (identifier_conflict("A"), "identifier_conflict", "identifier"),
        (replaced_already("A", "B"), "event_replaced_already", "replace.identifier"),
        (replacement_circular("A", "B"), "replacement_circular", "event.identifier"),
        (cancel_names_other_event("A", "call", "other"), "cancel_names_other_event", "event_name"),
    ],
)
def test_refusals_of_the_log(refusal, code, field):
    assert (refusal.code, refusal.field) == (code, field)
    assert '"A"' in refusal.message
