"""A web shop's invoice lines as card payments, one event document per payment, and the fee classes they are billed by.

What is a payment: all rows of one InvoiceNo together. Its amount is the exact sum of Quantity times UnitPrice (GBP),
rounded once, half away from zero, to the penny; its time is the earliest InvoiceDate, a London wall clock. Identical
rows are separate facts and rows without CustomerID count. Numbers that start with C (cancellations) or A (bad-debt
adjustments) are no payments, nor is an amount of zero pence or less after rounding.

What the bundled data does not contain but a file could:

- rows of several countries under one InvoiceNo are refused, for the fee would depend on which one is believed;
- a wall clock that the spring change skips is refused; one that the autumn change repeats is the earlier instant
  (summer time).
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from farthing.demo import open_csv

FOLDER = "retail_online_uk"
FILE = "online_retail.csv"
EVENT_NAME = "payment"
CUSTOMER = "online-retail"
LONDON = ZoneInfo("Europe/London")


class FeeClass(NamedTuple):
    """What the demo's payments company charges for one payment from some countries."""

    label: str
    countries: tuple[str, ...] | None
    """As the data spells them; None for every country that no other class names."""
    percent: str
    """Of the payment's amount, as a decimal: "1.5" is 1.5 %."""
    fixed_pence: int
    """Added to every payment's fee."""


_EEA = (
    "France",
    "Netherlands",
    "Germany",
    "Norway",
    "EIRE",
    "Spain",
    "Poland",
    "Portugal",
    "Italy",
    "Belgium",
    "Lithuania",
    "Iceland",
    "Denmark",
    "Cyprus",
    "Sweden",
    "Austria",
    "Finland",
    "Greece",
    "Czech Republic",
    "Malta",
    "European Community",
)

FEE_CLASSES: tuple[FeeClass, ...] = (
    FeeClass("United Kingdom and Channel Islands", ("United Kingdom", "Channel Islands"), "1.5", 20),
    FeeClass("EEA", _EEA, "2.5", 20),
    FeeClass("International", None, "3.25", 20),
)
"""In the order of an invoice's lines. A fee is rounded half away from zero to the penny, payment by payment."""

_COLUMNS = ("InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "Country")
_NO_PAYMENT = ("C", "A")
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WALL_CLOCK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


@dataclass(slots=True)
class _Payment:
    """The rows of one InvoiceNo read so far."""

    country: str
    earliest: str
    """InvoiceDate as written: in this format text order is time order."""
    pounds: Decimal


def events() -> Iterator[dict[str, Any]]:
    """Every payment of the bundled file (19,959 events)."""
    with open_csv(FOLDER, FILE) as stream:
        yield from payments(stream)


def payments(stream: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One event document per payment in the CSV text `stream`, in order of the InvoiceNo's first appearance.

    `value` is the amount in whole pence. A row that cannot be read raises ValueError with its line: nothing is skipped.
    """
    for number, payment in _gather(stream).items():
        pence = int(_EXACT.scaleb(payment.pounds, 2).to_integral_value(ROUND_HALF_UP))
        if pence <= 0:
            continue
        yield {
            "identifier": number,
            "event_name": EVENT_NAME,
            "timestamp": f"{_instant(payment.earliest, number):%Y-%m-%dT%H:%M:%SZ}",
            "payload": {"stripe_customer_id": CUSTOMER, "value": str(pence), "country": payment.country},
        }


def _gather(stream: Iterable[str]) -> dict[str, _Payment]:
    """InvoiceNo → its rows' exact total, earliest time and country, without cancellations and adjustments."""
    found: dict[str, _Payment] = {}
    for line, number, quantity, wall_clock, price, country in _rows(stream):
        payment = found.get(number)
        if payment is None:
            payment = found[number] = _Payment(country, wall_clock, Decimal(0))
        if payment.country != country:
            raise ValueError(f"line {line}: InvoiceNo {number} is of {country!r} here and {payment.country!r} before")
        try:
            payment.earliest = min(payment.earliest, _wall_clock(wall_clock))
            payment.pounds = _EXACT.fma(_decimal(quantity), _decimal(price), payment.pounds)
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from error
    return found


def _rows(stream: Iterable[str]) -> Iterator[tuple[int, str, str, str, str, str]]:
    """Line number (1 is the header) and the fields of `_COLUMNS` of each row that may belong to a payment."""
    reader = csv.reader(stream)
    header = next(reader, [])
    if missing := [name for name in _COLUMNS if name not in header]:
        raise ValueError(f"line 1: the header lacks {', '.join(missing)}")
    number, quantity, wall_clock, price, country = (header.index(name) for name in _COLUMNS)
    for row in reader:
        if len(row) != len(header):
            raise ValueError(f"line {reader.line_num}: {len(row)} fields, the header has {len(header)}")
        if not row[number]:
            raise ValueError(f"line {reader.line_num}: InvoiceNo is empty")
        if not row[number].startswith(_NO_PAYMENT):
            yield reader.line_num, row[number], row[quantity], row[wall_clock], row[price], row[country]


@lru_cache(maxsize=8192)
def _decimal(text: str) -> Decimal:
    """`text` as an exact number; exponents, infinities and the like are refused."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a decimal number")
    return Decimal(text)


@lru_cache(maxsize=8192)
def _wall_clock(text: str) -> str:
    """`text` itself, once it is known to be a date and time that text order sorts rightly."""
    if not _WALL_CLOCK.fullmatch(text):
        raise ValueError(f"InvoiceDate {text!r} is not YYYY-MM-DD hh:mm:ss")
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"InvoiceDate {text!r} does not exist: {error}") from error
    return text


def _instant(wall_clock: str, number: str) -> datetime:
    """The UTC instant at which London clocks show `wall_clock`, the earlier one if they do so twice."""
    local = datetime.fromisoformat(wall_clock).replace(tzinfo=LONDON, fold=0)
    instant = local.astimezone(UTC)
    if instant.astimezone(LONDON).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"InvoiceNo {number}: London clocks never showed {wall_clock}")
    return instant
