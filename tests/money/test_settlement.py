"""Credits: what grants take off before tax and pay after it, in which order, and how corrections refill them."""

from dataclasses import replace

import pytest
from bill_builders import amounts, charges, correction, fixed, grant, grant_lists, issued_by, line, percent, positive_amounts, rate
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.invoice.discount import apply_discounts
from farthing.core.settlement.grants import Earlier, apply_after_tax, apply_before_tax
from farthing.core.tax.taxes import apply_taxes


def credits_of(lines, *grants):
    done, used = apply_before_tax(tuple(lines), grants)
    return [part.credit for part in done], used


def test_credits_before_tax_are_split_by_largest_remainder_over_the_nets():
    lines = (line(1500, "api"), line(1000, "seats"), line(500, "storage"))
    assert credits_of(lines, grant("g", 1000)) == ([500, 333, 167], (("g", 1000),))


def test_credits_before_tax_lower_what_is_taxed():
    done, _ = apply_before_tax((line(1000, tax_rates=(rate("vat", "1/5"),)),), (grant("g", 400),))
    assert apply_taxes(done)[0].taxes == (("vat", 600, 120),)


def test_grants_are_used_by_priority_then_id():
    grants = (grant("c", 100), grant("b", 100), grant("z", 100, priority=1))
    done, used = apply_before_tax((line(250),), grants)
    assert used == (("z", 100), ("b", 100), ("c", 50))
    assert done[0].credit_parts == used


def test_grants_are_listed_in_order_of_use_whichever_lines_they_pay_for():
    assert credits_of((line(1, "api"), line(2, "seats")), grant("g", 1), grant("h", 1)) == ([1, 1], (("g", 1), ("h", 1)))  # g pays for seats


def test_no_more_is_used_than_remains_or_than_is_due():
    assert credits_of((line(1000),), grant("g", 300)) == ([300], (("g", 300),))
    assert credits_of((line(1000, discount=800),), grant("g", 300)) == ([200], (("g", 200),))
    assert credits_of((line(1000),), grant("g", 0), grant("h", -5)) == ([0], ())


def test_negative_lines_lower_what_is_due_and_carry_no_credit():
    assert credits_of((line(1000, "api"), line(-400, "seats")), grant("g", 5000)) == ([600, 0], (("g", 600),))
    assert credits_of((line(1000, "api"), line(-1400, "seats")), grant("g", 5000)) == ([0, 0], ())


def test_only_grants_of_that_kind_and_currency_are_used():
    grants = (grant("after", 500, "after_tax"), grant("euro", 500, currency="eur"))
    assert credits_of((line(1000),), *grants) == ([0], ())
    assert apply_after_tax(1000, (grant("before", 500), grant("euro", 500, "after_tax", currency="eur")), "usd") == (0, ())


def test_a_correction_gives_back_the_credit_that_has_nothing_left_to_pay():
    (first,), used = apply_before_tax((line(1000),), (grant("a", 300, priority=1), grant("b", 500)))
    assert used == (("a", 300), ("b", 500))
    (less,), used = apply_before_tax((correction(-600, first),), ())
    assert (less.credit, used, less.net) == (-400, (("b", -400),), -200)  # 4.00 left: a's 3.00 and 1.00 of b stay; 2.00 was paid
    (rest,), used = apply_before_tax((correction(-400, first, less),), ())
    assert (rest.credit, used, rest.net) == (-400, (("b", -100), ("a", -300)), 0)


def test_each_grant_is_split_by_what_the_ones_before_it_left():
    assert credits_of((line(1, "api"), line(1, "seats")), grant("g", 1), grant("h", 1)) == ([1, 1], (("g", 1), ("h", 1)))


def test_a_correction_keeps_the_credit_that_the_discounted_amount_still_needs():
    (first,), _ = apply_before_tax(apply_discounts((line(1000, discounts=(percent("half", "1/2"),)),)), (grant("g", 500),))
    (less,), used = apply_before_tax(apply_discounts((correction(-400, first),)), ())
    assert (less.discount, less.credit, used, less.net) == (-200, -200, (("g", -200),), 0)


def test_a_refilled_grant_may_pay_other_lines_of_the_same_document():
    (first,), _ = apply_before_tax((line(1000),), (grant("g", 1000),))
    done, used = apply_before_tax((correction(-1000, first), line(700, "seats")), (grant("g", 0),))
    assert [part.credit for part in done] == [-1000, 700]
    assert used == (("g", -300),)


