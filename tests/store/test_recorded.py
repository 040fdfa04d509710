"""What the log says of single events that it took, over both stores."""

from __future__ import annotations

from dataclasses import replace

from farthing.app.store import RecordedEvent, Store
from farthing.core.events.event import Cancel, Replace
from farthing.testing.builders import event

AT = 1_767_225_600_123_456


def test_an_event_is_found_as_it_was_taken_with_the_time_at_which_it_came(store: Store) -> None:
    store.append([event("a", 3), event("b\\\t'")], AT)
    store.append([event("c")], AT + 1)
    found = store.recorded(["b\\\t'", "c", "never", "c"])
    assert found == {
        "b\\\t'": RecordedEvent(replace(event("b\\\t'"), position=2), AT),
        "c": RecordedEvent(replace(event("c"), position=3), AT + 1),
    }
    assert store.recorded([]) == {}


def test_one_sent_again_keeps_the_time_at_which_it_came_first(store: Store) -> None:
    store.append([event("a")], AT)
    assert store.append([event("a"), event("b")], AT + 5).duplicates == 1
    assert [one.recorded_at for one in store.recorded(["a", "b"]).values()] in ([AT, AT + 5], [AT + 5, AT])


def test_a_cancelled_event_is_found_and_a_replacement_is_not(store: Store) -> None:
    store.append([event("a"), Cancel("a", "call"), event("b"), Replace("b", event("c"))], AT)
    assert sorted(store.recorded(["a", "b", "c"])) == ["a", "b"]
