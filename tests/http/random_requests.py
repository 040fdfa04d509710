"""Requests drawn from the wire contract, and an account to send them to in this process, with one of each resource made before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

from http_service import Clock
from hypothesis import strategies as st

from farthing.edges.http.pool import Stores
from farthing.edges.http.resources import register
from farthing.edges.http.routes import ROUTES
from farthing.edges.http.service import Reply, Request, Service
from farthing.edges.http.wire import contract
from farthing.edges.http.wire.contract import Operation, Shape
from farthing.edges.psp.simulated import SimulatedProcessor

KEY = "sk_test_" + "r" * 24
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
DEEPEST = 5
HOSTILE = (
    *("", "0", "-1", "1.5", "true", "null", "usd", "NaN", "1e400", "9" * 30, "-9223372036854775808", "9223372036854775807", "1767225600"),
    *("9214646399", "x" * 301, "x" * 5001, "é\u2028\u202e", "\x7f", " ", "[", "]", "a[b]", "%00", "'; drop table resources; --", "../../x"),
    *("2026-01-01T00:00:00Z", "data.customer", "{}", "[]", "\U0001f9fe", 'name:"x" OR -name~"y"'),
)
"""Texts that are rarely what a parameter is meant to be."""
TEXTS: Mapping[str, tuple[str, ...]] = {
    "query": ('name~"a"', 'created>0 AND metadata["k"]:"v"', "status:null", '-active:"true"', 'currency:"usd" OR currency:"eur"'),
    "type": ("card", "eu_vat", "product.*", "invoice.paid"),
    "event_name": ("calls",),
    "page": ("next", "0"),
    "url": ("https://hooks.example/in", "http://127.0.0.1/in", "ftp://x"),
    "enabled_events": ("*", "invoice.paid"),
    "email": ("a@b.example", "@"),
    "token": ("tok_visa",),
    "number": ("4242424242424242", "4000000000000002", "4000002500003155"),
    "payment_method": ("pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"),
    "country": ("DE", "US", "xx"),
    "value": ("12", "DE123456789"),
    "identifier": ("call 1", "call 2", "call 3"),
    "promotion_code": ("SPRING",),
    "customer_id": ("cus_1",),
}
"""What a parameter of a name often holds."""
KIND_OF = {
    **dict.fromkeys(("customer", "stripe_customer_id", "customer_id"), "customer"),
    **dict.fromkeys(("payment_intent", "intent"), "payment_intent"),
    **dict.fromkeys(("default_tax_rates", "tax_rates"), "tax_rate"),
    **dict.fromkeys(("subscription", "subscription_exposed_id"), "subscription"),
    "charge": "charge",
    "coupon": "coupon",
    "discount": "discount",
    "default_payment_method": "payment_method",
    "default_price": "price",
    "invoice": "invoice",
    "item": "subscription_item",
    "meter": "billing.meter",
    "payment_method": "payment_method",
    "price": "price",
    "product": "product",
    "promotion_code": "promotion_code",
    "test_clock": "test_helpers.test_clock",
    "transaction": "customer_balance_transaction",
}
"""Parameter → the resource whose id it holds."""
_OF_PATH = {"tax_ids": "tax_id", "setup_intents": "setup_intent", "meters": "billing.meter", "products": "product", "events": "event"}


@dataclass
class Account:
    """An account of a service in this process. `known` are ids that answers named, by the object that they stand for."""

    stores: Stores
    clock: Clock
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    known: dict[str, list[str]] = field(default_factory=dict)
    key: str = KEY

    def __post_init__(self) -> None:
        register()
        self.service = Service(self.clock, self.new_id, processor=SimulatedProcessor("http://127.0.0.1"))

    def new_id(self, prefix: str) -> str:
        """Ids that are the same in each run."""
        return f"{prefix}_{next(self.numbers):08d}" if prefix else f"{next(self.numbers):08d}"

    def send(self, one: Drawn, key: str | None = None) -> Reply:
        """The answer to a request; ids in it are noted."""
        headers = {"authorization": f"Bearer {self.key}", **({} if key is None else {"idempotency-key": key})}
        in_query = one.method in ("GET", "DELETE")
        encoded = urlencode(one.form).encode() if one.document is None else json.dumps(one.document).encode()
        if not in_query:
            headers["content-type"] = FORM if one.document is None else JSON
        query, body = (encoded, b"") if in_query else (b"", encoded)
        reply = self.service.answer(self.stores, Request(self.new_id("req"), one.method, one.path, query, headers, body))
        if reply.status == 200:
            self._note(json.loads(reply.body))
        return reply

    def made(self, path: str, form: Mapping[str, Any]) -> Any:
        """A resource that has to come about."""
        reply = self.send(Drawn("POST", path, list(form.items())))
        assert reply.status == 200, (path, reply.body)
        return json.loads(reply.body)

    def _note(self, value: Any) -> None:
        if isinstance(value, Mapping):
            id_, named = value.get("id"), value.get("object")
            if isinstance(id_, str) and isinstance(named, str):
                ids = self.known.setdefault(named, [])
                if id_ not in ids:
                    ids.append(id_)
            for inner in value.values():
                self._note(inner)
        elif isinstance(value, list):
            for inner in value:
                self._note(inner)


@dataclass(frozen=True)
class Drawn:
    """A request that was drawn: a form, or a JSON document."""

    method: str
    path: str
    form: list[tuple[str, str]]
    document: Any = None

    @property
    def operation(self) -> Operation | None:
        """The operation that it asks for, if there is one."""
        found = contract.match(self.method, self.path)
        return None if found is None else found[0]


def furnished(account: Account) -> Account:
    """The account with one of each resource, and an invoice in each state."""
    product = account.made("/v1/products", {"name": "Calls"})["id"]
    meter = account.made("/v1/billing/meters", {"display_name": "Calls", "event_name": "calls", "default_aggregation[formula]": "sum"})["id"]
    monthly = {"currency": "usd", "product": product, "recurring[interval]": "month"}
    seat = account.made("/v1/prices", {**monthly, "unit_amount": "1000", "lookup_key": "seat"})["id"]
    account.made("/v1/prices", {"currency": "usd", "product": product, "unit_amount": "700"})
    metered = {**monthly, "recurring[usage_type]": "metered", "recurring[meter]": meter, "unit_amount_decimal": "0.5"}
    call = account.made("/v1/prices", metered)["id"]
    coupon = account.made("/v1/coupons", {"percent_off": "25", "duration": "once"})["id"]
    account.made("/v1/promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon, "code": "SPRING"})
    rate = account.made("/v1/tax_rates", {"display_name": "VAT", "inclusive": "false", "percentage": "19"})["id"]
    customer = account.made("/v1/customers", {"name": "Acme", "email": "pay@acme.example"})["id"]
    account.made(f"/v1/customers/{customer}/tax_ids", {"type": "eu_vat", "value": "DE123456789"})
    account.made(f"/v1/customers/{customer}/balance_transactions", {"amount": "-500", "currency": "usd"})
    method = account.made("/v1/payment_methods/pm_card_visa/attach", {"customer": customer})["id"]
    account.made(f"/v1/customers/{customer}", {"invoice_settings[default_payment_method]": method})
    items = {"items[0][price]": seat, "items[0][quantity]": "2", "items[1][price]": call, "default_tax_rates[0]": rate}
    account.made("/v1/subscriptions", {"customer": customer, **items, "discounts[0][coupon]": coupon})
    usage = {"event_name": "calls", "payload[stripe_customer_id]": customer, "payload[value]": "100"}
    account.made("/v1/billing/meter_events", {**usage, "identifier": "call 1"})
    clock = account.made("/v1/test_helpers/test_clocks", {"frozen_time": "1767225600"})["id"]
    account.made("/v1/customers", {"name": "Timeless", "test_clock": clock})
    for step in ("", "finalize", "void"):
        account.made("/v1/invoiceitems", {"customer": customer, "currency": "usd", "amount": "4000"})
        invoice = account.made("/v1/invoices", {"customer": customer, "pending_invoice_items_behavior": "include"})["id"]
        if step:
            account.made(f"/v1/invoices/{invoice}/finalize", {"auto_advance": "false"})
        if step == "void":
            account.made(f"/v1/invoices/{invoice}/void", {})
    account.made("/v1/invoiceitems", {"customer": customer, "currency": "usd", "amount": "300"})
    paid = {"amount": "2000", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true", "return_url": "https://a.example"}
    intent = account.made("/v1/payment_intents", paid)["id"]
    account.made("/v1/refunds", {"payment_intent": intent, "amount": "100"})
    account.made("/v1/payment_intents", {**paid, "capture_method": "manual"})
    account.made("/v1/payment_intents", {"amount": "2000", "currency": "usd", "payment_method": "pm_card_visa"})
    account.made("/v1/payment_intents", {**paid, "payment_method": "pm_card_authenticationRequired"})
    pending = account.made("/v1/payment_intents", {**paid, "payment_method": "pm_card_pendingRefund"})["id"]
    account.made("/v1/refunds", {"payment_intent": pending})
    account.made("/v1/setup_intents", {"customer": customer, "payment_method": method})
    account.made("/v1/webhook_endpoints", {"url": "https://hooks.example/in", "enabled_events[0]": "*"})
    for collection in ("events", "balance_transactions", "invoice_payments"):
        account.send(Drawn("GET", f"/v1/{collection}", []))
    return account


Taken = Mapping[str, Any] | None
"""The parameters that a route takes, as a tree; None: all."""
USUAL = ("customer", "items", "price", "type", "card")
"""Parameters that most requests have where an operation takes them."""


class Draws:
    """Draws one request after the other for an account, from what Hypothesis gives."""

    def __init__(self, data: st.DataObject, account: Account) -> None:
        self._data, self._account = data, account
        self._served = sorted(ROUTES)
        every = [(one.method, one.path) for one in contract.operations()]
        self._unserved = sorted(key for key in every if key not in ROUTES)

    def one_in(self, often: int) -> bool:
        """True once in a while."""
        return bool(self.of(range(often)) == often - 1)

    def of(self, choices: Any) -> Any:
        """One of the choices; the first is the simplest."""
        return self._data.draw(st.sampled_from(choices))

    def some(self, choices: Any, most: int) -> list[Any]:
        """Some of the choices, each once."""
        return self._data.draw(st.lists(st.sampled_from(choices), max_size=most, unique=True)) if choices else []

    def request(self) -> Drawn:
        """A request: nearly always to an operation that is served."""
        method, template = self.of(self._unserved if self.one_in(15) else self._served)
        operation = contract.operation(method, template)
        assert operation is not None
        path = "/".join(self._segment(template, part) if part.startswith("{") else part for part in template.split("/"))
        if self.one_in(40):
            method = self.of(("GET", "POST", "DELETE", "PUT"))
        route = ROUTES.get((operation.method, operation.path))
        sent = self._object(operation.params, 0, None if route is None else route.taken)
        if self.one_in(15):
            sent[self.of(("unknown", "expand", "metadata", "limit", "customer", "items", "a b"))] = self._wrong()
        if operation.json:
            return Drawn(method, path, [], sent if not self.one_in(25) else self.of(([], None, "text", 1, [sent], {"a": {"b": [{}] * 20}})))
        return Drawn(method, path, list(self._fields(sent, "")))

    def _segment(self, template: str, part: str) -> str:
        if self.one_in(12):
            return quote(str(self.of(HOSTILE)) or "x", safe="")
        name = part[1:-1]
        before = template.split(part)[0].rstrip("/").rpartition("/")[2]
        kind = _OF_PATH.get(before) or KIND_OF.get(name, name)
        return quote(self._id(kind), safe="")

    def _id(self, kind: str) -> str:
        known = self._account.known
        return str(self.of(known[self.of(sorted(known))] if self.one_in(12) or kind not in known else known[kind][-8:]))

    def _object(self, shape: Shape, depth: int, taken: Taken) -> dict[str, Any]:
        """Some fields of an object: those that are required, nearly always, and a few others, most of which are served."""
        required = [name for name in shape.required if not self.one_in(30)]
        optional = [name for name in shape.fields if name not in shape.required]
        served = optional if taken is None or self.one_in(12) else [name for name in optional if name in taken or "*" in taken]
        chosen = self.some([name for name in served if name != "expand" or self.one_in(4)], 4 if depth == 0 else 2)
        usual = [name for name in USUAL if name in served and name not in chosen and not self.one_in(8)]
        below = {} if taken is None else taken
        return {name: self._value(shape.fields[name], name, depth, below.get(name, below.get("*"))) for name in (*required, *usual, *chosen)}

    def _value(self, shape: Shape, name: str, depth: int, taken: Taken) -> Any:
        if self.one_in(25):
            return self._wrong()
        within = None if taken is None else taken.get("*")
        match shape.kind:
            case "union":
                return self._value(self.of(shape.options), name, depth, taken)
            case "object" | "map" | "list" if depth >= DEEPEST:
                return self.of(HOSTILE)
            case "object":
                return self._object(shape, depth + 1, taken)
            case "map":
                assert shape.inner is not None
                paid = name == "payload" and not self.one_in(8)
                keys = ["stripe_customer_id", "value"] if paid else self.some(["k", "usd", "eur", "value", "a b"], 3)
                return {key: self._value(shape.inner, key, depth + 1, within) for key in keys}
            case "list":
                assert shape.inner is not None
                return [self._value(shape.inner, name, depth + 1, within) for _ in range(self.of((1, 0, 2)))]
            case "document":
                return self.of(('{"model": "flat"}', {"model": "graduated", "tiers": {"0": {"up_to": "inf"}}}, "{", "[]", "{}", '{"a": 1e999}'))
        return self._scalar(shape, name)

    def _scalar(self, shape: Shape, name: str) -> str:
        if self.one_in(15):
            return str(self.of(HOSTILE))
        now = self._account.clock() // 1_000_000
        match shape.kind:
            case "choice":
                return str(self.of(shape.choices or ("x",)))
            case "currency":
                return str(self.of(("usd", "usd", "EUR", "jpy", "xxx")))
            case "integer" if name == "limit":
                return str(self.of((1, 3, 100)))
            case "integer":
                return str(self.of((0, 1, 2, 10, 99, 100, 2500, 12, 365, -1, 2**31, 10**12)))
            case "timestamp":
                return str(now + self.of((0, 1, -1, 3600, -86_400, 86_400, 45 * 86_400, -45 * 86_400, 400 * 86_400, 10**9, -now)))
            case "instant":
                return str(self.of(("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001+01:00", "1969-12-31T23:59:59Z")))
            case "decimal":
                return str(self.of(("0", "1", "12.5", "0.000000000001", "100", "100.01", "-3", "1000000000000")))
            case "boolean":
                return str(self.of(("true", "false")))
            case "empty":
                return ""
        return self._text(name)

    def _text(self, name: str) -> str:
        kind = KIND_OF.get(name)
        if kind is None and name in ("id", "starting_after", "ending_before"):
            kind = str(self.of(sorted(self._account.known)))
        if name == "expand":
            return str(self.of(("customer", "data.customer", "latest_invoice.subscription", "default_price", "data.lines")))
        if kind is not None and not (name in TEXTS and self.one_in(3)):
            return self._id(kind)
        return str(self.of(TEXTS[name] if name in TEXTS and not self.one_in(8) else ("some text", "a", "SPRING")))

    def _wrong(self) -> Any:
        return self.of((*HOSTILE, {}, [], {"a": "b"}, {"0": {"price": "x"}}, {"7": "x"}, ["x"], [["x"]], {"a": {"b": {"c": {"d": "e"}}}}, {"": "x"}))

    def _fields(self, value: Any, place: str) -> Iterator[tuple[str, str]]:
        """Nested values as fields of a form; lists with indexes, or without."""
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from self._fields(inner, f"{place}[{name}]" if place else str(name))
        elif isinstance(value, list):
            indexed = not self.one_in(3)
            for at, inner in enumerate(value):
                yield from self._fields(inner, f"{place}[{at if indexed else ''}]")
        else:
            yield place, str(value)
