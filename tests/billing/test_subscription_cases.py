"""Lives of subscriptions that once went wrong, each with its amounts computed by hand."""

from __future__ import annotations

import pytest
from billing_lives import DAY, HOUR, Life, check, check_settled, second, worth

from farthing.app.billing.collect import change_subscription
from farthing.app.billing.invoices import current
from farthing.app.settlement.balances import change_balance
from farthing.core.base.refusal import Refusal


def totals(life: Life) -> list[tuple[str, int]]:
    """State and total of all invoices, drafts as they are now."""
    return [(row.document["status"], current(life.desk, row)["total"]) for row in life.invoices()]


def test_a_change_without_proration_leaves_earlier_ones_to_be_billed() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 2})
    life.forward(15 * DAY)
    life.change(held.id, items=life.entries(held.id, "month", {"seats": 4}))
    assert worth(life) == 1998 - 999 + 1998  # half of April at 4 instead of 2
    life.forward(5 * DAY)
    life.change(held.id, items=life.entries(held.id, "month", {"seats": 9}), proration_behavior="none")
    assert worth(life) == 1998 - 999 + 1998
    life.forward(11 * DAY)
    assert totals(life) == [("paid", 1998), ("paid", 999 + 9 * 999)]
    check_settled(life)


def test_a_change_without_proration_while_a_draft_waits_leaves_the_draft() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    life.forward(30 * DAY + HOUR // 2)
    assert totals(life)[-1] == ("draft", 999)
    life.change(held.id, items=life.entries(held.id, "month", {"seats": 5}), proration_behavior="none")
    assert totals(life)[-1] == ("draft", 999)
    life.forward(31 * DAY + HOUR)
    assert totals(life)[1:] == [("paid", 999), ("paid", 4995)]


def test_a_cancellation_while_a_draft_waits_leaves_the_draft() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    life.forward(30 * DAY + HOUR // 2)
    life.cancel(held.id)
    life.forward(2 * HOUR)
    assert totals(life)[1:] == [("paid", 999)]
    check_settled(life)


def test_a_preview_while_a_draft_waits_has_nothing_of_the_draft() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    life.forward(30 * DAY + HOUR // 2)
    found = life.previewed(held.id)
    assert found is not None and found["total"] == 999
    assert [line["period"]["start"] for line in found["lines"]["data"]] == [second("2026-06-01")]
    assert totals(life)[-1] == ("draft", 999)


def test_usage_that_comes_after_another_interval_began_is_billed() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"calls": 1})
    life.forward(15 * DAY)
    life.change(held.id, items=life.entries(held.id, "3 days", {"seats": 1}))
    life.use(100, 10 * DAY)  # at 0.7
    life.forward(3 * DAY + 2 * HOUR)
    assert totals(life)[-1] == ("paid", 999 + 70)
    check_settled(life)


def test_nothing_was_ever_agreed_with_a_subscription_that_expired() -> None:
    life = Life(second("2026-04-01"), method=None)
    held = life.begin("month", {"seats": 2})
    life.forward(HOUR)
    life.change(held.id, items=life.entries(held.id, "month", {"seats": 3}))
    life.forward(2 * DAY)
    assert life.row(held.id).document["status"] == "incomplete_expired"
    check_settled(life)
    assert [one for one in totals(life) if one[0] != "void"] == [("paid", 0)]


def test_a_change_is_made_in_the_period_that_is_now_although_nobody_began_it_yet() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    life.at = second("2026-05-16T12:00")  # nothing of what was due is done
    changed = life.change(held.id, items=life.entries(held.id, "month", {"seats": 3}), proration_behavior="always_invoice")
    assert changed.document["items"]["data"][0]["current_period_start"] == second("2026-05-01")
    assert totals(life) == [("paid", 999), ("open", 999), ("paid", 500 - 999 + 1499)]  # half of May at 3 instead of 1
    check(life)


def test_without_proration_the_time_before_the_anchor_is_free() -> None:
    life = Life(second("2026-04-01"))
    life.begin("month", {"seats": 1}, billing_cycle_anchor=second("2026-04-11"), proration_behavior="none")
    assert totals(life) == []
    life.forward(10 * DAY + 2 * HOUR)
    assert totals(life) == [("paid", 999)]
    check_settled(life)


def test_another_interval_without_proration_gives_nothing_back() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    life.forward(15 * DAY)
    life.change(held.id, items=life.entries(held.id, "week", {"seats": 1}), proration_behavior="none")
    assert totals(life) == [("paid", 999), ("paid", 999)]
    check_settled(life)


def test_a_trial_that_ends_now_is_billed_now() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1}, trial_period_days=10)
    life.forward(DAY)
    life.change(held.id, trial_end="now")
    assert totals(life) == [("paid", 0), ("paid", 999)]


def test_a_trial_of_a_subscription_that_has_none_is_refused() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    with pytest.raises(Refusal) as refused:
        life.change(held.id, trial_end=life.at + 5 * DAY)
    assert (refused.value.code, refused.value.field) == ("subscription_time_out_of_range", "trial_end")


def test_an_item_is_metered_or_licensed_for_ever() -> None:
    life = Life(second("2026-04-01"))
    held = life.begin("month", {"seats": 1})
    (item,) = held.document["items"]["data"]
    with pytest.raises(Refusal) as refused:
        change_subscription(life.desk, held.id, {"items": [{"id": item["id"], "price": life.price("calls", "month")}]})
    assert (refused.value.code, refused.value.field) == ("subscription_item_usage_type", "items[0][price]")


def test_a_balance_pays_in_its_own_currency_only() -> None:
    life = Life(second("2026-04-01"))
    change_balance(life.desk, life.customer, -500, "eur", "adjustment")
    life.begin("month", {"seats": 1})
    assert [(row.document["starting_balance"], row.document["amount_due"]) for row in life.invoices()] == [(0, 999)]
