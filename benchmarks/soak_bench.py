"""Whether the service keeps its memory flat under a mixture of reads and writes at a steady rate, three times a hundred million requests a day.

`farthing serve`, one process with its worker, and the compiled client (http_load.c) at 1,200 requests a second: of a hundred requests 71 are
single meter events, 21 read (customers, lists, invoices, usage summaries, a preview), 8 write (customers, new and changed). The client begins
requests evenly whether or not earlier ones were answered, and counts a latency from when the request was due.

Memory is the resident size of the service's process, read twice a second; its growth is the median over the last fifth of the run against
that over the second fifth (caches and pools are full by then). The quick run is short: it finds what grows with each request, the full run of
ten minutes what grows slowly.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.http_bench import KEY, Results, compiled, database, load, service

RATE, CONNECTIONS, SECONDS, QUICK_SECONDS = 1_200, 64, 600, 30
CUSTOMERS = 20
APART = 0.5
"""Seconds between two readings of the memory."""


def run(quick: bool) -> Results:
    """The rate that was kept, the latency, and by how much the memory grew."""
    seconds = QUICK_SECONDS if quick else SECONDS
    with tempfile.TemporaryDirectory() as folder, database() as server, service(server) as (port, pid):
        client = compiled(Path(folder))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=(KEY, ""), timeout=60) as api:
            requests = mixture(api)
        with sampled(pid) as memory:
            measured = load(client, port, seconds, "soak", requests, RATE, CONNECTIONS)
    return _results(measured, memory, seconds)


def mixture(api: httpx.Client) -> list[str]:
    """A hundred requests in the proportions that are sent, over customers that subscribe to a meter's price."""
    meter = api.get("/v1/billing/meters").json()["data"][0]["id"]
    product = _made(api, "/v1/products", {"name": "API"})
    recurring = {"recurring[interval]": "month", "recurring[usage_type]": "metered", "recurring[meter]": meter}
    price = _made(api, "/v1/prices", {"product": product, "currency": "usd", "unit_amount": "2", **recurring})
    customers = [_made(api, "/v1/customers", {"name": f"Customer {number}", "email": f"c{number}@example.com"}) for number in range(CUSTOMERS)]
    subscriptions = [_made(api, "/v1/subscriptions", {"customer": customer, "items[0][price]": price}) for customer in customers]
    now = _second(api)
    day = now - now % 86_400
    found: list[str] = []
    for number in range(100):
        customer, subscription = customers[number % CUSTOMERS], subscriptions[number % CUSTOMERS]
        match number % 50:
            case 0 | 7 | 14 | 21:
                found.append(f"GET /v1/customers/{customer}")
            case 3 | 28:
                found.append("GET /v1/customers?limit=5")
            case 10 | 35:
                found.append(f"GET /v1/invoices?customer={customer}&limit=3")
            case 17 | 42:
                found.append(f"GET /v1/billing/meters/{meter}/event_summaries?customer={customer}&start_time={day}&end_time={day + 86_400}")
            case 24 if number < 50:
                found.append(f"POST /v1/invoices/create_preview subscription={subscription}")
            case 5 | 18 | 31:
                found.append(f"POST /v1/customers/{customer} metadata[seen]=%n")
            case 44:
                found.append("POST /v1/customers name=Customer+%n")
            case _:
                found.append(f"POST /v1/billing/meter_events event_name=bench&payload[stripe_customer_id]={customer}&payload[value]=%v")
    return found


def _made(api: httpx.Client, path: str, fields: dict[str, str]) -> str:
    answer = api.post(path, data=fields)
    answer.raise_for_status()
    id_: str = answer.json()["id"]
    return id_


def _second(api: httpx.Client) -> int:
    """The service's clock, in seconds."""
    created: int = api.post("/v1/customers", data={}).json()["created"]
    return created


@contextmanager
def sampled(pid: int) -> Iterator[list[float]]:
    """The resident MiB of a process, read again and again for as long as the block lasts."""
    found: list[float] = []
    stop = threading.Event()

    def read() -> None:
        status = Path(f"/proc/{pid}/status")
        while not stop.wait(APART):
            line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:"))
            found.append(int(line.split()[1]) / 1024)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _results(measured: dict[str, Any], memory: list[float], seconds: int) -> Results:
    fifth = max(1, len(memory) // 5)
    early, late = statistics.median(memory[fifth : 2 * fifth]), statistics.median(memory[-fifth:])
    details = {
        "seconds": seconds,
        "wanted_requests_per_second": RATE,
        "refused": measured["failed"],
        "memory_mib_early_and_late": [round(early, 1), round(late, 1)],
        **{f"{name}_ms": measured[name] / 1000 for name in ("p50", "p90", "p99", "p999", "max")},
    }
    rate = (measured["requests"] - measured["failed"]) / measured["seconds"]
    return {
        "soak_requests_per_second": {"value": round(rate), "unit": "requests/s", "goal": round(RATE * 0.99), "better": "higher", "details": details},
        "soak_memory_growth": {"value": round(late / early, 3), "unit": "ratio", "goal": 1.1, "better": "lower"},
    }


if __name__ == "__main__":
    print(json.dumps(run(quick=True), indent=2))
