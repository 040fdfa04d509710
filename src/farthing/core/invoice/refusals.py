"""Refusals about final bills."""

from farthing.core.base.refusal import refusal_kind

DOCUMENT_FOLLOWED = refusal_kind(
    "document_followed",
    "A later bill was made by difference to the one that is to become void.",
    "Void the later bills first, the last one before the others; or change the facts and let a correction follow.",
)
DOCUMENT_VOID = refusal_kind(
    "document_void", "The bill is void already, and what became of it was decided otherwise.", "Nothing is left to do: a void is final."
)
