"""Bitemporal timelines: later-known versions over earlier-known ones, as known at any revision."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.time import Interval
from farthing.core.base.timeline import ALL_TIME, BEGINNING, FOREVER, Span, Version, overlay, within


def spans(*versions, known=99):
    resolved = overlay([Version(Interval(start, end), revision, value) for start, end, revision, value in versions], known)
    return [(span.interval.start, span.interval.end, span.value) for span in resolved]


def test_a_later_known_version_leaves_the_earlier_what_lies_on_either_side():
    assert spans((0, 100, 1, "a"), (40, 60, 2, "b")) == [(0, 40, "a"), (40, 60, "b"), (60, 100, "a")]
    assert spans((40, 60, 1, "a"), (0, 100, 2, "b")) == [(0, 100, "b")]
    assert spans((0, 50, 1, "a"), (50, 100, 2, "b")) == [(0, 50, "a"), (50, 100, "b")]


def test_what_was_known_earlier_stays_recoverable():
    versions = ((0, 100, 1, "a"), (40, 60, 2, "b"))
    assert spans(*versions, known=1) == [(0, 100, "a")]
    assert spans(*versions, known=0) == []


def test_neighbours_with_the_same_value_stay_apart():
    assert spans((0, 10, 1, "a"), (10, 20, 1, "a")) == [(0, 10, "a"), (10, 20, "a")]


def test_gaps_stay_gaps():
    assert spans((0, 10, 1, "a"), (20, 30, 1, "b")) == [(0, 10, "a"), (20, 30, "b")]


def test_all_time_is_the_years_1_to_9999():
    assert (ALL_TIME.start, ALL_TIME.end) == (BEGINNING, FOREVER)


def test_within_clips_and_drops():
    found = within([Span(Interval(0, 10), "a"), Span(Interval(10, 20), "b"), Span(Interval(30, 40), "c")], Interval(5, 30))
    assert found == (Span(Interval(5, 10), "a"), Span(Interval(10, 20), "b"))


versions = st.lists(
    st.builds(
        lambda start, length, revision: Version(Interval(start, start + length), revision, (start, length, revision)),
        st.integers(0, 30),
        st.integers(1, 15),
        st.integers(1, 6),
    ),
    max_size=8,
    unique_by=lambda version: version.revision,
)


@given(versions, st.integers(0, 7))
def test_at_every_instant_the_latest_known_version_that_covers_it_holds(given_versions, known):
    resolved = overlay(given_versions, known)
    assert all(low.interval.end <= high.interval.start for low, high in pairwise(resolved))
    for instant in range(0, 46):
        covering = [v for v in given_versions if v.revision <= known and instant in v.effective]
        expected = max(covering, key=lambda v: v.revision).value if covering else None
        assert next((span.value for span in resolved if instant in span.interval), None) == expected


@given(versions, st.randoms(use_true_random=False))
def test_the_order_in_which_versions_are_given_changes_nothing(given_versions, random):
    assert overlay(random.sample(given_versions, len(given_versions)), 9) == overlay(given_versions, 9)
