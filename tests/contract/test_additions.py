"""What a contract given again adds: the versions behind what both have in common, where the two histories go apart too."""

from __future__ import annotations

from fractions import Fraction

import pytest

from farthing.core.base.time import Interval
from farthing.core.base.timeline import Version
from farthing.core.contract.contract import Agreement, Item, additions

Versions = list[Version[Agreement]]


def said(quantity: int, start: int = 0, revision: int = 0) -> Version[Agreement]:
    return Version(Interval(start, 100), revision, Agreement((Item("seats", "Seats", "seats", quantity=Fraction(quantity)),)))


ONE, TWO, THREE, FOUR = said(1, revision=1), said(2, revision=2), said(3), said(4)

ROWS = [
    # on record, given, added
    ([], [ONE], [ONE]),
    ([ONE, TWO], [said(1), said(2)], []),  # the same by what they say, whatever their revisions
    ([ONE, TWO], [ONE, TWO, THREE], [THREE]),
    ([ONE, TWO], [ONE], []),  # an earlier state adds nothing
    ([ONE, TWO], [ONE, THREE], [THREE]),  # they go apart: behind the common beginning all is new, however long the record is
    ([ONE, TWO], [ONE, THREE, FOUR], [THREE, FOUR]),
    ([ONE, TWO, THREE], [ONE, FOUR], [FOUR]),
    ([ONE, TWO, THREE], [ONE, FOUR, THREE], [FOUR, THREE]),  # once apart they stay so
    ([ONE, TWO], [THREE, FOUR], [THREE, FOUR]),
    ([ONE, TWO], [ONE, TWO, said(1)], [said(1)]),  # back to what held before another came between
    ([ONE], [said(1, start=10)], [said(1, start=10)]),  # another span
]


@pytest.mark.parametrize(("known", "given", "added"), ROWS)
def test_what_lies_behind_the_common_beginning_is_added(
    known: list[Version[Agreement]], given: list[Version[Agreement]], added: list[Version[Agreement]]
) -> None:
    assert list(additions(known, given)) == added
