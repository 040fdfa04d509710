"""Postings: balanced by construction, in accounts of the chart, and true to the document they book."""

from dataclasses import replace

import pytest
from bill_builders import charges, correction, document, fixed, grant, grant_lists, line, percent, rate
from hypothesis import given
from hypothesis import strategies as st

from farthing.core.base.canonical import canonical_json
from farthing.core.invoice.discount import apply_discounts
from farthing.core.ledger.accounts import CHART
from farthing.core.ledger.periods import AccountingPeriod
from farthing.core.ledger.postings import assert_balanced, posting_document, postings_for, reversal
from farthing.core.settlement.grants import apply_after_tax, apply_before_tax
from farthing.core.tax.taxes import apply_taxes, exclusive_tax, included_tax

MAY_2025 = AccountingPeriod(2025, 5)


def finished(lines, grants=(), kind="invoice"):
    """A document from lines, through discounts, credits and tax in the declared order."""
    done, before = apply_before_tax(apply_discounts(tuple(lines)), grants)
    done = apply_taxes(done)
    total = sum(part.net for part in done) + exclusive_tax(done)
    paid, after = apply_after_tax(total, grants, "usd")
    return document(done, paid, (*before, *after), kind)


def legs(bill):
    return [(posting.account, posting.subject, posting.amount) for posting in postings_for(bill, MAY_2025)]


def test_an_invoice_debits_receivable_and_credits_and_credits_revenue_and_tax():
    vat = (rate("vat", "1/5"),)
    bill = finished(
        [line(1000, "api", (percent("p", "1/10"),), vat), line(500, "seats", (percent("p", "1/10"),), vat)],
        (grant("gift", 350), grant("prepaid", 200, "after_tax")),
    )
    assert bill.due == 1000  # 1500 − 150 = 1350; − 350 = 1000; + 200 tax = 1200; − 200 = 1000
    assert legs(bill) == [
        ("receivable", "", 1000),
        ("customer_credits", "gift", 350),
        ("customer_credits", "prepaid", 200),
        ("revenue", "api", -900),
        ("tax_payable", "vat", -200),
        ("revenue", "seats", -450),
    ]


def test_contained_tax_is_no_revenue():
    bill = finished([line(1200, tax_rates=(rate("vat", "1/5", inclusive=True),))])
    assert legs(bill) == [("receivable", "", 1200), ("revenue", "api", -1000), ("tax_payable", "vat", -200)]


def test_a_void_reverses_every_leg():
    bill = finished([line(1000, "api", (), (rate("vat", "1/5"),)), line(500, "seats")], (grant("gift", 350),))
    back = reversal(bill, "INV-1", MAY_2025)
    assert [(leg.account, leg.subject, -leg.amount) for leg in back] == legs(bill)
    assert {leg.entry for leg in back} == {"void"}
    assert all(leg.memo.endswith("(void INV-1)") for leg in back)


def test_a_credit_note_of_everything_reverses_every_leg():
    lines = [line(1000, "api", (fixed("f", 100),), (rate("vat", "1/5"),))]
    bill = finished(lines, (grant("gift", 300),))
    note = finished([correction(-part.amount, part) for part in bill.lines], kind="credit_note")
    note = replace(note, grants_used=(("gift", -300),))
    assert sorted(legs(note)) == sorted((account, subject, -units) for account, subject, units in legs(bill))


def test_lines_of_one_item_make_one_leg_and_legs_of_zero_are_left_out():
    bill = finished([line(700, "api"), line(300, "api"), line(0, "seats", tax_rates=(rate("vat", "1/5"),))])
    assert legs(bill) == [("receivable", "", 1000), ("revenue", "api", -1000)]


def test_a_document_that_comes_to_nothing_posts_nothing():
    assert legs(finished([line(0)])) == []
    assert legs(finished([])) == []


def test_a_document_that_does_not_add_up_is_an_error():
    bill = finished([line(1000)])
    with pytest.raises(ValueError, match="out of balance by 1 minor units of usd"):
        postings_for(replace(bill, due=1001), MAY_2025)


def test_postings_of_unknown_accounts_are_an_error():
    (posting, _) = postings_for(finished([line(1000)]), MAY_2025)
    with pytest.raises(ValueError, match="'petty_cash' is not in the chart"):
        assert_balanced([replace(posting, account="petty_cash")])


def test_balance_is_asserted_in_each_currency_apart():
    (debit, credit) = postings_for(finished([line(1000)]), MAY_2025)
    with pytest.raises(ValueError, match="out of balance"):
        assert_balanced([debit, replace(credit, currency="eur")])


def test_a_posting_document_holds_signed_minor_units_and_has_a_canonical_form():
    (debit, _) = postings_for(finished([line(1000)]), MAY_2025)
    assert posting_document(debit) == {
        "account": "receivable",
        "subject": "",
        "amount": 1000,
        "currency": "usd",
        "entry": "invoice",
        "period": "2025-05",
        "customer": "acme",
        "contract": "con_1",
        "memo": "Accounts receivable",
    }
    assert canonical_json(posting_document(debit))


def test_the_chart_names_each_account_once_and_says_what_it_is_kept_apart_by():
    assert list(CHART) == [account.code for account in CHART.values()]
    assert {account.subject for account in CHART.values()} <= {"", "item", "tax_rate", "grant"}
    wanted = {"receivable", "unbilled", "deferred_revenue", "revenue", "tax_payable", "customer_credits", "cash", "fx_gain", "fx_loss", "bad_debt"}
    assert wanted <= set(CHART)


@given(charges(), grant_lists)
def test_every_document_posts_legs_that_sum_to_zero(lines, grants):
    assert sum(units for _, _, units in legs(finished(lines, grants))) == 0


@given(charges(), grant_lists)
def test_the_books_agree_with_the_document(lines, grants):
    bill = finished(lines, grants)
    sums = dict.fromkeys(CHART, 0)
    for account, _, units in legs(bill):
        sums[account] += units
    assert sums["receivable"] == bill.due
    assert sums["customer_credits"] == bill.credit_before_tax + bill.credit_after_tax
    assert -sums["tax_payable"] == bill.tax + bill.tax_included == exclusive_tax(bill.lines) + included_tax(bill.lines)
    assert -sums["revenue"] == bill.subtotal - bill.discount - bill.tax_included


@given(charges(min_size=1), st.randoms(use_true_random=False))
def test_bills_and_their_full_reversals_leave_nothing_in_the_books(lines, random):
    bill = finished(lines, (grant("g", 500),))
    notes = [finished([correction(-part.amount, part)], kind="credit_note") for part in random.sample(bill.lines, len(bill.lines))]
    notes = [replace(note, grants_used=note.lines[0].credit_parts) for note in notes]
    sums = {}
    for one in [bill, *notes]:
        for account, subject, units in legs(one):
            sums[account, subject] = sums.get((account, subject), 0) + units
    assert not any(sums.values())
