"""Tax rates: a percentage, and whether prices contain it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from farthing.app.catalogue.kinds import TAX_RATE
from farthing.app.catalogue.refusals import COUNTRY_UNKNOWN, PERCENTAGE_OUT_OF_RANGE
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal


def create_tax_rate(desk: Desk, params: Mapping[str, Any]) -> Row:
    """Make a tax rate. What it comes to never changes: another percentage is another rate.

    Errors: percentage_out_of_range (0 to 100), country_unknown."""
    percentage = params["percentage"]
    if not 0 <= percentage <= 100:
        raise Refusal(PERCENTAGE_OUT_OF_RANGE, f"{percentage} is not from 0 to 100.", "percentage")
    document = {
        "active": params.get("active", True),
        "country": _country(params),
        "description": params.get("description"),
        "display_name": params["display_name"],
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": params["inclusive"],
        "jurisdiction": params.get("jurisdiction"),
        "jurisdiction_level": None,
        "metadata": plain.merged_metadata({}, params.get("metadata")),
        "percentage": percentage,
        "rate_type": "percentage",
        "state": params.get("state"),
        "tax_type": params.get("tax_type"),
    }
    return plain.create(desk, TAX_RATE, document)


def update_tax_rate(desk: Desk, id_: str, params: Mapping[str, Any]) -> Row:
    """Change what a tax rate is called, or whether it can be used anew. Errors: resource_missing, country_unknown."""
    changes = dict(params)
    if "country" in changes:
        changes["country"] = _country(changes)
    return plain.update(desk, TAX_RATE, id_, changes)


def _country(params: Mapping[str, Any]) -> str | None:
    country: str | None = params.get("country")
    if country is not None and re.fullmatch(r"[A-Za-z]{2}", country, re.ASCII) is None:
        raise Refusal(COUNTRY_UNKNOWN, f"{shown(country)} is not a country.", "country")
    return None if country is None else country.upper()
