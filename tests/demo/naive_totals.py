"""What the demo has to come to, computed apart: naive on purpose, standard library only, nothing of farthing imported.

Reads the bundled CSVs by itself and works both scenarios out from the sentences of the task, in integers and fractions.

    python tests/demo/naive_totals.py > tests/demo/expected.json

Amounts are minor units (US cents, pence). `expected.json` is this program's output, kept so that any change shows.
"""

import csv
import json
import lzma
import sys
from fractions import Fraction
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "src" / "farthing" / "demo" / "data"

UK = "United Kingdom and Channel Islands"
EEA_COUNTRIES = [
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
]
FEES_PERMILLE = {UK: Fraction(15), "EEA": Fraction(25), "International": Fraction(65, 2)}
FIXED_PENCE = 20
CENTS_PER_MILLION_TOKENS = {"input": 250, "output": 1000}

MONTHS = ["2010-12", *[f"2011-{month:02}" for month in range(1, 13)]]
FIRST_DAY_IN_SUMMER_TIME = {f"2011-{month:02}" for month in range(4, 11)}


def half_away_from_zero(amount: Fraction) -> int:
    """`amount` to the nearest integer; a half goes away from zero."""
    nearest = (abs(amount) + Fraction(1, 2)).__floor__()
    return nearest if amount >= 0 else -nearest


def exact_text(amount: Fraction) -> str:
    """`amount` as a plain decimal; only for amounts that terminate within 12 decimals."""
    shifted = amount * 10**12
    if shifted.denominator != 1 or shifted < 0:
        raise ValueError(f"{amount} has no short decimal")
    digits = str(shifted.numerator).rjust(13, "0")
    return (digits[:-12] + "." + digits[-12:]).rstrip("0").rstrip(".")


