"""Random lives of subscriptions over a store in memory: what is done to them, and what must hold whatever was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from farthing.app.bill import CORRECTIONS, compute, open_books
from farthing.app.billing.collect import change_subscription, subscribe
from farthing.app.billing.drafts import clerk_of, read_bill
from farthing.app.billing.invoice_items import create_invoice_item
from farthing.app.billing.invoices import current, finalize, void
from farthing.app.billing.kinds import INVOICE, SUBSCRIPTION
from farthing.app.billing.one_off import create_invoice
from farthing.app.billing.preview import preview
from farthing.app.billing.subscriptions import cancel_subscription
from farthing.app.catalogue.prices import create_price
from farthing.app.catalogue.products import create_product
from farthing.app.customers.customers import create_customer
from farthing.app.customers.kinds import CUSTOMER
from farthing.app.history import History
from farthing.app.raters import Answers, CoreRater
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.app.resources.table import PageQuery, Row
from farthing.app.settlement.kinds import BALANCE_TRANSACTION
from farthing.app.usage.events import Sent, record
from farthing.app.usage.meters import create_meter
from farthing.app.work import kinds
from farthing.app.work.due import earliest, run_due
from farthing.app.work.faults import FAULT
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import MICROS, Interval
from farthing.core.contract.contract import Contract
from farthing.core.flow import Facts, desired_amounts
from farthing.core.invoice.difference import due_in_all
from farthing.core.invoice.document import key_text, read_document
from farthing.edges.psp.simulated import SimulatedProcessor
from farthing.testing.memory import MemoryStore

HOUR, DAY = 3_600, 86_400
INTERVALS: Mapping[str, Mapping[str, Any]] = {
    "month": {"interval": "month"},
    "week": {"interval": "week"},
    "3 days": {"interval": "day", "interval_count": 3},
    "year": {"interval": "year"},
}
LICENSED = {
    "seats": {"unit_amount": 999},
    "bundles": {
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [{"up_to": 3, "unit_amount": 700}, {"up_to": "inf", "unit_amount": 333}],
    },
    "volume": {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": 4, "unit_amount": 501}, {"up_to": "inf", "unit_amount": 211}]},
}
METERED = {
    "calls": {"unit_amount_decimal": "0.7"},
    "bytes": {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": [{"up_to": 100, "unit_amount": 3}, {"up_to": "inf", "unit_amount": 1}]},
    "whole": {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": 90, "unit_amount": 4}, {"up_to": "inf", "unit_amount": 2}]},
}
KINDS = (SUBSCRIPTION.name, INVOICE.name)


def second(text: str) -> int:
    """A UTC date and clock, in seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@dataclass
