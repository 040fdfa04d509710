"""A trace survives the way into its document and back, and its document has a canonical form."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.canonical import canonical_json
from farthing.core.base.rounding import RoundingMode
from farthing.core.rating.program import Include, RoundUnits, Scale
from farthing.core.rating.trace import CellTrace, ComponentTrace, FeesTrace, Rated, SegmentTrace, StepTrace
from farthing.core.rating.trace_json import rated_document, read_rated
from farthing.core.usage.meter import Aggregation, Usage

exact = st.fractions() | st.integers(-(10**30), 10**30).map(Fraction) | st.decimals(allow_nan=False, allow_infinity=False, places=9).map(Fraction)
count = st.integers(0, 10**12)
label = st.text(st.characters(codec="utf-8"), max_size=8)
modes = st.sampled_from(RoundingMode)
usage = st.builds(
    Usage,
    aggregation=st.sampled_from(Aggregation),
    quantity=exact,
    events=count,
    set_aside=count,
    first=count,
    last=count,
    details=st.lists(st.tuples(label, exact), max_size=3).map(tuple),
)
steps = st.one_of(exact.map(Scale), modes.map(RoundUnits), exact.map(Include))
segments = st.builds(SegmentTrace, index=st.integers(0, 99), lower=exact, upper=st.none() | exact, units=exact, unit=exact, flat=exact, amount=exact)
components = st.builds(ComponentTrace, label=label, events=count, base=exact, amount=exact)
fees = st.builds(
    FeesTrace,
    events=count,
    free=count,
    components=st.lists(components, max_size=3).map(tuple),
    raised=exact,
    capped=exact,
    rounded=exact,
    total=exact,
)
cells = st.builds(
    CellTrace,
    label=label,
    usage=usage,
    steps=st.lists(st.builds(StepTrace, step=steps, before=exact, after=exact), max_size=3).map(tuple),
    segments=st.lists(segments, max_size=3).map(tuple),
    fees=st.none() | fees,
    exact=exact,
)
rated_lines = st.builds(
    Rated,
    label=label,
    currency=st.sampled_from(["usd", "jpy"]),
    cells=st.lists(cells, max_size=3).map(tuple),
    subtotal=exact,
    bound=st.sampled_from([None, "minimum", "maximum"]),
    exact=exact,
    rounding=modes,
    amount=st.integers(-(10**18), 10**18),
    unmatched=count,
)


@given(rated_lines)
def test_round_trip(rated: Rated) -> None:
    document = rated_document(rated)
    assert read_rated(document) == rated
    canonical_json(document)  # raises on a number that is not an int


def test_an_unknown_step_is_not_read() -> None:
    rated = Rated("", "usd", (CellTrace("", Usage(Aggregation.SUM, Fraction(1), 1), (StepTrace(Scale(Fraction(1)), Fraction(1), Fraction(1)),)),),
                  Fraction(0), None, Fraction(0), RoundingMode.UP, 0)  # fmt: skip
    document = rated_document(rated)
    document["cells"][0]["steps"][0]["step"] = "square"
    with pytest.raises(ValueError, match="square"):
        read_rated(document)
