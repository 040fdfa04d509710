"""A contract that is declared anew while a bill of it becomes final: one waits for the other, and what would not fit is refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import replace
from typing import Any

import pytest

from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.builders import bill, contract, line, open_contract

Open = Callable[..., PostgresStore]
OTHER = replace(contract(), currency="eur")


def waits_then_refused(work: Any, meanwhile: Callable[[], Any], store: PostgresStore) -> str:
    """The refusal of work that has to wait for what `store` does meanwhile in a transaction."""
    with ThreadPoolExecutor(1) as pool:
        with store.transaction():
            meanwhile()
            waiting = pool.submit(work)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        with pytest.raises(Refusal) as caught:
            waiting.result(timeout=30)
    return caught.value.code


def test_a_contract_cannot_become_another_under_a_bill_that_becomes_final(account: Any, open_store: Open) -> None:
    one, two = open_store(account), open_store(account)
    open_contract(one)
    assert waits_then_refused(lambda: two.put_contract(OTHER), lambda: one.finalise(*bill("in_1", line(100))), one) == "contract_changed"
    assert [known.currency for known in two.contracts()] == ["usd"]


def test_a_bill_cannot_become_final_under_a_contract_that_becomes_another(account: Any, open_store: Open) -> None:
    one, two = open_store(account), open_store(account)
    open_contract(one)
    assert waits_then_refused(lambda: two.finalise(*bill("in_1", line(100))), lambda: one.put_contract(OTHER), one) == "document_outdated"
    assert list(two.documents()) == []
