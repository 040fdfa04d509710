"""An hour of requests to two LLM services as event documents, one per request, both token counts in its payload."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO

from farthing.demo import open_csv

FOLDER = "llm_azure_2023"
EVENT_NAME = "llm_request"
CUSTOMERS = {
    "AzureLLMInferenceTrace_code.csv": "code-assistant",
    "AzureLLMInferenceTrace_conv.csv": "chat",
}
"""File → customer. The source names no customers: each service counts as one."""

_HEADER = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6})\d", re.ASCII)
_COUNT = re.compile(r"[0-9]+")


def events() -> Iterator[dict[str, Any]]:
    """Every request of both bundled files, file after file in the file's order (28,185 events)."""
    for file, customer in CUSTOMERS.items():
        with open_csv(FOLDER, file) as stream:
            yield from requests(stream, file, customer)


def requests(stream: TextIO, file: str, customer: str) -> Iterator[dict[str, Any]]:
    """One event document per data row of `stream`; its identifier is `<file>:<row>`, rows counted from 1.

    Token counts are whole tokens written as decimal integers. A row that is not what the source promises raises
    ValueError with its identifier: nothing is skipped.
    """
    rows = csv.reader(stream)
    if (header := next(rows, None)) != _HEADER:
        raise ValueError(f"{file}: the header is {header}, expected {_HEADER}")
    for number, row in enumerate(rows, start=1):
        identifier = f"{file}:{number}"
        if len(row) != len(_HEADER):
            raise ValueError(f"{identifier}: {len(row)} fields, expected {len(_HEADER)}")
        yield {
            "identifier": identifier,
            "event_name": EVENT_NAME,
            "timestamp": _instant(row[0], identifier),
            "payload": {
                "stripe_customer_id": customer,
                "input_tokens": _tokens(row[1], identifier),
                "output_tokens": _tokens(row[2], identifier),
            },
        }


def _instant(text: str, identifier: str) -> str:
    """`text` (100 ns ticks, read as UTC) in RFC 3339 at microseconds: the seventh decimal is dropped, not rounded."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{identifier}: TIMESTAMP {text!r} is not YYYY-MM-DD hh:mm:ss with seven decimals")
    day, clock = match.groups()
    try:
        datetime.fromisoformat(f"{day}T{clock}")
    except ValueError as error:
        raise ValueError(f"{identifier}: TIMESTAMP {text!r} does not exist: {error}") from error
    return f"{day}T{clock}Z"


def _tokens(text: str, identifier: str) -> str:
    """`text` checked to be a whole number of tokens, in its shortest form."""
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{identifier}: {text!r} is not a whole number of tokens")
    return str(int(text))
