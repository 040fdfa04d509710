"""A processor that moves no money: test cards behave as their names say. What it did it remembers by reference, in rows of the account."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from farthing.app.payments.processor import Described, Order, Outcome, SetUp
from farthing.app.payments.refusals import METHOD_DETAILS, METHOD_TYPE_UNSUPPORTED, NOTHING_WAITS, PROCESSOR_MISSING
from farthing.app.resources.desk import Desk
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import to_datetime
from farthing.core.payment.declines import DECLINES
from farthing.core.payment.refusals import CARD_CODES
from farthing.edges.psp.cards import BY_NAME, BY_NUMBER, Card, card_named, is_card_number

RECORD = "simulated_order"
_SECRET = "simulated_processor"
_UNDECIDED, _YES, _NO = "undecided", "yes", "no"
_EXPIRES = (12, 2034)
"""Month and year of a card that is given by name."""


class Memory(Protocol):
    """What was ordered, by reference: a processor's own database."""

    def find(self, desk: Desk, reference: str) -> Mapping[str, Any] | None:
        """The record of a reference; nobody else changes it until the work is over."""
        ...

    def keep(self, desk: Desk, reference: str, record: Mapping[str, Any]) -> None:
        """Add or replace it."""
        ...


class RowMemory:
    """Records among the account's resources, in the transaction of the desk."""

    def find(self, desk: Desk, reference: str) -> Mapping[str, Any] | None:
        """The record of a reference."""
        row = desk.store.find(RECORD, reference, lock=True)
        return None if row is None else row.document

    def keep(self, desk: Desk, reference: str, record: Mapping[str, Any]) -> None:
        """Add or replace it."""
        row = desk.store.find(RECORD, reference)
        if row is None:
            desk.store.add(RECORD, reference, desk.second, record)
        else:
            desk.store.put(replace(row, document=record))


