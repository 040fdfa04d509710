"""Who else has to know when a payment intent moves on by itself: what a payment is for, such as an invoice, goes by it.

Payments do not know bills; these register here, as work does in `app/work`. `pay` tells nobody: who calls it has the outcome."""

from __future__ import annotations

from collections.abc import Callable

from farthing.app.resources.desk import Desk
from farthing.app.resources.table import Row

Follower = Callable[[Desk, Row], None]
"""Is given the intent after it was confirmed, captured, settled or cancelled, in the same transaction. What it was made for stands in
`hidden`: `invoice`."""
_FOLLOWERS: list[Follower] = []


def followed_by(follower: Follower) -> Follower:
    """Register one, once; returns it."""
    if follower not in _FOLLOWERS:
        _FOLLOWERS.append(follower)
    return follower


def unfollowed_by(follower: Follower) -> None:
    """Take one away again; nothing where it is not there."""
    if follower in _FOLLOWERS:
        _FOLLOWERS.remove(follower)


def moved(desk: Desk, intent: Row) -> None:
    """Tell all of an intent that has moved."""
    for follower in tuple(_FOLLOWERS):
        follower(desk, intent)
