"""What Farthing's resources have beyond the wire contract: parameters of its operations, and fields of its answers; one table for all stages.
Each has a name that the contract does not use: clients that do not know it never send it, and overlook it in answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PARAMETERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("POST", "/v1/billing/meters"): ("ext",),
    ("POST", "/v1/prices"): ("ext",),
}
"""Operation → parameters that it takes besides those of the contract. Each is a document: an object in brackets, or JSON as one text."""

FIELDS: Mapping[str, Mapping[str, Any]] = {
    "billing.meter": {"ext": {"type": "object"}},
    "price": {"ext": {"type": "object"}},
}
"""Schema → fields that its resource may have besides those of the contract, with their schemas."""
