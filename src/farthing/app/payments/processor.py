"""What is needed of a payment processor. Adapters of real ones and the simulated one (`edges/psp`) implement it.

Every call that moves money carries a `reference`, made before the call and the same in every repetition of it. A processor does at most
one thing under a reference, and answers with what it did the first time: after a crash the same call may be made again, or `outcome`
asked, and nobody is charged twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from farthing.core.payment.declines import Decline
from farthing.core.payment.payment import Result

if TYPE_CHECKING:
    from farthing.app.resources.desk import Desk


@dataclass(frozen=True, slots=True)
class Described:
    """A payment method as a processor knows it. `token` is what it is charged by, never shown; `details` is what may be seen of it, as
    the field of its `type` shows it: for a card brand, last four digits, expiry and a fingerprint, never the number."""

    type: str
    token: str = field(repr=False)
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """An attempt to take money for an intent (its id). `amount` is in minor units; with `capture` it is taken at once, else only held.
    `off_session` says that the customer is not there to act, `agreed` that they were when the method was set up for this. `return_url`
    is where the customer is sent after an action."""

    reference: str
    intent: str
    token: str = field(repr=False)
    amount: int
    currency: str
    capture: bool = True
    off_session: bool = False
    agreed: bool = False
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class SetUp:
    """An order to make a payment method ready for later payments, without money. `off_session` says that the customer will not be there then."""

    reference: str
    intent: str
    token: str = field(repr=False)
    off_session: bool = False
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. `decline` says why it was declined. `url` is where the customer acts. `at_once` says that the money is
    there already, and not only after some days. `authenticated` says that the customer has acted."""

    result: Result
    decline: Decline | None = None
    url: str | None = None
    at_once: bool = False
    authenticated: bool = False


class Processor(Protocol):
    """A payment processor. The desk says for which account and mode it works; what an adapter needs of its own it keeps by the desk's
    store or in a place of its own."""

    def describe(self, desk: Desk, type_: str, sent: Mapping[str, Any]) -> Described:
        """Take a payment method in: what is sent of it is given to the processor and kept nowhere else. Errors: the codes of cards,
        payment_method_unsupported_type, payment_processor_missing."""
        ...

    def offered(self, desk: Desk, name: str) -> Described | None:
        """A payment method that the processor offers under a name of its own (such as `pm_card_visa` for tests); None if there is none."""
        ...

    def check(self, desk: Desk, token: str, reference: str) -> Outcome:
        """Whether a method can be kept for a customer: succeeded or declined."""
        ...

    def set_up(self, desk: Desk, order: SetUp) -> Outcome:
        """Make a method ready for later payments."""
        ...

    def authorise(self, desk: Desk, order: Order) -> Outcome:
        """Take the money, or hold it. Done once under the order's reference; again, it answers how that stands."""
        ...

    def outcome(self, desk: Desk, reference: str) -> Outcome | None:
        """How the order of a reference stands; None if none ever came."""
        ...

    def capture(self, desk: Desk, reference: str, amount: int) -> Outcome:
        """Take `amount` of what is held under a reference, once, and let the rest go."""
        ...

    def cancel(self, desk: Desk, reference: str) -> None:
        """Give up what is held or waits for an action under a reference; nothing happens where there is nothing."""
        ...

    def refund(self, desk: Desk, reference: str, payment: str, amount: int) -> Outcome:
        """Give back `amount` of what was taken under the reference `payment`: succeeded, declined, or processing (pending)."""
        ...


@runtime_checkable
class Simulator(Protocol):
    """What a simulated processor can do besides: be the customer, or the bank."""

    def act(self, desk: Desk, reference: str, succeed: bool) -> None:
        """Decide what waits under a reference: an action of the customer, or a refund that is pending. Errors: resource_missing where
        nothing waits."""
        ...
