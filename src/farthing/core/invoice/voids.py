"""Voids: which final bill may be made void, and what is given up by it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from farthing.core.base.refusal import Refusal
from farthing.core.invoice.document import key_text
from farthing.core.invoice.invoice import Document
from farthing.core.invoice.refusals import DOCUMENT_FOLLOWED

Disposition = Literal["reissue", "waive"]
"""What becomes of what a void bill billed: it is due again, or it is given up."""


def refuse_followed(number: str, document: Document, later: Iterable[tuple[str, Document]]) -> None:
    """Only the last bill of each of its charge keys can become void: what came after it was billed by difference to it.

    `later` are the bills that became final after it and are not void. Errors: document_followed.
    """
    keys = {line.key for line in document.lines}
    followers = [after for after, one in later if any(line.key in keys for line in one.lines)]
    if followers:
        raise followed(number, followers)


def followed(number: str, followers: Iterable[str]) -> Refusal:
    """The refusal that names the bills which go on from a bill."""
    return Refusal(DOCUMENT_FOLLOWED, f"{number} is followed by {', '.join(followers)}, which went on from what it had billed.", "number")


def given_up(document: Document) -> tuple[tuple[str, int], ...]:
    """What a void with "waive" gives up, by the text of the charge key: what each line billed, in minor units before discount and tax."""
    sums: dict[str, int] = {}
    for line in document.lines:
        sums[key_text(line.key)] = sums.get(key_text(line.key), 0) + line.amount
    return tuple((key, amount) for key, amount in sums.items() if amount)
