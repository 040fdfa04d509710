"""Reads the arithmetic in the text of an explanation by the grammar of docs/explanations.md, and computes it again.

statement  = value "=" expression
expression = sum [rounding]
sum        = product {("+" | "−") product}
product    = atom {("×" | "÷") atom}
atom       = number [words] | "the larger of" sum "and" sum | "the smaller of" sum "and" sum
rounding   = "rounded half away from zero" | "rounded half to even" | "rounded up" | "rounded down"
"""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

TOKEN = re.compile(
    r"\s*(?P<number>−?\d[\d,]*(?:\.\d+)?(?:/\d[\d,]*)?)|\s*(?P<phrase>the larger of|the smaller of|rounded half away from zero|rounded half to even"
    r"|rounded up|rounded down|and\b)|\s*(?P<operator>[=+−×÷])|\s*(?P<word>[A-Za-z]+)"
)
MODES = {
    "rounded half away from zero": ROUND_HALF_UP,
    "rounded half to even": ROUND_HALF_EVEN,
    "rounded up": ROUND_CEILING,
    "rounded down": ROUND_FLOOR,
}


def statements(text):
    """Every statement in the text of an explanation, line by line."""
    found = []
    for line in text.splitlines():
        plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        segment = plain.split("; ")[0].rsplit(": ", 1)[-1]
        if " = " in segment:
            found.append(segment)
    return found


def holds(statement):
    """Whether what the statement says is so; ValueError where it cannot be read."""
    tokens = _tokens(statement)
    result, rest = tokens[0], tokens[1:]
    while rest and rest[0][0] == "word":
        rest = rest[1:]
    if result[0] != "number" or not rest or rest[0] != ("operator", "="):
        raise ValueError(f"no statement: {statement}")
    reader = _Reader(rest[1:])
    value = reader.sum()
    if reader.peek() in MODES:
        value = _rounded(value, len(result[1].partition(".")[2]), MODES[reader.take()])
    if reader.rest:
        raise ValueError(f"not read: {reader.rest} in {statement}")
    return number(result[1]) == value


def number(text):
    return Fraction(text.replace(",", "").replace("−", "-"))


def _tokens(statement):
    tokens, at = [], 0
    while at < len(statement.rstrip()):
        match = TOKEN.match(statement, at)
        if match is None:
            raise ValueError(f"cannot read {statement[at:]!r} in {statement!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


def _rounded(value, places, mode):
    """Rounded by Python's decimal, wide enough to be exact, so that the rounding under test is not used to test itself."""
    scaled = value * 10**places
    floor, rest = divmod(scaled.numerator, scaled.denominator)
    half = 2 * rest - scaled.denominator
    tail = "0" if not rest else "0.5" if not half else "0.3" if half < 0 else "0.7"
    with localcontext(prec=200):
        return Fraction((Decimal(floor) + Decimal(tail)).to_integral_value(rounding=mode)) / 10**places


class _Reader:
    def __init__(self, tokens):
        self.rest = [token for token in tokens if token[0] != "word"]

    def peek(self):
        return self.rest[0][1] if self.rest else None

    def take(self):
        return self.rest.pop(0)[1]

    def sum(self):
        value = self.product()
        while self.peek() in ("+", "−"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self):
        value = self.atom()
        while self.peek() in ("×", "÷"):
            value = value * self.atom() if self.take() == "×" else value / self.atom()
        return value

    def atom(self):
        kind, text = self.rest.pop(0)
        if kind == "number":
            return number(text)
        if text not in ("the larger of", "the smaller of"):
            raise ValueError(f"{text!r} is no number")
        one = self.sum()
        if self.take() != "and":
            raise ValueError("a comparison names two values")
        other = self.sum()
        return max(one, other) if text == "the larger of" else min(one, other)