def read(folder: str, name: str) -> list[list[str]]:
    """All data rows of a bundled file, in order."""
    with lzma.open(DATA / folder / (name + ".xz"), "rt", encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


# --- an hour of two LLM services ------------------------------------------------------------------------------------


def llm_line(kind: str, tokens: int) -> dict[str, object]:
    """One line: the tokens at the list price per million, rounded once."""
    exact = Fraction(CENTS_PER_MILLION_TOKENS[kind] * tokens, 1_000_000)
    amount = half_away_from_zero(exact)
    return {"line": kind, "quantity": tokens, "amount_exact": exact_text(exact), "amount": amount}


def llm_invoice(customer: str, file: str) -> dict[str, object]:
    """The hour's bill of one customer, with what it was counted from."""
    rows = read("llm_azure_2023", file)
    lines = [llm_line("input", sum(int(row[1]) for row in rows)), llm_line("output", sum(int(row[2]) for row in rows))]
    return {
        "customer": customer,
        "period_start": "2023-11-16T18:15:00+00:00",
        "period_end": "2023-11-16T19:15:00+00:00",
        "currency": "usd",
        "requests": len(rows),
        "first": min(row[0] for row in rows),
        "last": max(row[0] for row in rows),
        "lines": lines,
        "total": sum(int(str(line["amount"])) for line in lines),
    }


# --- thirteen months of payments' fees ------------------------------------------------------------------------------


def mills(price: str) -> int:
    """A price in pounds, at most three decimals, as thousandths of a pound."""
    whole, _, decimals = price.partition(".")
    if len(decimals) > 3:
        raise ValueError(price)
    return int(whole + decimals.ljust(3, "0"))


def fee_class(country: str) -> str:
    """Which of the three classes a payment from `country` belongs to."""
    if country in ("United Kingdom", "Channel Islands"):
        return UK
    return "EEA" if country in EEA_COUNTRIES else "International"


def group(rows: list[list[str]]) -> dict[str, list[list[str]]]:
    """InvoiceNo → its rows."""
    groups: dict[str, list[list[str]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    return groups


def amount_in_pence(rows: list[list[str]]) -> int:
    """What the rows of one InvoiceNo come to."""
    return half_away_from_zero(Fraction(sum(int(row[3]) * mills(row[5]) for row in rows), 10))


def fees_by_month_and_class(groups: dict[str, list[list[str]]]) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """Month → class → (amount, fee) in pence of every payment. The month is London's, as the time is written."""
    months: dict[str, dict[str, list[tuple[int, int]]]] = {month: {name: [] for name in FEES_PERMILLE} for month in MONTHS}
    for number, rows in groups.items():
        pence = amount_in_pence(rows)
        if number[0] in ("C", "A") or pence <= 0:
            continue
        (country,) = {row[7] for row in rows}
        name = fee_class(country)
        fee = half_away_from_zero(FEES_PERMILLE[name] * pence / 1000 + FIXED_PENCE)
        months[min(row[4] for row in rows)[:7]][name].append((pence, fee))
    return months


def month_start(month: str) -> str:
    """The first instant of `month` in London."""
    return f"{month}-01T00:00:00{'+01:00' if month in FIRST_DAY_IN_SUMMER_TIME else '+00:00'}"


def fees_invoice(month: str, next_month: str, classes: dict[str, list[tuple[int, int]]]) -> dict[str, object]:
    """The merchant's bill for one month: a line per class that had a payment."""
    lines: list[dict[str, object]] = [
        {
            "line": name,
            "quantity": len(payments),
            "payments_pence": sum(pence for pence, _ in payments),
            "amount_exact": str(sum(fee for _, fee in payments)),
            "amount": sum(fee for _, fee in payments),
        }
        for name, payments in classes.items()
        if payments
    ]
    return {
        "customer": "online-retail",
        "period_start": month_start(month),
        "period_end": month_start(next_month),
        "currency": "gbp",
        "lines": lines,
        "total": sum(fee for payments in classes.values() for _, fee in payments),
    }


def pounds_text(rows: list[list[str]]) -> str:
    """The exact sum of Quantity times UnitPrice of any rows, in pounds, as the source's README writes it."""
    total = sum(int(row[3]) * mills(row[5]) for row in rows)
    sign = "-" if total < 0 else ""
    return sign + exact_text(Fraction(abs(total), 1000))


def retail_source(rows: list[list[str]], groups: dict[str, list[list[str]]]) -> dict[str, object]:
    """Totals of the whole file, to be held against those its source states."""
    return {
        "rows": len(rows),
        "pounds": pounds_text(rows),
        "cancellation_pounds": pounds_text([row for row in rows if row[0].startswith("C")]),
        "cancellations": sum(number.startswith("C") for number in groups),
        "other_numbers": sum(not number.startswith("C") for number in groups),
        "rows_without_customer": sum(row[6] == "" for row in rows),
        "pounds_without_customer": pounds_text([row for row in rows if row[6] == ""]),
        "pounds_united_kingdom": pounds_text([row for row in rows if row[7] == "United Kingdom"]),
        "countries": len({row[7] for row in rows}),
        "pounds_by_month": {month: pounds_text([r for r in rows if r[4].startswith(month)]) for month in MONTHS},
    }


def totals() -> dict[str, object]:
    """Everything `expected.json` holds."""
    rows = read("retail_online_uk", "online_retail.csv")
    groups = group(rows)
    months = fees_by_month_and_class(groups)
    invoices = [fees_invoice(month, following, months[month]) for month, following in zip(MONTHS, [*MONTHS[1:], "2012-01"], strict=True)]
    return {
        "llm": {
            "invoices": [
                llm_invoice("code-assistant", "AzureLLMInferenceTrace_code.csv"),
                llm_invoice("chat", "AzureLLMInferenceTrace_conv.csv"),
            ],
        },
        "fees": {
            "invoices": invoices,
            "payments": sum(len(payments) for classes in months.values() for payments in classes.values()),
            "payments_pence": sum(p for classes in months.values() for payments in classes.values() for p, _ in payments),
            "total": sum(int(str(invoice["total"])) for invoice in invoices),
            "source": retail_source(rows, groups),
        },
    }


if __name__ == "__main__":
    json.dump(totals(), sys.stdout, indent=1)
    sys.stdout.write("\n")
