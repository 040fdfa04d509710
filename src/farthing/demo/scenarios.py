"""The two scenarios of the demo: real events, and the catalogue document that bills them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from farthing.demo import llm, payments

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Events, how many they are, the catalogue they are billed by, and the instant (RFC 3339) up to which they are billed."""

    name: str
    title: str
    events: Callable[[], Iterator[Mapping[str, Any]]]
    size: int
    catalogue: Document
    until: str


def _llm_catalogue() -> Document:
    return {
        "customers": [{"id": customer} for customer in llm.CUSTOMERS.values()],
        "meters": [_token_meter("input"), _token_meter("output")],
        "prices": [_token_price("input", "0.00025"), _token_price("output", "0.001")],
        "contracts": [_llm_contract(customer) for customer in llm.CUSTOMERS.values()],
    }


def _token_meter(direction: str) -> Document:
    return {
        "id": f"llm-{direction}-tokens",
        "event_name": "llm_request",
        "display_name": f"{direction} tokens",
        "default_aggregation": {"formula": "sum"},
        "value_settings": {"event_payload_key": f"{direction}_tokens"},
    }


def _token_price(direction: str, cents: str) -> Document:
    """gpt-4o's list price: 2.50 USD a million input tokens, 10 USD a million output tokens, in cents a token."""
    price = {"id": f"gpt-4o-{direction}-2024-08-06", "currency": "usd", "billing_scheme": "per_unit", "unit_amount_decimal": cents}
    return {"lineage": f"gpt-4o-{direction}", "price": price}


def _llm_contract(customer: str) -> Document:
    return {
        "id": f"{customer}-2023",
        "customer": customer,
        "currency": "usd",
        "starts_at": "2023-11-16T18:15:00Z",
        "ends_at": "2023-11-16T19:15:00Z",
        "billing": {"interval": "day", "interval_count": 1, "anchor": "2023-11-16T00:00:00", "time_zone": "UTC"},
        "items": [
            {"id": direction, "description": f"gpt-4o {direction} tokens", "price": f"gpt-4o-{direction}", "meter": f"llm-{direction}-tokens"}
            for direction in ("input", "output")
        ],
    }


def _fees_catalogue() -> Document:
    return {
        "customers": [{"id": "online-retail"}],
        "meters": [{"id": "payments", "event_name": "payment", "display_name": "payments", "default_aggregation": {"formula": "count"}}],
        "prices": [{"lineage": "card-processing", "price": _fee_price()}],
        "contracts": [
            {
                "id": "online-retail-2010",
                "customer": "online-retail",
                "currency": "gbp",
                "starts_at": "2010-12-01T00:00:00Z",
                "ends_at": "2012-01-01T00:00:00Z",
                "billing": {"interval": "month", "interval_count": 1, "anchor": "2010-12-01T00:00:00", "time_zone": "Europe/London"},
                "items": [{"id": "card-processing", "description": "Card processing", "price": "card-processing", "meter": "payments"}],
            }
        ],
    }


def _fee_price() -> Document:
    rules = []
    for label, countries, percent, fixed_pence in payments.FEE_CLASSES:
        rule: dict[str, Any] = {"label": label, "fees": [{"percent": percent, "fixed_amount": fixed_pence}]}
        if countries is not None:
            rule["when"] = [{"property": "country", "in": list(countries)}]
        rules.append(rule)
    card = {"rules": rules, "value": "value", "value_in": "minor", "round_per": "event", "line_per_cell": True}
    return {"id": "card-processing-2010", "currency": "gbp", "ext": {"rate_card": card}}


SCENARIOS = (
    Scenario("llm", "An hour of two LLM services", llm.events, 28_185, _llm_catalogue(), "2023-11-16T19:15:00Z"),
    Scenario("fees", "Thirteen months of card processing fees", payments.events, 19_959, _fees_catalogue(), "2012-01-01T00:00:00Z"),
)
