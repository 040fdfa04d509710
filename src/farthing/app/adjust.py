"""Take back by decision, not by facts: make a final bill void, or give up part of what was billed."""

from __future__ import annotations

from farthing.app.bill import Clerk
from farthing.app.refusals import DOCUMENT_UNKNOWN, LINE_UNKNOWN, WAIVER_OUT_OF_RANGE
from farthing.app.store import Store, StoredDocument
from farthing.core.base.refusal import Refusal
from farthing.core.invoice.document import key_text, read_document, read_key, read_line
from farthing.core.invoice.voids import Disposition, given_up
from farthing.core.ledger.periods import period_for
from farthing.core.ledger.postings import posting_document, reversal


def void(clerk: Clerk, number: str, disposition: Disposition, reason: str) -> StoredDocument:
    """Make a final bill void and return it. With "reissue" its period and keys are due again; with "waive" they are given up.

    Its ledger entry is reversed in the first open accounting period, and the credits used on it go back. Doing it again the same way
    changes nothing. Errors: document_unknown, document_void (the other way), document_followed, and those of booking.
    """
    stored = clerk.store.document(number)
    if stored is None:
        raise Refusal(DOCUMENT_UNKNOWN, f"there is no final bill {number[:60]}.", "number")
    document = read_document(stored.content)
    period = period_for(clerk.at, document.zone, clerk.store.closed_through())
    postings = [posting_document(posting) for posting in reversal(document, number, period)]
    waivers: tuple[tuple[str, int], ...] = ()
    if disposition == "waive":
        pending = pending_waivers(clerk.store, stored.contract)
        waivers = tuple((key, units - pending.get(key, 0)) for key, units in given_up(document) if units != pending.get(key, 0))
    clerk.store.void(stored, disposition, reason, postings, waivers)
    return clerk.store.document(number) or stored


def waive(store: Store, line: str, amount: int, reason: str) -> None:
    """Give up an amount, in minor units before discount and tax, of what a line's charge key was billed; the next bill of the contract,
    or `correct`, takes it off. Each call gives up as much again, together no more than what is billed.

    Errors: line_unknown, waiver_out_of_range.
    """
    found = store.line(line)
    if found is None or found[0].number is None:
        raise Refusal(LINE_UNKNOWN, f"there is no line {line[:60]} on a final bill.", "line")
    stored, content = found
    key = read_line(content).key
    with store.transaction():  # recorded first, so that two at once take turns, and the second sees the first
        store.put_waiver(stored.contract, key_text(key), amount, reason)
        billed = next((one.amount for one in store.issued(stored.contract) if one.key == key), 0)
        left = billed - pending_waivers(store, stored.contract).get(key_text(key), 0) + amount
        if not 1 <= amount <= left:
            message = f"{amount} is not between 1 and the {left} minor units that the line's charge was billed and that are not given up yet."
            raise Refusal(WAIVER_OUT_OF_RANGE, message, "amount")


def pending_waivers(store: Store, contract: str) -> dict[str, int]:
    """What was given up since the contract's last bill, so that no bill has taken it off yet, by the charge key's text."""
    final = list(store.documents(contract, bare=True))
    last = next((n for n in reversed(range(len(final))) if not final[n].takes_back), None)
    done = {} if last is None else dict(final[last].pins["waived"])
    for one in final[0 if last is None else last + 1 :]:
        for key, units, _ in one.pins["taken_back"] if one.void is None else ():
            if read_key(key).rated:
                done[key] = done.get(key, 0) + units
    return {key: units - done.get(key, 0) for key, units in store.waived(contract).items() if units != done.get(key, 0)}
