"""Which credits after tax paid which bill: what a further correction gives back is settled against it."""

from dataclasses import replace

from bill_builders import document, issued_by, line

from farthing.core.settlement.grants import Earlier
from farthing.core.settlement.originals import originals


def corrects(number, amount, *earlier):
    return replace(line(amount, "old"), kind="correction", corrects=number, issued=issued_by(*earlier))


def bill(lines, *used):
    """A final document, paid by grants after tax."""
    return replace(document(lines, sum(units for _, units in used), used), corrects=tuple(sorted({one.corrects for one in lines if one.corrects})))


FIRST = line(100, "old")


def test_a_bill_that_also_adds_to_another_is_paid_itself_first_and_each_unit_pays_once():
    both = bill((line(50, "new"), corrects("A", 30, FIRST)), ("g", 40), ("h", 40))
    assert originals([("A", bill((FIRST,))), ("B", both)]) == {
        "A": Earlier(130, (("h", 30),)),
        "B": Earlier(50, (("g", 40), ("h", 10))),
    }


def test_one_grant_pays_one_bill_after_the_other():
    both = bill((line(50, "new"), corrects("A", 30, FIRST), corrects("Z", 20, FIRST)), ("g", 90))
    assert originals([("A", bill((FIRST,))), ("Z", bill((line(100, "other"),))), ("B", both)]) == {
        "A": Earlier(130, (("g", 30),)),
        "Z": Earlier(120, (("g", 10),)),
        "B": Earlier(50, (("g", 50),)),
    }


def test_what_is_freed_pays_what_is_charged_in_its_place_and_no_unit_is_lost():
    """A was below zero, and B brought it above: all of that was paid by a grant. What A has less to pay than that is the next bill's."""
    first, second = bill((line(-50, "old"),)), bill((corrects("A", 80, line(-50, "old")),), ("g", 80))
    third = bill((line(5, "new"), corrects("A", -1, line(-50, "old"), line(80, "old"))), ("h", 4))
    after = originals([("A", first), ("B", second), ("C", third)])
    assert after == {"A": Earlier(29, (("g", 29),)), "B": Earlier(0), "C": Earlier(5, (("h", 4), ("g", 51)))}
    assert sum(units for one in after.values() for _, units in one.used) == 84
