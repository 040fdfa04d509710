"""A small catalogue and a customer on a test clock, for tests of billing over the wire; and invoices written out as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import stripe
from http_service import Api

_numbers = count(1)


def at(text: str) -> int:
    """A UTC date, with or without a clock, in seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def day(second: int) -> str:
    """An instant as scenarios write it: the UTC date, and its clock where it is not midnight."""
    moment = datetime.fromtimestamp(second, UTC)
    return moment.date().isoformat() if second % 86_400 == 0 else moment.strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")


class Shop:
    """What is sold, and a customer who lives by a test clock that begins at `start`."""

    def __init__(self, api: Api, start: str, payment_method: str | None = "pm_card_visa") -> None:
        self.api, self.v1 = api, api.stripe.v1
        self.clock = self.v1.test_helpers.test_clocks.create({"frozen_time": at(start)}).id
        self.customer = self.v1.customers.create({"name": "Acme", "email": "pay@acme.example", "test_clock": self.clock}).id
        if payment_method is not None:
            self.pays_with(payment_method)
        self._prices: dict[str, stripe.Price] = {}

    def pays_with(self, payment_method: str) -> str:
        """Make a payment method the customer's default; its id."""
        method = self.v1.payment_methods.attach(payment_method, {"customer": self.customer})
        self.v1.customers.update(self.customer, {"invoice_settings": {"default_payment_method": method.id}})
        return method.id

    def price(self, name: str, interval: str = "month", **more: Any) -> str:
        """A price of a product of its own."""
        product = self.v1.products.create({"name": name}).id
        recurring = {"interval": interval, **more.pop("recurring", {})}
        made = self.v1.prices.create({"currency": "usd", "product": product, "recurring": recurring, **more})
        return made.id

    def metered(self, name: str, event_name: str, **more: Any) -> str:
        """A metered price, with a meter of its own that sums the event's value."""
        sent: Any = {"display_name": name, "event_name": event_name, "default_aggregation": {"formula": "sum"}}
        meter = self.v1.billing.meters.create(sent).id
        return self.price(name, recurring={"usage_type": "metered", "meter": meter}, **more)

    def uses(self, event_name: str, value: int, when: str, identifier: str | None = None) -> None:
        """Report usage."""
        payload = {"stripe_customer_id": self.customer, "value": str(value)}
        identifier = identifier or f"event {next(_numbers)}"
        self.v1.billing.meter_events.create({"event_name": event_name, "identifier": identifier, "payload": payload, "timestamp": at(when)})

    def until(self, when: str) -> None:
        """Advance the clock, and everything that lives by it."""
        self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": at(when)})
        self.api.work()
        clock = self.v1.test_helpers.test_clocks.retrieve(self.clock)
        assert clock.status == "ready", clock

    def subscribe(self, *items: Mapping[str, Any], **more: Any) -> stripe.Subscription:
        """A subscription of the customer."""
        sent: Any = {"customer": self.customer, "items": list(items), **more}
        return self.v1.subscriptions.create(sent)

    def invoices(self) -> list[stripe.Invoice]:
        """All invoices of the customer, oldest first."""
        return list(reversed(list(self.v1.invoices.list({"customer": self.customer, "limit": 100}).auto_paging_iter())))

    def written(self) -> str:
        """All invoices of the customer as text."""
        return "\n".join(line for invoice in self.invoices() for line in lines(invoice))


def lines(invoice: stripe.Invoice) -> Iterator[str]:
    """An invoice as text: what it is, its lines, its sums where they are not the total."""
    yield f"{invoice.status} {invoice.billing_reason} {day(invoice.period_start)} to {day(invoice.period_end)}"
    for line in invoice.lines.data:
        taxes = "".join(f" | tax {tax.amount} on {tax.taxable_amount}" for tax in line.taxes or [])
        discounts = "".join(f" | discount {one.amount}" for one in line.discount_amounts or [])
        quantity = line.quantity_decimal
        yield f"  {line.description} | {quantity} | {line.amount} | {day(line.period.start)} to {day(line.period.end)}{discounts}{taxes}"
    balance = invoice.starting_balance
    yield f"  total {invoice.total}" + (f" | balance {balance} | due {invoice.amount_due}" if balance else "")