def test_a_late_charge_may_use_what_remains_of_a_grant():
    (first,), _ = apply_before_tax((line(1000),), (grant("g", 1000),))
    assert credits_of((correction(200, first),), grant("g", 150)) == ([150], (("g", 150),))


def test_a_correction_without_what_was_issued_is_an_error():
    with pytest.raises(ValueError, match="does not carry what was issued"):
        apply_before_tax((replace(line(5), kind="correction"),), ())


def test_credits_after_tax_pay_the_total_tax_included():
    assert apply_after_tax(1200, (grant("g", 500, "after_tax"), grant("f", 900, "after_tax")), "usd") == (1200, (("f", 900), ("g", 300)))


def test_a_negative_or_empty_total_uses_no_grant():
    assert apply_after_tax(0, (grant("g", 500, "after_tax"),), "usd") == (0, ())
    assert apply_after_tax(-300, (grant("g", 500, "after_tax"),), "usd") == (0, ())


def test_a_negative_total_refills_the_last_used_grant_first():
    earlier = Earlier(1000, (("a", 300), ("b", 500)))
    assert apply_after_tax(-600, (), "usd", [(earlier, -600)]) == (-400, (("b", -400),))
    assert apply_after_tax(-100, (), "usd", [(earlier, -100)]) == (0, ())
    assert apply_after_tax(-1000, (), "usd", [(earlier, -1000)]) == (-800, (("b", -500), ("a", -300)))


def test_each_corrected_document_gives_its_own_credit_back():
    """The first was paid in cash, the second by a grant: what is taken off the second goes back to its grant, whatever is left of the first."""
    cash, granted = Earlier(1000), Earlier(500, (("a", 500),))
    assert apply_after_tax(-500, (), "usd", [(cash, 0), (granted, -500)]) == (-500, (("a", -500),))
    assert apply_after_tax(-500, (), "usd", [(cash, -500), (granted, 0)]) == (0, ())
    assert apply_after_tax(-900, (), "usd", [(cash, -500), (granted, -400)]) == (-400, (("a", -400),))


def test_no_more_goes_back_to_grants_than_a_document_gives_back():
    """What it charges beside takes up the rest; of two documents the last one's grants are refilled first."""
    one, two = Earlier(500, (("a", 500),)), Earlier(400, (("b", 300), ("a", 100)))
    assert apply_after_tax(-600, (), "usd", [(one, -500), (two, -400)]) == (-600, (("a", -300), ("b", -300)))
    assert apply_after_tax(-50, (), "usd", [(one, -500), (two, -400)]) == (-50, (("a", -50),))


@given(charges(), grant_lists)
def test_no_grant_gives_more_than_it_has_and_no_line_falls_below_zero(lines, grants):
    discounted = apply_discounts(lines)
    done, used = apply_before_tax(discounted, grants)
    remaining = {one.id: one.remaining for one in grants if one.applies == "before_tax" and one.currency == "usd"}
    assert all(0 < units <= remaining[id_] for id_, units in used)
    assert all(0 <= part.credit <= max(part.amount - part.discount, 0) for part in done)
    assert sum(part.credit for part in done) == sum(units for _, units in used) == sum(sum(u for _, u in p.credit_parts) for p in done)


@given(charges(), grant_lists)
def test_all_that_is_due_is_paid_while_any_grant_remains(lines, grants):
    done, used = apply_before_tax(lines, grants)
    due = max(sum(part.amount for part in lines), 0)
    held = sum(one.remaining for one in grants if one.applies == "before_tax" and one.currency == "usd")
    assert sum(units for _, units in used) == (min(due, held) if lines else 0)
    assert [id_ for id_, _ in used] == [one.id for one in sorted(grants, key=lambda g: (g.priority, g.id)) if one.id in dict(used)]
    assert all(part.net >= 0 for part in done if part.amount >= 0)


@given(charges(), grant_lists, st.randoms(use_true_random=False))
def test_the_order_in_which_grants_are_given_changes_nothing(lines, grants, random):
    assert apply_before_tax(lines, tuple(random.sample(grants, len(grants)))) == apply_before_tax(lines, grants)


@given(charges(), grant_lists)
def test_applying_credits_twice_changes_nothing(lines, grants):
    once, used = apply_before_tax(lines, grants)
    assert apply_before_tax(once, grants) == (once, used)


