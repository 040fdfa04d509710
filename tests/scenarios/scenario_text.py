"""Read a scenario and tell it: statements at the left margin do something, indented text below one is what must come of it.

    meter {json}                              price <lineage> {json} [from <time>] [until <time>]
    contract {json}                           amend {json}
    grant <id> <amount> before_tax|after_tax  event <id> <name> <time> property=value …
    cancel <name> <id>                        replace <id> with <new id> <name> <time> property=value …
    bill until <time>                         correct
    part until <time>                         void <number> reissue|waive
    waive <number> line <n> <amount>          adjust <id> <amount> <from> <until> <description>

JSON may run over several lines. A time is RFC 3339; without offset it is UTC, without a clock it is midnight. `#` begins a comment, also
behind a statement or an expected line: the arithmetic by hand. What `bill`, `part` and `correct` make is written out by
`shown`, or is `nothing`; a statement that is refused is followed by `refused <code>`. All amounts are in minor units.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from farthing.core.base.exact import show
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import Instant, Interval, parse_instant, to_datetime
from farthing.core.base.timeline import BEGINNING, FOREVER
from farthing.core.catalog.terms import Grant
from farthing.core.events.event import Cancel, Event, Replace
from farthing.core.invoice.adjustment import Adjustment
from farthing.core.invoice.invoice import Cause, Line
from farthing.testing.world import Bill, World


@dataclass
class Statement:
    """One statement with its place, and the lines expected below it."""

    line: int
    text: str
    expected: list[str] = field(default_factory=list)


def read_statements(file: Path) -> list[Statement]:
    """The statements of a scenario, comments left out."""
    statements: list[Statement] = []
    for number, raw in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        text = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        if not text:
            continue
        if text[0] != " ":
            statements.append(Statement(number, text))
        elif _open(statements[-1].text):
            statements[-1].text += " " + text.strip()
        else:
            statements[-1].expected.append(text.strip())
    return statements


def _open(text: str) -> bool:
    return text.count("{") > text.count("}") or text.count("[") > text.count("]")


class Teller:
    """Does what statements say in a world, and writes out what came of it."""

    def __init__(self) -> None:
        self.world = World()
        self.contract = ""
        self.customer = ""

    def tell(self, statement: Statement) -> list[str]:
        """The lines that the statement comes to."""
        verb, _, rest = statement.text.partition(" ")
        act: Callable[[str], list[Bill] | None] = getattr(self, f"_{verb}")
        try:
            made = act(rest)
        except Refusal as refusal:
            return [f"refused {refusal.code}"]
        if made is None:
            return []
        return [line for one in made for line in shown(one)] or ["nothing"]

    def _meter(self, rest: str) -> None:
        self.world.meter(json.loads(rest))

    def _price(self, rest: str) -> None:
        lineage, _, rest = rest.partition(" ")
        document, tail = json.JSONDecoder().raw_decode(rest)
        when = dict(re.findall(r"(from|until) (\S+)", rest[tail:]))
        start = moment(when["from"]) if "from" in when else BEGINNING
        end = moment(when["until"]) if "until" in when else FOREVER
        self.world.price(lineage, document, Interval(start, end))

    def _contract(self, rest: str) -> None:
        made = self.world.contract(json.loads(rest))
        self.contract, self.customer = made.id, made.customer

    def _amend(self, rest: str) -> None:
        self.world.amend({"contract": self.contract, **json.loads(rest)})

    def _grant(self, rest: str) -> None:
        id_, amount, applies = rest.split()
        self.world.grant(Grant(id_, "usd", int(amount), "before_tax" if applies == "before_tax" else "after_tax"))

    def _event(self, rest: str) -> None:
        self.world.log(self._read_event(rest))

    def _cancel(self, rest: str) -> None:
        name, target = rest.split()
        self.world.log(Cancel(target, name))

    def _replace(self, rest: str) -> None:
        target, _, event = rest.partition(" with ")
        self.world.log(Replace(target, self._read_event(event)))

    def _read_event(self, rest: str) -> Event:
        id_, name, at, *properties = rest.split()
        return Event(id_, name, self.customer, moment(at), dict(pair.split("=", 1) for pair in properties))

    def _bill(self, rest: str) -> list[Bill]:
        return self.world.bill(self.contract, moment(rest.removeprefix("until ")))

    def _part(self, rest: str) -> list[Bill]:
        return self.world.part(self.contract, moment(rest.removeprefix("until ")))

    def _correct(self, rest: str) -> list[Bill]:
        return self.world.correct(self.contract)

    def _void(self, rest: str) -> None:
        number, how = rest.split()
        self.world.void(number, {"waive": True, "reissue": False}[how])

    def _waive(self, rest: str) -> None:
        number, _, place, amount = rest.split()
        line = next(one for one in self.world.bills if one.number == number).document.lines[int(place) - 1]
        self.world.waive(self.contract, line.key, int(amount))

    def _adjust(self, rest: str) -> None:
        id_, amount, start, end, description = rest.split(maxsplit=4)
        agreed = self.world.contracts[self.contract].versions[-1].value
        service = Interval(moment(start), moment(end))
        self.world.adjust(self.contract, Adjustment(id_, description, int(amount), service, Fraction(1), agreed.discounts, agreed.tax_rates))


def moment(text: str) -> Instant:
    """A time as scenarios write it."""
    clock = text if "T" in text else f"{text}T00:00"
    seconds = clock if re.search(r"T\d\d:\d\d:\d\d", clock) else re.sub(r"(T\d\d:\d\d)", r"\1:00", clock)
    return parse_instant(seconds if re.search(r"(Z|[+-]\d\d:\d\d)$", seconds) else seconds + "Z")


def shown(bill: Bill) -> Iterator[str]:
    """A document as scenarios write it: its number and period, its lines, its sums (those that are not zero, and the total)."""
    document = bill.document
    yield f"{bill.number} for {span(document.period, document.zone)}"
    for line in document.lines:
        yield " | ".join(_line(line, document.period, document.zone))
    sums = [("subtotal", document.subtotal), ("discount", document.discount), ("credit", document.credit_before_tax)]
    sums += [("tax", document.tax), ("tax included", document.tax_included)]
    found = [f"{name} {amount}" for name, amount in sums if amount and amount != document.total]
    before_tax = {grant for line in document.lines for grant, _ in line.credit_parts}
    used = ", ".join(f"{grant} {units}" for grant, units in document.grants_used if grant not in before_tax)
    paid = [f"paid by {used}", f"due {document.due}"] if used else []
    yield " | ".join([*found, f"total {document.total}", *paid])


def _line(line: Line, period: Interval, zone: str) -> Iterator[str]:
    kind = (
        ""
        if line.kind == "charge"
        else "adjustment: "
        if line.kind == "adjustment"
        else f"correction of {line.corrects}: "
        if line.corrects
        else "correction: "
    )
    yield f"{kind}{line.description}"
    yield show(line.quantity)
    yield str(line.amount) if line.exact == line.amount else f"{show(line.exact)} -> {line.amount}"
    if line.service != period:
        yield span(line.service, zone)
    for id_, part in line.discount_parts:
        yield f"discount {id_} {part}"
    for id_, part in line.credit_parts:
        yield f"credit {id_} {part}"
    for id_, taxable, tax in line.taxes:
        yield f"{id_} {tax} on {taxable}"
    if line.causes:
        yield "because of " + ", ".join(_cause(cause) for cause in line.causes)


def _cause(cause: Cause) -> str:
    return f"{cause.kind} {cause.id}"


def span(interval: Interval, zone: str) -> str:
    """An interval in a zone; midnights without a clock, others with their offset."""
    return f"{_clock(interval.start, zone)} to {_clock(interval.end, zone)}"


def _clock(at: Instant, zone: str) -> str:
    local = to_datetime(at, zone)
    return local.date().isoformat() if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0) else local.isoformat()
