"""The simulated processor's other side, for tests: what a customer who is sent to authenticate does, and what a bank decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farthing.app.payments.attempts import settle_intent
from farthing.app.payments.chosen import processor_of
from farthing.app.payments.kinds import PAYMENT_INTENT, REFUND, SETUP_INTENT
from farthing.app.payments.processor import Simulator
from farthing.app.payments.refunds import settle_refund
from farthing.app.payments.refusals import NOTHING_WAITS
from farthing.app.payments.setups import settle_setup
from farthing.app.resources import plain as verbs
from farthing.app.resources.table import Document, Row
from farthing.core.base.refusal import Refusal
from farthing.edges.http.routes import Call, route
from farthing.edges.http.wire import contract

_BELOW = "/ext/simulator/"


def add_routes() -> None:
    """Serve the decisions."""
    _simulated("3ds/payment_intents/{payment_intent}", "payment_intent", _pay_act)
    _simulated("3ds/setup_intents/{setup_intent}", "setup_intent", _setup_act)
    _simulated("refunds/{refund}", "refund", _refund_act)


def _simulated(path: str, result: str, handler: Callable[[Call, bool], Document]) -> None:
    """Serve what someone outside decides, for tests: `outcome` is succeed or fail. A GET, as browsers are sent there."""
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["outcome"],
        "properties": {"outcome": {"type": "string", "enum": ["succeed", "fail"]}},
    }
    contract.add_own(contract.Operation("GET", _BELOW + path, result, None, False, False, schema))
    route("GET", _BELOW + path, lambda call: handler(call, call.params["outcome"] == "succeed"), ("outcome",), writes=True)


def _pay_act(call: Call, succeed: bool) -> Document:
    _act(call, verbs.need(call.desk, PAYMENT_INTENT, call.id), succeed)
    settle_intent(call.desk, call.id)
    return verbs.need(call.desk, PAYMENT_INTENT, call.id).document


def _setup_act(call: Call, succeed: bool) -> Document:
    _act(call, verbs.need(call.desk, SETUP_INTENT, call.id), succeed)
    settle_setup(call.desk, call.id)
    return verbs.need(call.desk, SETUP_INTENT, call.id).document


def _refund_act(call: Call, succeed: bool) -> Document:
    _act(call, verbs.need(call.desk, REFUND, call.id), succeed)
    return settle_refund(call.desk, call.id).document


def _act(call: Call, row: Row, succeed: bool) -> None:
    processor, reference = processor_of(call.desk), row.hidden.get("reference")
    if not isinstance(processor, Simulator) or reference is None:
        raise Refusal(NOTHING_WAITS, f"{row.id[:80]!r} waits for nothing.", None)
    processor.act(call.desk, reference, succeed)