@given(st.one_of(amounts), grant_lists)
def test_what_is_paid_after_tax_is_what_the_grants_gave(total, grants):
    paid, used = apply_after_tax(total, grants, "usd")
    assert paid == sum(units for _, units in used)
    assert 0 <= paid <= max(total, 0)


@given(positive_amounts, grant_lists, st.lists(amounts, max_size=4))
def test_corrections_keep_credits_between_nothing_and_what_is_billed(first, grants, steps):
    discounts = (percent("p", "1/3"), fixed("f", 40))
    done, _ = apply_before_tax(apply_discounts((line(first, discounts=discounts),)), grants)
    earlier = [done[0]]
    for step in [*steps, -first - sum(steps)]:
        late, used = apply_before_tax(apply_discounts((correction(step, *earlier),)), ())
        assert used == late[0].credit_parts
        assert late[0].credit <= 0
        earlier.append(late[0])
        whole = issued_by(*earlier)
        assert 0 <= whole.credit <= max(whole.amount - whole.discount, 0)
    assert sum(part.credit for part in earlier) == sum(part.net for part in earlier) == 0


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), max_size=4), st.lists(st.integers(-(10**9), 0), max_size=4))
def test_refills_after_tax_never_exceed_what_was_used(total, grants, steps):
    paid, used = apply_after_tax(total, tuple(grant(f"g{n}", units, "after_tax") for n, units in enumerate(grants)), "usd")
    balance, billed = dict(used), total
    for step in steps:
        back, refilled = apply_after_tax(step, (), "usd", [(Earlier(billed, tuple(balance.items())), step)])
        billed += step
        paid += back
        for id_, units in refilled:
            balance[id_] += units
        assert all(units >= 0 for units in balance.values())
        assert paid == sum(balance.values()) <= max(billed, 0) or paid == 0


def test_what_makes_up_for_a_bill_below_zero_is_paid_by_no_credit():
    """The first document paid 100 out; the correction takes that back, and nobody owes anything in the end."""
    grants = (grant("g", 500, "after_tax"),)
    assert apply_after_tax(100, grants, "usd", [(Earlier(-100), 100)]) == (0, ())
    assert apply_after_tax(160, grants, "usd", [(Earlier(-100), 160)]) == (60, (("g", 60),))
    assert apply_after_tax(160, grants, "usd", [(Earlier(-100), 100)]) == (60, (("g", 60),))
    (first,), _ = apply_before_tax((line(-100),), ())
    (late,), used = apply_before_tax((correction(100, first),), (grant("g", 500),))
    assert (late.credit, used) == (0, ())
    (more,), used = apply_before_tax((correction(160, first),), (grant("g", 500),))
    assert (more.credit, used) == (60, (("g", 60),))


def test_a_grant_for_certain_prices_lowers_their_lines_alone():
    lines = (line(1000, "api"), line(3000, "seats"), line(500, "storage"))
    prices = tuple(one.key.price for one in lines)
    assert len(set(prices)) == 3
    narrow = replace(grant("g", 5000), prices=(prices[0], prices[2]))
    assert credits_of(lines, narrow) == ([1000, 0, 500], (("g", 1500),))
    assert credits_of(lines, replace(narrow, remaining=300)) == ([200, 0, 100], (("g", 300),))
    assert credits_of(lines, replace(narrow, prices=())) == ([0, 0, 0], ())


def test_a_grant_for_certain_prices_pays_no_more_than_their_lines_or_the_document_come_to():
    lines = (line(1000, "api"), line(-400, "storage"), line(3000, "seats"))
    prices = tuple(one.key.price for one in lines)
    assert credits_of(lines, replace(grant("g", 5000), prices=prices[:2])) == ([600, 0, 0], (("g", 600),))
    less = (line(1000, "api"), line(-900, "seats"))
    assert credits_of(less, replace(grant("g", 5000), prices=(less[0].key.price,))) == ([100, 0], (("g", 100),))


def test_grants_for_all_and_for_certain_prices_share_what_is_due_in_order():
    lines = (line(1000, "api"), line(1000, "seats"))
    narrow = replace(grant("a", 700, priority=1), prices=(lines[0].key.price,))
    done, used = apply_before_tax(lines, (narrow, grant("b", 2000)))
    assert used == (("a", 700), ("b", 1300))
    assert [dict(one.credit_parts) for one in done] == [{"a": 700, "b": 300}, {"b": 1000}]
