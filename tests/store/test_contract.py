"""What every store does: one suite, over the store in memory and over PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from farthing.app.store import EventQuery, Receipt, Store, Void, void_entry
from farthing.core.base.refusal import Refusal
from farthing.core.base.time import FOREVER, Interval
from farthing.core.base.timeline import ALL_TIME, Version
from farthing.core.catalog.terms import Grant
from farthing.core.contract.contract import Agreement, Item
from farthing.core.events.event import Cancel, Event, Replace
from farthing.core.invoice.document import key_text
from farthing.core.ledger.periods import AccountingPeriod
from farthing.testing.builders import FEBRUARY, JANUARY, MARCH, METER, YEAR, bill, contract, event, line, open_contract, price, reverse


def query(up_to: int, span: Interval = ALL_TIME, **more) -> EventQuery:
    return EventQuery("call", span, up_to, **more)


def known(store: Store, up_to: int | None = None, **more) -> list[str]:
    return [one.identifier for one in store.events(query(store.head() if up_to is None else up_to, **more))]


def check_refused(code: str, call, *arguments, field=...) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    assert caught.value.code == code
    if field is not ...:
        assert caught.value.field == field
    return caught.value


# ── the log ──


def test_an_empty_log_has_head_zero_and_no_events(store: Store) -> None:
    assert store.head() == 0
    assert store.append([]) == Receipt(0, 0, (), 0)
    assert known(store) == []


def test_facts_get_dense_positions_in_the_order_in_which_they_were_sent(store: Store) -> None:
    assert store.append([event("b"), event("a"), event("c")]) == Receipt(3, 0, (), 3)
    assert store.append([event("d")]).head == 4
    assert [(one.identifier, one.position) for one in store.events(query(4))] == [("b", 1), ("a", 2), ("c", 3), ("d", 4)]


def test_an_event_comes_back_as_it_was_sent(store: Store) -> None:
    strange = {"value": "12.5", "tab\t": "a\\b\nc\rd", "quote\"'": "\\N", "é☃": "\u2028\x7f", "empty": "", "%s": "%(x)s {}"}
    sent = Event("id \\ \t%s'", "call", 'cus"\\', JANUARY.start + 1, strange)
    store.append([sent])
    assert list(store.events(query(1))) == [replace(sent, position=1)]


def test_the_same_event_again_is_a_duplicate_wherever_it_comes(store: Store) -> None:
    store.append([event("a"), event("b")])
    receipt = store.append([event("a"), event("c"), event("c"), event("b")])
    assert receipt == Receipt(1, 3, (), 3)
    assert known(store) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "other",
    [
        event("a", 2),
        event("a", customer="globex"),
        event("a", at=JANUARY.start + 1),
        event("a", name="answer"),
        event("a", region="eu"),
        Replace("z", event("a")),
    ],
)
def test_other_content_under_a_taken_identifier_is_refused_and_the_rest_of_the_batch_lands(store: Store, other) -> None:
    store.append([event("a")])
    receipt = store.append([event("b"), other, event("c")])
    assert (receipt.accepted, receipt.duplicates, receipt.head) == (2, 0, 3)
    [(index, refusal)] = receipt.conflicts
    assert (index, refusal.code, refusal.field) == (1, "identifier_conflict", "identifier")
    assert '"a"' in refusal.message
    assert known(store) == ["a", "b", "c"]


def test_other_content_within_one_batch_is_refused_too(store: Store) -> None:
    receipt = store.append([event("a"), event("a", 2), event("a")])
    assert (receipt.accepted, receipt.duplicates, [index for index, _ in receipt.conflicts]) == (1, 1, [1])
    assert next(iter(store.events(query(1)))).properties["value"] == "1"


def test_properties_in_another_order_are_the_same_content(store: Store) -> None:
    store.append([Event("a", "call", "acme", 5, {"x": "1", "y": "2"})])
    assert store.append([Event("a", "call", "acme", 5, {"y": "2", "x": "1"})]).duplicates == 1


def test_a_cancellation_takes_its_event_out_from_its_position_on(store: Store) -> None:
    store.append([event("a"), event("b")])
    assert store.append([Cancel("a", "call")]) == Receipt(1, 0, (), 3)
    assert known(store, 2) == ["a", "b"]
    assert known(store, 3) == ["b"]
    assert store.append([Cancel("a", "call")]) == Receipt(0, 1, (), 3)


def test_a_cancellation_may_come_first(store: Store) -> None:
    store.append([Cancel("a", "call")])
    store.append([event("a"), event("b")])
    assert known(store) == ["b"]


def test_a_cancellation_that_names_another_event_is_refused(store: Store) -> None:
    store.append([event("a")])
    receipt = store.append([Cancel("a", "answer"), Cancel("unknown", "answer")])
    assert (receipt.accepted, [(index, one.code) for index, one in receipt.conflicts]) == (1, [(0, "cancel_names_other_event")])
    assert known(store) == ["a"]


def test_a_cancellation_of_another_event_name_that_came_first_takes_nothing_out(store: Store) -> None:
    store.append([Cancel("a", "answer"), event("a")])
    assert known(store) == ["a"]


def test_a_replacement_counts_in_the_stead_of_its_target(store: Store) -> None:
    store.append([event("a", 1), event("b")])
    assert store.append([Replace("a", event("a2", 5))]).head == 3
    assert known(store, 2) == ["a", "b"]
    assert [(one.identifier, one.properties["value"], one.position) for one in store.events(query(3))] == [("b", "1", 2), ("a2", "5", 3)]
    assert store.append([Replace("a", event("a2", 5))]).duplicates == 1


def test_a_replacement_may_come_first_and_be_cancelled_or_replaced_itself(store: Store) -> None:
    store.append([Replace("a", event("a2")), event("a"), Replace("a2", event("a3")), Cancel("a3", "call")])
    assert [known(store, up_to) for up_to in range(5)] == [[], ["a2"], ["a2"], ["a3"], []]


def test_a_second_replacement_of_a_target_is_refused(store: Store) -> None:
    receipt = store.append([event("a"), Replace("a", event("x")), Replace("a", event("y"))])
    assert [(index, one.code, one.field) for index, one in receipt.conflicts] == [(2, "event_replaced_already", "replace.identifier")]
    assert store.append([Replace("a", event("z"))]).conflicts[0][1].code == "event_replaced_already"
    assert known(store) == ["x"]
    assert store.append([event("y")]).accepted == 1, "a refused fact takes no identifier"


CIRCLES = [
    ("a a", []),
    ("a b, b a", ["b"]),
    ("a b, b c, c a", ["c"]),
    ("b c, c a, a b", ["a"]),
    ("c a, a b, b c", ["b"]),
    ("a b, c d, d a, b c", ["b"]),
    ("x a, a b, b a", ["b"]),
]
"""Replacements by target and identifier, in order of arrival, the last of which would close a circle; and what counts without it."""


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize(("sent", "counts"), CIRCLES, ids=[sent for sent, _ in CIRCLES])
def test_a_replacement_that_would_close_a_circle_is_refused_for_in_a_circle_nothing_counts(store: Store, sent: str, counts, together) -> None:
    facts = [Replace(target, event(identifier)) for target, identifier in (pair.split() for pair in sent.split(", "))]
    receipts = [store.append(facts)] if together else [store.append([fact]) for fact in facts]
    refused = [refusal for receipt in receipts for _, refusal in receipt.conflicts]
    first = "identifier_conflict" if sent.startswith("x") else "replacement_circular"
    assert [(one.code, one.field) for one in refused] == [(first, "identifier" if sent.startswith("x") else "event.identifier")]
    assert (store.head(), sorted(known(store))) == (len(facts) - 1, counts)
    again = store.append(facts)
    assert (again.accepted, again.duplicates, len(again.conflicts)) == (0, len(facts) - 1, 1), "and it stays refused"
    assert store.append([event("z"), Replace("z", event("z2"))]).accepted == 2


def test_an_event_whose_replacements_came_first_does_not_count_beside_them(store: Store) -> None:
    store.append([Replace("a", event("b")), Replace("b", event("a"))])
    assert store.append([event("a")]).accepted == 1, "a refused fact takes no identifier"
    assert known(store) == ["b"]


def test_queries_choose_by_name_span_customers_and_position(store: Store) -> None:
    early, late = event("late", at=FEBRUARY.start), event("early", at=FEBRUARY.start - 1)
    store.append([early, late, event("other", name="answer"), event("globex", customer="globex")])
    assert known(store, span=FEBRUARY) == ["late"], "a span contains its start"
    assert known(store, span=JANUARY) == ["early", "globex"], "and not its end"
    assert known(store, customers=("globex", "nobody")) == ["globex"]
    assert known(store, customers=()) == []
    assert known(store, up_to=1) == ["late"]
    assert known(store, up_to=99) == ["late", "early", "globex"]


def test_carry_brings_the_latest_event_before_the_span_for_each_combination(store: Store) -> None:
    before = JANUARY.start
    store.append(
        [
            event("old-eu", 1, at=before + 1, region="eu"),
            event("new-eu", 2, at=before + 9, region="eu"),
            event("tie", 3, at=before + 9, region="eu"),
            event("us", 4, at=before + 5, region="us"),
            event("bare", 5, at=before + 3),
            event("empty", 6, at=before + 2, region=""),
            event("globex", 7, at=before, customer="globex", region="eu"),
            event("inside", 8, at=FEBRUARY.start, region="eu"),
            event("gone", 9, at=before + 20, region="us"),
            Cancel("gone", "call"),
        ]
    )
    assert known(store, span=FEBRUARY) == ["inside"]
    assert known(store, span=FEBRUARY, carry=True) == ["tie", "globex", "inside"]
    assert known(store, span=FEBRUARY, carry=True, carry_by=("region",)) == ["tie", "us", "bare", "empty", "globex", "inside"]
    assert known(store, span=FEBRUARY, carry=True, carry_by=("region", "value"), customers=("globex",)) == ["globex"]


def test_carry_brings_the_latest_event_that_can_be_read(store: Store) -> None:
    levels = ("7", "x", "x", "1e3", "", "y")
    store.append([event(f"e{n}", 1, at=JANUARY.start + n, level=level) for n, level in enumerate(levels)])
    store.append([event("bare", 1, at=JANUARY.start + 9), event("eu", 1, at=JANUARY.start + 8, level="8.", region="eu")])
    assert known(store, span=FEBRUARY, carry=True, carry_number="value") == ["bare"]
    assert known(store, span=FEBRUARY, carry=True, carry_number="level") == ["e2", "e3", "e4", "e5", "bare", "eu"]
    assert known(store, span=FEBRUARY, carry=True, carry_by=("region",), carry_number="level") == ["e0", "e2", "e3", "e4", "e5", "bare", "eu"]


def test_columns_are_the_same_events(store: Store) -> None:
    store.append([event("a", 5, region="eu"), event("b", 7, customer="globex"), Cancel("x", "call"), event("c", 1, name="answer")])
    table = store.event_columns(query(4), ["value", "region", 'it\'s "%s"']).read_all()
    assert table.column_names == ["customer", "position", "at", "value", "region", 'it\'s "%s"']
    assert [str(field.type) for field in table.schema] == ["string", "int64", "int64", "string", "string", "string"]
    columns = [column.to_pylist() for column in table.columns]
    assert columns == [["acme", "globex"], [1, 2], [JANUARY.start] * 2, ["5", "7"], ["eu", None], [None, None]]
    assert store.event_columns(query(0), []).read_all().num_rows == 0


def test_the_facts_about_a_customer_name_what_they_are_about(store: Store) -> None:
    a, g = replace(event("a"), position=1), replace(event("g", customer="globex"), position=2)
    store.append([event("a"), event("g", customer="globex"), Cancel("a", "call"), Cancel("g", "call"), Cancel("later", "call")])
    store.append([Replace("unknown", event("x")), Replace("g", event("moved")), event("later"), Cancel("later", "answer")])
    found = [(one.position, one.about and one.about.identifier) for one in store.facts_between(0, 99, ["acme"], FOREVER)]
    assert found == [(1, "a"), (3, "a"), (5, "later"), (6, None), (7, "g"), (8, "later")]
    facts = list(store.facts_between(2, 7, ["acme"], FOREVER))
    assert [one.position for one in facts] == [3, 6, 7], "later is not known yet at 7"
    assert (facts[0].fact, facts[0].about) == (Cancel("a", "call", 3), a)
    assert (facts[2].fact, facts[2].about) == (Replace("g", replace(event("moved"), position=7)), g)
    assert [one.position for one in store.facts_between(0, 99, ["globex"], FOREVER)] == [2, 4, 7]
    assert [one.position for one in store.facts_between(0, 99, ["globex", "acme"], JANUARY.start)] == [], "an instant ends what is asked for"
    assert len(list(store.facts_between(0, 99, ["globex", "acme"], JANUARY.start + 1))) == 8


def test_events_come_one_customer_after_the_other_where_that_is_asked(store: Store) -> None:
    store.append([event("g1", customer="globex"), event("a1"), event("g2", customer="globex"), event("a2")])
    assert known(store) == ["g1", "a1", "g2", "a2"]
    assert known(store, by_customer=True) == ["a1", "a2", "g1", "g2"]


def test_what_nothing_bills_is_kept_aside_and_counted(store: Store) -> None:
    open_contract(store)
    store.append(
        [
            event("billed"),
            event("unmetered", name="answer"),
            event("stranger-1", customer="globex", at=JANUARY.start + 5),
            event("stranger-2", customer="globex"),
            event("before", at=YEAR.start - 1),
            event("after", at=YEAR.end),
            event("taken-back", customer="globex"),
            Cancel("taken-back", "call"),
        ]
    )
    found = [(one.reason, one.event_name, one.customer, one.events, one.first_at, one.last_at) for one in store.aside()]
    assert found == [
        ("contract_missing", "call", "acme", 2, YEAR.start - 1, YEAR.end),
        ("customer_unknown", "call", "globex", 2, JANUARY.start, JANUARY.start + 5),
        ("meter_unknown", "answer", "acme", 1, JANUARY.start, JANUARY.start),
    ]
    store.put_customer("globex", {"id": "globex"})
    assert ("contract_missing", "globex") in [(one.reason, one.customer) for one in store.aside()]
    store.put_contract(contract("globex-1", "globex"))
    assert [one.customer for one in store.aside()] == ["acme", "acme"]


def test_checkpoints_move_with_the_facts_of_their_transaction(store: Store) -> None:
    assert store.checkpoint("file") is None
    with store.transaction():
        store.append([event("a")])
        store.put_checkpoint("file", "1")
    with pytest.raises(RuntimeError), store.transaction():
        store.append([event("b")])
        store.put_checkpoint("file", "2")
        raise RuntimeError
    assert (store.checkpoint("file"), store.checkpoint("other"), store.head()) == ("1", None, 1)


def test_a_transaction_sees_what_it_has_appended(store: Store) -> None:
    store.append([event("a")])
    with store.transaction():
        assert store.append([event("b")]).head == 2
        assert store.append([event("b"), event("c")]) == Receipt(1, 1, (), 3)
        assert store.append([Replace("a", event("d")), event("c", 2)]).head == 4
        assert known(store) == ["b", "c", "d"]
        assert store.event_columns(query(4), ["value"]).read_all()["position"].to_pylist() == [2, 3, 4]
    assert known(store) == ["b", "c", "d"]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.append([event("a"), Cancel("b", "call"), Replace("c", event("d"))])
        store.put_customer("acme", {})
        with store.transaction():
            store.put_meter(METER)
        raise RuntimeError
    assert (store.head(), store.revision(), store.customers(), store.meters()) == (0, 0, [], {})
    assert store.append([event("a"), Replace("c", event("e"))]).head == 2


def test_nothing_is_altered_unless_somebody_altered_it(store: Store) -> None:
    store.append([event("a", odd='\\\t"☃'), Replace("a", event("b")), Cancel("b", "call")])
    assert list(store.altered()) == []


# ── the catalogue ──


def test_every_write_takes_the_next_revision_and_the_same_again_takes_none(store: Store) -> None:
    assert store.revision() == 0
    for _ in range(2):
        assert store.put_customer("acme", {"id": "acme"}) == 1
        assert store.put_meter(METER) == 2
        assert store.put_price(price(), YEAR) == 3
        assert store.put_contract(contract()) == 4
    assert store.revision() == 4
    assert store.put_customer("acme", {"id": "acme", "name": "Acme"}) == 5
    assert store.put_customer("acme", {"id": "acme"}) == 6, "back to an earlier document is a change"


def test_customers_meters_and_contracts_come_by_id(store: Store) -> None:
    for id_ in ("b", "a", "B"):
        store.put_customer(id_, {})
        store.put_meter(replace(METER, id=id_))
        store.put_contract(contract(f"k-{id_}", id_))
    assert list(store.customers()) == list(store.meters()) == ["B", "a", "b"]
    assert [one.id for one in store.contracts()] == ["k-B", "k-a", "k-b"]
    assert [one.id for one in store.contracts("a")] == ["k-a"]
    assert store.contracts("nobody") == []


def test_meters_never_change(store: Store) -> None:
    store.put_meter(METER)
    check_refused("meter_changed", store.put_meter, replace(METER, value_key="tokens"), field="id")
    assert store.meters() == {"calls": METER}
    assert store.revision() == 1


def test_prices_are_versions_over_spans(store: Store) -> None:
    first, second, other = price(), price("calls-2", 8), price("seats-1", 100, "seats")
    store.put_price(first, YEAR)
    store.put_price(second, FEBRUARY)
    store.put_price(other, YEAR)
    store.put_price(first, MARCH)
    expected = (Version(YEAR, 1, first), Version(FEBRUARY, 2, second), Version(MARCH, 4, first))
    assert {name: tuple(versions) for name, versions in store.prices().items()} == {"calls": expected, "seats": (Version(YEAR, 3, other),)}
    assert {name: tuple(versions) for name, versions in store.prices(["calls", "none"]).items()} == {"calls": expected}
    assert store.prices([]) == {}


@pytest.mark.parametrize("changed", [price(unit_amount=11), price(lineage="seats")])
def test_price_versions_never_change(store: Store, changed) -> None:
    store.put_price(price(), YEAR)
    check_refused("price_version_changed", store.put_price, changed, FEBRUARY, field="price.id")
    assert store.revision() == 1


def test_a_contract_grows_by_versions(store: Store) -> None:
    store.put_customer("acme", {})
    store.put_contract(contract())
    better = Agreement((Item("calls", "API calls", "calls-vip", "calls"), Item("seats", "Seats", "seats", quantity=Fraction(5, 2))))
    grown = replace(contract(), versions=(*contract().versions, Version(FEBRUARY, 0, better), Version(MARCH, 0, better)))
    assert store.put_contract(grown) == 4
    assert store.put_contract(grown) == 4
    [found] = store.contracts("acme")
    assert [(version.effective, version.revision) for version in found.versions] == [(YEAR, 2), (FEBRUARY, 3), (MARCH, 4)]
    assert found.versions[1].value == better
    assert replace(found, versions=()) == replace(contract(), versions=())


def test_a_version_that_repeats_an_older_one_is_kept_where_another_came_between(store: Store) -> None:
    store.put_customer("acme", {})
    store.put_contract(contract())
    base = contract().versions[0]
    less = Version(YEAR, 0, Agreement((Item("seats", "Seats", "seats", quantity=Fraction(1)),)))
    again = replace(contract(), versions=(base, less, base))
    assert store.put_contract(again) == store.put_contract(again) == 4
    assert store.put_contract(contract()) == 4
    [found] = store.contracts("acme")
    assert [version.value for version in found.versions] == [base.value, less.value, base.value]


def test_contracts_and_grants_are_of_customers_that_exist(store: Store) -> None:
    check_refused("customer_unknown", store.put_contract, contract(), field="customer")
    check_refused("customer_unknown", store.put_grant, "acme", Grant("g", "usd", 1, "before_tax"), field="customer")


def test_grants_come_in_the_order_of_their_use(store: Store) -> None:
    store.put_customer("acme", {})
    granted = [Grant("b", "usd", 500, "before_tax"), Grant("a", "usd", 500, "after_tax"), Grant("z", "eur", 0, "before_tax", 1)]
    for grant in granted * 2:
        store.put_grant("acme", grant)
    assert list(store.grants("acme")) == [granted[2], granted[1], granted[0]]
    assert list(store.grants("nobody")) == []
    check_refused("grant_changed", store.put_grant, "acme", replace(granted[0], remaining=501), field="id")
    check_refused("number_negative", store.put_grant, "acme", Grant("n", "usd", -1, "before_tax"), field="remaining")


# ── bills ──


def test_a_bill_becomes_final_once_with_a_gapless_number(store: Store) -> None:
    open_contract(store)
    one, two, note = bill("in_1", line(100)), bill("in_2", line(70, period=FEBRUARY), period=FEBRUARY), bill("in_3", line(-30, previously=100))
    assert [store.finalise(*each) for each in (one, two, one, note, two)] == ["INV-000001", "INV-000002", "INV-000001", "CN-000001", "INV-000002"]
    found = list(store.documents())
    assert [(each.id, each.kind, each.state, each.number, each.sequence) for each in found] == [
        ("in_1", "invoice", "final", "INV-000001", 1),
        ("in_2", "invoice", "final", "INV-000002", 2),
        ("in_3", "credit_note", "final", "CN-000001", 3),
    ]
    assert (found[0].content, found[0].digest, found[0].pins) == (one[0].content, one[0].digest, one[0].pins)
    assert [each.id for each in store.documents("acme-1")] == ["in_1", "in_2", "in_3"]
    assert list(store.documents("other")) == []
    assert [each.id for each in store.documents(after=1)] == ["in_2", "in_3"]
    assert [(each.id, each.content, each.pins) for each in store.documents("acme-1", 2, bare=True)] == [("in_3", {}, note[0].pins)]
    assert dict(store.lines("in_1")) == {payload.id: payload.content for payload in one[1]}
    assert store.lines("in_9") == {}


def test_many_documents_are_read_in_order(store: Store) -> None:
    open_contract(store)
    with store.transaction():
        for n in range(405):
            store.finalise(*bill(f"in_{n}", line(10, previously=10 * n)))
    assert [each.sequence for each in store.documents()] == list(range(1, 406))


def test_other_content_under_the_id_of_a_final_document_is_refused(store: Store) -> None:
    open_contract(store)
    store.finalise(*bill("in_1", line(100)))
    check_refused("document_changed", store.finalise, *bill("in_1", line(101)))


@pytest.mark.parametrize("second", [line(100), line(40, previously=60), line(0), line(0, previously=100)])
def test_a_bill_that_was_computed_before_another_became_final_is_refused(store: Store, second) -> None:
    open_contract(store)
    store.finalise(*bill("in_1", line(100), line(10, "seats")))
    check_refused("document_outdated", store.finalise, *bill("in_2", line(5, "seats", previously=10), second), field="in_2:2")
    assert store.finalise(*bill("in_2", line(5, "seats", previously=10))) == "INV-000002", "and it left no gap"
    assert [one.amount for one in store.issued("acme-1")] == [100, 15]


def test_what_was_issued_is_summed_by_charge_key(store: Store) -> None:
    open_contract(store)
    store.finalise(*bill("in_1", line(100, group=(("region", "eu"),)), line(50)))
    store.finalise(*bill("in_2", line(-20, group=(("region", "eu"),), previously=100)))
    first, second = store.issued("acme-1")
    assert (first.key, first.amount, first.quantity, first.exact, first.document) == (
        line(1, group=(("region", "eu"),)).key,
        80,
        Fraction(8),
        Fraction(80),
        "INV-000001",
    )
    assert (second.amount, second.document) == (50, "INV-000001")
    assert store.issued("other") == []


def test_drafts_are_replaced_and_gone_once_final(store: Store) -> None:
    open_contract(store)
    open_contract(store, "globex", "globex-1")
    old, one, two = bill("in_0", line(9)), bill("in_1", line(100)), bill("in_2", line(7, period=FEBRUARY), period=FEBRUARY)
    other = bill("in_9", line(5, contract_id="globex-1", customer="globex"))
    store.save_drafts("globex-1", [other[0]], {"in_9": other[1]})
    store.save_drafts("acme-1", [old[0]], {"in_0": old[1]})
    store.save_drafts("acme-1", [two[0], one[0]], {"in_1": one[1], "in_2": two[1]})
    assert list(store.drafts("acme-1")) == [two[0], one[0]]
    assert [each.id for each in store.drafts()] == ["in_9", "in_2", "in_1"]
    store.finalise(*one)
    assert [each.id for each in store.drafts()] == ["in_9", "in_2"]
    check_refused("document_outdated", store.save_drafts, "acme-1", [one[0]], {})
    assert [each.id for each in store.drafts()] == ["in_9", "in_2"]
    store.save_drafts("acme-1", [], {})
    assert [each.id for each in store.drafts()] == ["in_9"]


def test_a_line_is_found_by_its_id_and_by_number_and_place(store: Store) -> None:
    open_contract(store)
    drafted = bill("in_2", line(5, period=FEBRUARY), period=FEBRUARY)
    one = bill("in_1", line(100), line(50, "seats"))
    store.save_drafts("acme-1", [drafted[0]], {"in_2": drafted[1]})
    store.finalise(*one)
    for id_ in ("in_1:2", "INV-000001:2"):
        found = store.line(id_)
        assert found is not None
        assert (found[0].number, found[0].content, found[1]) == ("INV-000001", one[0].content, one[1][1].content)
    draft_line = store.line("in_2:1")
    assert draft_line is not None
    assert (draft_line[0].state, draft_line[1]["amount"]) == ("draft", 5)
    for unknown in ("in_1:3", "INV-000001:0", "INV-000002:1", "x", "", ":", "INV-000001:99999999999999999999"):
        assert store.line(unknown) is None


def test_waivers_add_up_by_key(store: Store) -> None:
    open_contract(store)
    key = key_text(line(1).key)
    store.put_waiver("acme-1", key, 30, "goodwill")
    store.put_waiver("acme-1", key, -10, "taken back")
    store.put_waiver("acme-1", "other", 1, "tiny")
    assert store.waived("acme-1") == {key: 20, "other": 1}
    assert store.waived("other") == {}
    check_refused("contract_unknown", store.put_waiver, "other", key, 1, "", field="contract")


def test_drafts_and_bills_are_of_contracts_that_exist(store: Store) -> None:
    one = bill("in_1", line(100))
    check_refused("contract_unknown", store.finalise, *one, field="contract")
    check_refused("contract_unknown", store.save_drafts, "acme-1", [one[0]], {}, field="contract")


def test_grants_are_used_up_and_no_further(store: Store) -> None:
    open_contract(store)
    store.put_grant("acme", Grant("g", "usd", 60, "after_tax"))
    store.put_grant("acme", Grant("h", "usd", 60, "after_tax"))
    store.finalise(*bill("in_1", line(100), used=[("h", 10), ("g", 20), ("g", 20)]))
    assert {grant.id: grant.remaining for grant in store.grants("acme")} == {"g": 20, "h": 50}
    check_refused("grant_exhausted", store.finalise, *bill("in_2", line(100, "seats"), used=[("h", 1), ("g", 21)]))
    check_refused("grant_unknown", store.finalise, *bill("in_2", line(100, "seats"), used=[("h", 1), ("none", 1)]))
    check_refused("grant_exhausted", store.finalise, *bill("in_3", line(-50, previously=100), used=[("g", -41)]))
    assert {grant.id: grant.remaining for grant in store.grants("acme")} == {"g": 20, "h": 50}
    assert store.finalise(*bill("in_3", line(-50, previously=100), used=[("g", -40)])) == "CN-000001"
    assert {grant.id: grant.remaining for grant in store.grants("acme")} == {"g": 60, "h": 50}


def test_a_void_takes_back_what_a_bill_did_and_keeps_its_number(store: Store) -> None:
    open_contract(store)
    store.put_grant("acme", Grant("g", "usd", 60, "after_tax"))
    one, two = bill("in_1", line(100), used=[("g", 20)]), bill("in_2", line(70, period=FEBRUARY), period=FEBRUARY)
    store.finalise(*one)
    store.finalise(*two)
    key = key_text(line(1).key)
    back = reverse(one[2])
    assert store.void(one[0], "waive", "goodwill", back, [(key, 100)])
    assert not store.void(one[0], "waive", "again", back, [(key, 100)])
    check_refused("document_void", store.void, one[0], "reissue", "no", back, [], field="number")
    assert store.waived("acme-1") == {key: 100}
    assert [issued.amount for issued in store.issued("acme-1")] == [70]
    assert [grant.remaining for grant in store.grants("acme")] == [60]
    assert list(store.postings(void_entry("in_1"))) == back
    assert [(each.number, each.state, each.void) for each in store.documents()] == [
        ("INV-000001", "void", Void("waive", "goodwill")),
        ("INV-000002", "final", None),
    ]
    found = store.document("INV-000001")
    assert found is not None
    assert (found.state, found.content) == ("void", one[0].content)
    assert store.document("INV-000009") is None
    assert store.finalise(*bill("in_3", line(0))) == "INV-000003", "its key counts as never billed, and its number as taken"


def test_a_bill_that_others_went_on_from_cannot_become_void(store: Store) -> None:
    open_contract(store)
    store.put_grant("acme", Grant("g", "usd", 60, "after_tax"))
    one, two = bill("in_1", line(100), line(5, "seats"), used=[("g", 20)]), bill("in_2", line(-30, previously=100))
    store.finalise(*one)
    store.finalise(*two)
    refusal = check_refused("document_followed", store.void, one[0], "waive", "no", reverse(one[2]), [("k", 1)], field="number")
    assert "CN-000001" in str(refusal)
    assert (store.waived("acme-1"), [grant.remaining for grant in store.grants("acme")]) == ({}, [40])
    check_refused("entry_unbalanced", store.void, two[0], "reissue", "no", [{**two[2][0], "amount": 1}, two[2][1]], [])
    assert store.void(two[0], "reissue", "first the last", reverse(two[2]), [])
    assert store.void(one[0], "reissue", "then the first", reverse(one[2]), [])
    assert list(store.issued("acme-1")) == []
    assert store.finalise(*bill("in_4", line(100), line(5, "seats"))) == "INV-000002"


def test_postings_come_back_as_they_were_given(store: Store) -> None:
    open_contract(store)
    one = bill("in_1", line(100))
    store.finalise(*one)
    assert list(store.postings("in_1")) == one[2]
    assert len(one[2]) == 2
    assert list(store.postings("none")) == []
    assert store.finalise(*bill("in_2", line(0, "seats"))) == "INV-000002", "a bill of nothing books nothing"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda legs: [{**legs[0], "amount": 101}, legs[1]], "entry_unbalanced"),
        (lambda legs: [{**legs[0], "currency": "eur"}, legs[1]], "entry_unbalanced"),
        (lambda legs: legs[:1], "entry_unbalanced"),
        (lambda legs: [{**legs[0], "amount": 0}, {**legs[1], "amount": 0}], "entry_unbalanced"),
        (lambda legs: [{**legs[0], "account": "slush"}, legs[1]], "ledger_account_unknown"),
    ],
)
def test_an_entry_that_breaks_the_books_is_refused_with_its_bill(store: Store, spoil, code) -> None:
    open_contract(store)
    stored, payloads, postings, grants = bill("in_1", line(100))
    check_refused(code, store.finalise, stored, payloads, spoil(postings), grants)
    assert list(store.documents()) == []
    assert store.issued("acme-1") == []
    assert store.finalise(stored, payloads, postings, grants) == "INV-000001"


def test_the_books_are_open_at_first(store: Store) -> None:
    assert store.closed_through() is None
    assert AccountingPeriod(2025, 1) < AccountingPeriod(2025, 2)
