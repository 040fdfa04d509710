"""The generated part of docs/api.md names every operation of the wire contract, and every parameter of those that are served."""

from __future__ import annotations

import re

from farthing.edges.http.resources import register
from farthing.edges.http.routes import ROUTES
from farthing.edges.http.wire import contract
from tools import api_page

SHOWN = api_page.generated()


def test_every_operation_is_there_once_as_served_or_not() -> None:
    register()
    served = set(re.findall(r"^\| `([A-Z]+ /v[0-9a-z_{}/.]+)` \|", SHOWN, re.MULTILINE))
    listed = re.findall(r"`((?:GET|POST|DELETE) /v[^`]+)`", SHOWN)
    assert sorted(listed) == sorted(f"{one.method} {one.path}" for one in contract.operations())
    assert served == {f"{method} {path}" for method, path in ROUTES if not path.startswith("/ext/")}
    assert f"{len(served)} are served" in SHOWN and f"{len(listed) - len(served)} are not" in SHOWN


def test_every_parameter_is_taken_or_refused_by_name() -> None:
    register()
    for operation in contract.operations():
        if (operation.method, operation.path) not in ROUTES:
            continue
        named = {name.partition("[")[0] for name in (*api_page.taken(operation), *api_page.untaken(operation))}
        assert named | {"expand"} >= set(operation.params.fields), operation.path
    prices = contract.operation("POST", "/v1/prices")
    assert prices is not None
    assert "recurring" in api_page.taken(prices) and "custom_unit_amount" in api_page.untaken(prices)


def test_statuses_are_those_that_are_declared() -> None:
    assert "| 409 | `idempotency_error` | `idempotency_key_in_use` |" in SHOWN
    assert "| 503 | `api_error` | `database_busy`" in SHOWN


def test_what_is_written_by_hand_stays() -> None:
    page = api_page.page(f"by hand\n{api_page.BEGIN}\nfrom before\n{api_page.END}\nbehind\n")
    assert page.startswith("by hand\n") and page.endswith(f"{api_page.END}\nbehind\n") and "from before" not in page
    assert api_page.page(page) == page
