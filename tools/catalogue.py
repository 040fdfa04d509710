"""The tables of docs/catalogue.md, made from the fields that the parsers declare."""

from __future__ import annotations

from dataclasses import replace

from farthing.app.apply import CUSTOMER_FIELDS, GRANT_FIELDS, PRICE_FIELDS
from farthing.core.catalog.fields import Field
from farthing.core.contract.amend import AMENDMENT_FIELDS
from farthing.core.contract.parse import CONTRACT_FIELDS
from farthing.core.rating.models.documentation import field_table

BEGIN = "<!-- generated from the fields that the parsers declare: change them, not this part -->"
END = "<!-- end of the generated part -->"
TABLES = {
    "customers": CUSTOMER_FIELDS,
    "prices": PRICE_FIELDS,
    "contracts": tuple(replace(field, fields=()) if field.name == "term" else field for field in CONTRACT_FIELDS),
    "amendments": tuple(replace(field, fields=()) for field in AMENDMENT_FIELDS),
    "grants": GRANT_FIELDS,
}


def page(current: str) -> str:
    """The whole page with its tables made anew; `current` is the page as it is, with both markers."""
    before, _, rest = current.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """Markdown of the generated part, without its markers."""
    return "\n".join(_section(name, fields) for name, fields in TABLES.items())


def _section(name: str, fields: tuple[Field, ...]) -> str:
    return f"### Fields of {name}\n\n{field_table(fields)}\n"
