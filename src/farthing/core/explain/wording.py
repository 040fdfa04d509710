"""Numbers, money and names in words: exact, with thousands separators, in major units."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction

from farthing.core.base.currency import minor_decimals
from farthing.core.base.exact import show
from farthing.core.base.rounding import RoundingMode
from farthing.core.base.time import Interval, show_instant

MINUS = "−"
MOST_TERMS = 12
_PLAIN_WORDS = re.compile(r"[A-Za-z]+(?:[_ ][A-Za-z]+)*", re.ASCII)
_STATEMENT_WORDS = {"and", "larger", "of", "rounded", "smaller", "the"}

ROUNDED = {
    RoundingMode.HALF_AWAY: "rounded half away from zero",
    RoundingMode.HALF_EVEN: "rounded half to even",
    RoundingMode.UP: "rounded up",
    RoundingMode.DOWN: "rounded down",
}
"""How each mode is said in a statement."""


def number(value: Fraction | int, places: int = 0) -> str:
    """A number, exact: 18,059,974; 0.0000025; −1/3. Decimals are filled with zeros to at least `places`."""
    text = show(abs(Fraction(value)))
    if "/" in text:
        over, under = text.split("/")
        text = f"{_grouped(over)}/{_grouped(under)}"
    else:
        units, _, rest = text.partition(".")
        rest = rest.ljust(places, "0")
        text = _grouped(units) + (f".{rest}" if rest else "")
    return (MINUS if value < 0 else "") + text


def money(minor: Fraction | int, currency: str) -> str:
    """An amount of minor units in major units with its currency: 45.15 USD, 0.0000025 USD, 1/3 USD."""
    places = minor_decimals(currency)
    return f"{number(Fraction(minor) / 10**places, places)} {currency.upper()}"


def quantity(value: Fraction, unit: str) -> str:
    """A quantity with its unit: 18,059,974 input tokens, 1 unit."""
    return f"{number(value)} {unit[:-1] if value == 1 and unit in ('units', 'events') else unit}"


def count(events: int, noun: str = "event") -> str:
    """A number of things: 1 event, 8,819 events."""
    return f"{number(events)} {noun}{'' if events == 1 else 's'}"


def total(result: str, parts: Sequence[str]) -> str:
    """The statement that parts make a sum: "a = b + c − d"; only the result where that says nothing, or with more than twelve parts,
    which then stand below."""
    if len(parts) > MOST_TERMS or list(parts) in ([], [result]):
        return result
    first, *rest = parts
    return f"{result} = {first}" + "".join(f" {MINUS} {part[1:]}" if part.startswith(MINUS) else f" + {part}" for part in rest)


def name(text: str) -> str:
    """A name from outside, in double quotes and on one line, so that it is never taken for words or numbers of ours."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in json.dumps(text, ensure_ascii=False))


def unit_words(key: str, fallback: str = "units") -> str:
    """What a property's name says as a unit: "input_tokens" → "input tokens"; names that are no plain words give the fallback."""
    words = key.replace("_", " ")
    plain = _PLAIN_WORDS.fullmatch(key) and not _STATEMENT_WORDS.intersection(words.split()) and key != "value"
    return words if plain else fallback


def span(interval: Interval, zone: str = "UTC") -> str:
    """A half-open stretch of time."""
    return f"from {show_instant(interval.start, zone)} to before {show_instant(interval.end, zone)}"


def _grouped(digits: str) -> str:
    return f"{int(digits):,}"