class SimulatedProcessor:
    """The simulated processor. `address` is where the service answers; a customer acts below it."""

    def __init__(self, address: str, memory: Memory | None = None) -> None:
        self._address, self._memory = address.rstrip("/"), memory or RowMemory()

    def describe(self, desk: Desk, type_: str, sent: Mapping[str, Any]) -> Described:
        """Take a card in, by its number or as a token (`tok_visa`)."""
        _test_mode(desk)
        if type_ != "card":
            raise Refusal(METHOD_TYPE_UNSUPPORTED, f"{type_} is not supported.", None)
        if "token" in sent:
            card = card_named(sent["token"]) if sent["token"].startswith("tok_") else None
            if card is None:
                raise Refusal(METHOD_DETAILS, "there is no test token of this name.", "[token]")
            return _described(desk, card, _EXPIRES, None)
        number = sent["number"].replace(" ", "").replace("-", "")
        if not is_card_number(number):
            raise Refusal(CARD_CODES["incorrect_number"], "it is not the number of a card.", "[number]")
        _check_expiry(desk, sent)
        cvc = sent.get("cvc")
        if cvc is not None and not (cvc.isascii() and cvc.isdigit() and len(cvc) in (3, 4)):
            raise Refusal(CARD_CODES["invalid_cvc"], "it is not three or four digits.", "[cvc]")
        card = BY_NUMBER.get(number)
        if card is None:
            raise Refusal(CARD_CODES["card_declined"], DECLINES["test_mode_live_card"].message, "[number]")
        return _described(desk, card, (sent["exp_month"], sent["exp_year"]), cvc)

    def offered(self, desk: Desk, name: str) -> Described | None:
        """A test card by its name (`pm_card_visa`)."""
        card = card_named(name) if name.startswith("pm_card_") and not desk.live else None
        return None if card is None else _described(desk, card, _EXPIRES, None)

    def check(self, desk: Desk, token: str, reference: str) -> Outcome:
        """Whether a card can be attached: those that are declined cannot, but for the one made to be."""
        _test_mode(desk)
        del reference  # nothing is done that could be done twice
        card = BY_NAME[token]
        return _declined(card.declines) if card.declines is not None and not card.keeps else Outcome("succeeded")

    def set_up(self, desk: Desk, order: SetUp) -> Outcome:
        """Make a card ready for payments without the customer."""
        asked = BY_NAME[order.token].asks != "never"
        return self._ordered(
            desk, order.reference, {"what": "setup_intents", "token": order.token, "asks": asked, "amount": 0, "intent": order.intent}
        )

    def authorise(self, desk: Desk, order: Order) -> Outcome:
        """Take or hold the money, unless the card says otherwise."""
        card = BY_NAME[order.token]
        ready = card.asks == "once" and (order.agreed or card.ready)
        asks = card.asks != "never" and not ready
        known = {"what": "payment_intents", "token": order.token, "asks": asks, "amount": order.amount, "currency": order.currency}
        how = {"absent": order.off_session, "held": not order.capture, "intent": order.intent}
        return self._ordered(desk, order.reference, {**known, **how})

    def outcome(self, desk: Desk, reference: str) -> Outcome | None:
        """How an order stands."""
        record = self._memory.find(desk, reference)
        return None if record is None else self._answer(record)

    def capture(self, desk: Desk, reference: str, amount: int) -> Outcome:
        """Take what is held, once."""
        record = self._memory.find(desk, reference)
        if record is None or record["canceled"] or not record["held"]:
            return _declined("processing_error")
        if record["captured"] is None:
            self._memory.keep(desk, reference, {**record, "captured": amount})
        return Outcome("succeeded", at_once=BY_NAME[record["token"]].at_once)

    def cancel(self, desk: Desk, reference: str) -> None:
        """Let go of what is held or waits."""
        record = self._memory.find(desk, reference)
        if record is not None and record["captured"] is None:
            self._memory.keep(desk, reference, {**record, "canceled": True})
            if record["what"] == "refunds" and not record["canceled"]:
                self._came_back(desk, record)

    def refund(self, desk: Desk, reference: str, payment: str, amount: int) -> Outcome:
        """Give money back."""
        if (known := self.outcome(desk, reference)) is not None:
            return known
        paid = self._memory.find(desk, payment)
        if paid is None or amount > _taken(paid) - paid["refunded"]:
            return _declined("processing_error")
        self._memory.keep(desk, payment, {**paid, "refunded": paid["refunded"] + amount})
        pends = BY_NAME[paid["token"]].refunds == "processing"
        return self._ordered(desk, reference, {"what": "refunds", "token": paid["token"], "asks": pends, "amount": amount, "payment": payment})

    def act(self, desk: Desk, reference: str, succeed: bool) -> None:
        """Be the customer who authenticates or does not, or the bank that decides about a refund."""
        record = self._memory.find(desk, reference)
        if record is None or not record["asks"] or record["canceled"] or record["acted"] != _UNDECIDED:
            raise Refusal(NOTHING_WAITS, "nothing waits for a decision here.", None)
        self._memory.keep(desk, reference, {**record, "acted": _YES if succeed else _NO})
        if record["what"] == "refunds" and not succeed:
            self._came_back(desk, record)

    def _came_back(self, desk: Desk, record: Mapping[str, Any]) -> None:
        paid = self._memory.find(desk, record["payment"])
        assert paid is not None
        self._memory.keep(desk, record["payment"], {**paid, "refunded": paid["refunded"] - record["amount"]})

    def _ordered(self, desk: Desk, reference: str, order: Mapping[str, Any]) -> Outcome:
        """Do what is ordered, unless something was done under the reference before."""
        _test_mode(desk)
        record = self._memory.find(desk, reference)
        if record is None:
            record = {"absent": False, "held": False, **order, "acted": _UNDECIDED, "canceled": False, "captured": None, "refunded": 0}
            self._memory.keep(desk, reference, record)
        return self._answer(record)

    def _answer(self, record: Mapping[str, Any]) -> Outcome:
        card = BY_NAME[record["token"]]
        if record["canceled"]:
            return _declined("authentication_failure" if record["asks"] else "processing_error")
        if record["what"] == "refunds":
            return {_UNDECIDED: Outcome("processing" if record["asks"] else "succeeded"), _YES: Outcome("succeeded")}.get(
                record["acted"], _declined("processing_error")
            )
        acted = record["acted"] == _YES
        if record["asks"] and record["absent"]:
            return _declined("authentication_required")
        if record["asks"] and not acted:
            url = f"{self._address}/ext/simulator/3ds/{record['what']}/{record['intent']}"
            return Outcome("requires_action", url=url) if record["acted"] == _UNDECIDED else _declined("authentication_failure")
        if card.declines is not None and not (record["what"] == "setup_intents" and card.keeps):
            return replace(_declined(card.declines), authenticated=acted)
        return Outcome("succeeded", at_once=card.at_once, authenticated=acted)


def _taken(record: Mapping[str, Any]) -> int:
    amount: int = (record["captured"] or 0) if record["held"] else record["amount"]
    return amount


def _declined(reason: str) -> Outcome:
    return Outcome("declined", DECLINES[reason])


def _test_mode(desk: Desk) -> None:
    if desk.live:
        raise Refusal(PROCESSOR_MISSING, "the simulated processor does not work in live mode.", None)


def _check_expiry(desk: Desk, sent: Mapping[str, Any]) -> None:
    month, year, today = sent["exp_month"], sent["exp_year"], to_datetime(desk.at)
    if not 1 <= month <= 12:
        raise Refusal(CARD_CODES["invalid_expiry_month"], f"{month} is no month.", "[exp_month]")
    if not today.year <= year <= today.year + 50:
        raise Refusal(CARD_CODES["invalid_expiry_year"], f"{year} is past, or no year.", "[exp_year]")
    if (year, month) < (today.year, today.month):
        raise Refusal(CARD_CODES["invalid_expiry_month"], f"{month}/{year} is past.", "[exp_month]")


def _described(desk: Desk, card: Card, expires: tuple[int, int], cvc: str | None) -> Described:
    details = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": None if cvc is None else "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": expires[0],
        "exp_year": expires[1],
        "fingerprint": _fingerprint(desk, card.number),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return Described("card", card.name, details)


def _fingerprint(desk: Desk, number: str) -> str:
    """The same for the same number in an account and mode, and nothing that the number could be found from without its secret."""
    fresh = secrets.token_hex(32)
    secret = desk.store.claim(_SECRET, "fingerprints", fresh) or fresh
    return hashlib.blake2b(number.encode(), key=bytes.fromhex(secret), digest_size=8).hexdigest()
