"""Reading tiers, which several models share: bounds are inclusive, rise strictly from zero, and only the last has no end.

Between two bounds there is no gap: with bounds 10 and 20 the quantity 10.5 lies in the second tier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from farthing.core.base.exact import parse_number, positive, show
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import TIERS_AFTER_END, TIERS_EMPTY, TIERS_NO_END, TIERS_OVERLAP
from farthing.core.rating.models.form import ZERO
from farthing.core.rating.program import Curve, Segment


def tier_rows(reader: Reader, fields: Sequence[Field]) -> Iterator[tuple[Fraction | None, Reader]]:
    """The tiers of `reader`'s field "tiers", each with its upper bound (None: no end).

    Errors: field_missing, tiers_empty, tiers_overlap, tiers_after_end, tiers_no_end, number_not_positive.
    """
    if isinstance(reader.get("tiers"), (list, tuple)) and not reader.get("tiers"):
        raise Refusal(TIERS_EMPTY, "the list of tiers is empty.", reader.at("tiers"))
    rows = reader.objects("tiers", fields)
    lower = ZERO
    for i, row in enumerate(rows):
        upper, place, last = _upper(row), row.at("up_to"), i == len(rows) - 1
        if upper is None and not last:
            raise Refusal(TIERS_AFTER_END, f"tier {i + 1} of {len(rows)} has no end.", place)
        if upper is not None and last:
            raise Refusal(TIERS_NO_END, f"the last tier ends at {show(upper)}.", place)
        if upper is not None and upper <= lower and i > 0:
            raise Refusal(TIERS_OVERLAP, f"tier {i + 1} ends at {show(upper)}, the one before it at {show(lower)}.", place)
        yield upper, row
        lower = lower if upper is None else upper


def _upper(row: Reader) -> Fraction | None:
    place = row.at("up_to")
    if "up_to" not in row.values:
        raise Refusal(FIELD_MISSING, 'the tier does not say where it ends; write "inf" for the last.', place)
    raw = row.get("up_to")
    return None if raw is None or raw == "inf" else positive(parse_number(raw, place), place)


def unit_and_flat(reader: Reader, fields: Sequence[Field]) -> tuple[Segment, ...]:
    """The tiers as segments of unit and flat amounts; each tier gives at least one of the two (field_missing)."""
    return tuple(_segment(upper, row) for upper, row in tier_rows(reader, fields))


def _segment(upper: Fraction | None, row: Reader) -> Segment:
    unit, flat = row.amount_or_none("unit_amount"), row.amount_or_none("flat_amount")
    if unit is None and flat is None:
        raise Refusal(FIELD_MISSING, "the tier has neither a unit amount nor a flat amount.", row.at("unit_amount"))
    return Segment(upper, unit or ZERO, flat or ZERO)


def tier_curve(mode: str, segments: tuple[Segment, ...], flat_at_zero: bool = True) -> Curve:
    """The curve of tiers in one of the two modes, "graduated" or "volume"."""
    return Curve("volume" if mode == "volume" else "graduated", segments, flat_at_zero=flat_at_zero)