class Life:
    """A customer who is billed, and the time, in seconds."""

    at: int
    method: str | None = "pm_card_visa"
    store: MemoryStore = field(default_factory=MemoryStore)
    prices: dict[tuple[str, str], str] = field(default_factory=dict)  # (name, interval) → id
    subscriptions: list[str] = field(default_factory=list)
    customer: str = ""

    def __post_init__(self) -> None:
        kinds.register()
        self._numbers, self._events = count(1), count(1)
        desk = self.desk
        self.product = create_product(desk, {"name": "Everything"}).id
        meter: Any = {"display_name": "Use", "event_name": "use", "default_aggregation": {"formula": "sum"}}
        self.meter = create_meter(desk, meter).id
        paid = {} if self.method is None else {"payment_method": self.method, "invoice_settings": {"default_payment_method": self.method}}
        self.customer = create_customer(desk, {"name": "Acme", **paid}).id

    @property
    def desk(self) -> Desk:
        """Who does the work now."""
        return self._desk(self.at * MICROS)

    def _desk(self, at: int) -> Desk:
        return Desk(self.store, at, lambda prefix: f"{prefix}_{next(self._numbers):06d}", processor=SimulatedProcessor("http://localhost"))

    def price(self, name: str, interval: str) -> str:
        """The price of a name that recurs at an interval, made when it is first asked for."""
        if (name, interval) not in self.prices:
            amounts: Any = LICENSED.get(name) or METERED[name]
            usage = {} if name in LICENSED else {"usage_type": "metered", "meter": self.meter}
            sent = {"currency": "usd", "product": self.product, "recurring": {**INTERVALS[interval], **usage}, **amounts}
            self.prices[name, interval] = create_price(self.desk, sent).id
        return self.prices[name, interval]

    # --- what is done

    def begin(self, interval: str, items: Mapping[str, int], **more: Any) -> Row:
        """A subscription with these prices, licensed ones with the quantity."""
        made = subscribe(self.desk, {"customer": self.customer, "items": [self._item(name, interval, n) for name, n in items.items()], **more})
        self.subscriptions.append(made.id)
        return made

    def _item(self, name: str, interval: str, quantity: int) -> dict[str, Any]:
        return {"price": self.price(name, interval), **({"quantity": quantity} if name in LICENSED else {})}

    def change(self, id_: str, **params: Any) -> Row:
        """Change a subscription."""
        return change_subscription(self.desk, id_, params)

    def entries(self, id_: str, interval: str, wanted: Mapping[str, int]) -> list[dict[str, Any]]:
        """What is sent so that a subscription comes to have these prices: items of the same price stay, others are removed or added."""
        held = {item["price"]["id"]: item for item in self.row(id_).document["items"]["data"]}
        sent = []
        for name, quantity in wanted.items():
            item = self._item(name, interval, quantity)
            known = held.pop(item["price"], None)
            sent.append(item if known is None else {**item, "id": known["id"]})
        return [*({"id": item["id"], "deleted": True} for item in held.values()), *sent]

    def use(self, value: int, before: int) -> None:
        """Usage some seconds ago."""
        name = f"event {next(self._events)}"
        at = (self.at - before) * MICROS
        record(self.desk, [[Sent("use", {"stripe_customer_id": self.customer, "value": str(value)}, name, at, True, True)]])

    def invoice_item(self, amount: int, subscription: str | None) -> None:
        """Something billed apart."""
        of = {} if subscription is None else {"subscription": subscription}
        create_invoice_item(self.desk, {"customer": self.customer, "currency": "usd", "amount": amount, "description": "Extra", **of})

    def cancel(self, id_: str, **params: Any) -> None:
        """End a subscription now."""
        cancel_subscription(self.desk, id_, params)

    def forward(self, seconds: int, idle: bool = False) -> None:
        """Let time pass: work is done when it is due, or, with `idle`, all of it only then, as after an outage."""
        target = self.at + seconds
        while not idle:
            head = earliest(self.store, KINDS, target * MICROS, None)
            if head is None or head.due_at is None:
                break
            self.at = max(self.at, -(-head.due_at // MICROS))
            self._work()
        self.at = target
        self._work()

    def _work(self) -> None:
        run_due(self._desk, KINDS, self.at * MICROS, 1_000)
        faults = self.rows(FAULT)
        assert not faults, [row.document for row in faults]

    # --- what came of it

    def row(self, id_: str) -> Row:
        return plain.need(self.desk, SUBSCRIPTION, id_)

    def alive(self) -> list[str]:
        """The subscriptions that have not ended."""
        return [id_ for id_ in self.subscriptions if self.row(id_).document["status"] not in ("canceled", "incomplete_expired")]

    def rows(self, kind: str) -> list[Row]:
        """All rows of a kind, oldest first."""
        return list(reversed(self.store.page(PageQuery(kind, 1_000)).rows))

    def invoices(self) -> list[Row]:
        """All invoices, oldest first."""
        return self.rows(INVOICE.name)

    def contracts(self) -> list[Contract]:
        return list(self.store.contracts(self.customer))

    def previewed(self, id_: str) -> dict[str, Any] | None:
        """The next invoice of a subscription; None where there is nothing to bill."""
        found: dict[str, Any] | None = None
        try:
            with self.store.transaction():
                found = preview(self.desk, {"subscription": id_})
                raise Undo
        except Undo:
            return found
        except Refusal as refusal:
            assert refusal.code == "invoice_no_customer_line_items", refusal
            return None

    def finish(self) -> None:
        """Make all drafts final, and then bill what is still to be corrected."""
        for row in self.invoices():
            if plain.need(self.desk, INVOICE, row.id).document["status"] == "draft":
                finalize(self.desk, row.id)
        for id_ in self.subscriptions:
            made = create_invoice(self.desk, {"customer": self.customer, "subscription": id_})
            finalize(self.desk, made.id)

    def void(self, id_: str) -> None:
        """Make an open invoice void, where nothing was billed by difference to it since."""
        try:
            void(self.desk, id_)
        except Refusal as refusal:
            assert refusal.code == "document_followed", refusal


class Undo(Exception):
    """Nothing of a preview stays."""


def worth(life: Life) -> int:
    """What has been billed, is on drafts, and would be corrected now where no draft does it, before discounts and tax."""
    total, waiting = 0, set()
    for row in life.invoices():
        if row.document["status"] == "draft":
            waiting |= {bill["contract"] for bill in row.hidden["bills"]}
            total += current(life.desk, row)["subtotal"]
        elif row.document["status"] != "void":
            total += row.document["subtotal"]
    return total + sum(sum(pending(life, one).values()) for one in life.contracts() if one.id not in waiting)


def pending(life: Life, contract: Contract) -> Counter[str]:
    """What a bill of nothing but corrections would have now, by charge key."""
    found: Counter[str] = Counter()
    for stored in compute(clerk_of(life.desk), contract, CORRECTIONS):
        for line in read_document(stored.content).lines:
            found[key_text(line.key)] += line.amount
    return Counter({key: amount for key, amount in found.items() if amount})


def scratch(life: Life, contract: Contract) -> Counter[str]:
    """The same, computed from scratch: what every charge key of every billed period comes to, less what was issued and waived for it."""
    books, history, rater = open_books(life.store), History(life.store, contract), CoreRater(life.store)
    history.refresh()
    void = history.void()
    billed = tuple(Interval(*one.pins["period"]) for one in history.final if one.bills_period)
    open_ = tuple(one.ahead for one in history.final if one.ahead is not None and one.ahead not in billed)
    spans, waived = (*billed, *open_), life.store.waived(contract.id)
    facts = Facts(contract, books.shelf, None, billed, books.known, books.position, history.issued(spans, void), waived, void=void, opened=open_)
    issued = {one.key: one.amount for one in facts.issued}
    wanted = {one.key: one.amount for one in desired_amounts(facts, Answers(rater, books.position).rate)} if spans else {}
    found: Counter[str] = Counter()
    for key in wanted.keys() | issued.keys():
        have = issued.get(key, 0)
        found[key_text(key)] = due_in_all(wanted.get(key, 0), waived.get(key_text(key), 0), have) - have
    return Counter({key: amount for key, amount in found.items() if amount})


def check(life: Life) -> None:
    """What holds at any time."""
    finals = [row for row in life.invoices() if row.document["number"] is not None]
    numbers = sorted(int(row.document["number"].rpartition("-")[2]) for row in finals)
    assert numbers == list(range(1, len(finals) + 1))
    documents = [life.store.document(number) for row in finals for number in row.hidden["documents"]]
    assert len({document.number for document in documents if document is not None}) == len(documents)
    assert sum(document.content["total"] for document in documents if document is not None) == sum(row.document["total"] for row in finals)
    made = {document.number for one in life.contracts() for document in life.store.documents(one.id)}
    assert made == {document.number for document in documents if document is not None}
    for row in life.invoices():
        document = row.document
        assert document["amount_due"] >= 0
        if document["status"] == "paid":
            assert document["amount_paid"] == document["amount_due"]
    held = plain.need(life.desk, CUSTOMER, life.customer).document
    assert held["balance"] == sum(row.document["amount"] for row in life.rows(BALANCE_TRANSACTION.name))
    settled = sum(row.document["total"] - row.document["amount_due"] for row in finals if row.document["status"] != "void")
    assert held["balance"] == settled
    items = Counter(
        line["parent"]["invoice_item_details"]["invoice_item"] for row in finals for line in row.document["lines"]["data"] if of_item(line)
    )
    assert all(n == 1 for n in items.values()), items
    check_tiled(life)


def of_item(line: Mapping[str, Any]) -> bool:
    """Whether a line bills an invoice item, and not the item of a trial."""
    details = line["parent"]["invoice_item_details"]
    return details is not None and details["invoice_item"].startswith("ii_")


def check_tiled(life: Life) -> None:
    """The periods of each contract follow on each other, those billed in advance and those billed at their end alike."""
    for contract in life.contracts():
        bills = [read_bill(bill) for row in life.invoices() for bill in row.hidden["bills"] if bill["contract"] == contract.id]
        periods, ahead = [bill.due.period for bill in bills if bill.due.period], [bill.due.ahead for bill in bills if bill.due.ahead]
        first = {span.start for span in ahead[:1]} or {contract.active.start}  # a first period for nothing has no invoice
        for spans, start in ((periods, contract.active.start), (ahead, min(first))):
            starts = [start, *(span.end for span in spans)]
            assert [span.start for span in spans] == starts[: len(spans)], (contract.id, spans)


def check_settled(life: Life) -> None:
    """After all is billed: every charge key comes to what was billed and waived for it."""
    for contract in life.contracts():
        assert pending(life, contract) == scratch(life, contract)
    life.finish()
    check(life)
    for contract in life.contracts():
        assert pending(life, contract) == Counter()
        assert scratch(life, contract) == Counter()


def shown(document: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a preview says, as far as the draft that comes must say the same."""
    lines: Sequence[Mapping[str, Any]] = document["lines"]["data"]
    sums = tuple(document[name] for name in ("subtotal", "total", "amount_due", "starting_balance", "period_start", "period_end"))
    return sums, [(line["description"], line["amount"], line["quantity_decimal"], line["period"]) for line in lines]
