"""docs/payments.md says what the simulated processor does."""

import re
from pathlib import Path

from farthing.edges.psp.cards import BY_NAME

PAGE = (Path(__file__).parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")


def described(card):
    parts = []
    if card.asks == "always":
        parts.append("asks for authentication")
    elif card.asks == "once":
        parts.append("was set up to be paid with off session" if card.ready else "asks for authentication until it is set up")
    if card.declines is not None:
        parts.append(f"declined: `{card.declines}`" + (", can be attached" if card.keeps else ""))
    if card.refunds == "processing":
        parts.append("refunds stay pending")
    if card.at_once:
        parts.append("available at once")
    return "; ".join(parts) or "succeed"


def test_the_cards_on_the_page_are_the_cards():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(card.name, card.number, described(card)) for card in BY_NAME.values()]


def test_the_addresses_on_the_page_are_served():
    from farthing.edges.http.resources import register
    from farthing.edges.http.routes import ROUTES

    register()
    addresses = re.findall(r"`GET (/ext/simulator/\S+?)\?outcome=succeed`", PAGE)
    assert addresses == [path for _, path in ROUTES if path.startswith("/ext/simulator/")]
