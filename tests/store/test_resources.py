"""Resources, API keys and answers: what every store does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.app.resources.access import (
    ANSWERS_KEPT,
    ApiKey,
    Begun,
    Conflict,
    InUse,
    Replay,
    ensure_key,
    hashed,
    read_idempotency_key,
    read_key,
)
from farthing.app.resources.table import PageQuery
from farthing.app.resources.table import Test as Where
from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.migrate import ensure_account
from farthing.edges.postgres.store import PostgresStore
from farthing.testing.memory import MemoryStore

_numbers = count(1)
GOOD = "sk_test_" + "a1B2" * 6


class UndoneError(Exception):
    """Ends a transaction and takes back what it wrote."""


def add(store: Any, id_: str, created: int = 1, kind: str = "thing", **document: Any) -> None:
    store.add(kind, id_, created, {"id": id_, "created": created, **document})


def ids(store: Any, *tests: Where, kind: str = "thing", any_of: bool = False, limit: int = 100) -> str:
    return " ".join(row.id for row in store.page(PageQuery(kind, limit, tests=tests, any_of=any_of)).rows)


def refused(work: Any, *args: Any, **named: Any) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as caught:
        work(*args, **named)
    return caught.value.code, caught.value.field


# Rows


def test_a_row_comes_back_as_it_was_added(store: Any) -> None:
    document = {"id": "a", "n": 2**70, "share": Decimal("25.50"), "none": None, "yes": True, "list": [{"é\n": "☃"}, []], "deep": {"er": {}}}
    store.add("thing", "a", 7, document, clock="clock_1", due_at=5, hidden={"secret": "s"})
    row = store.find("thing", "a")
    assert (row.kind, row.id, row.created, row.deleted, row.clock, row.due_at) == ("thing", "a", 7, False, "clock_1", 5)
    assert (row.document, row.hidden) == (document, {"secret": "s"})
    assert str(row.document["share"]) == "25.50"
    assert store.find("thing", "a", lock=True) == row
    assert store.find("thing", "b") is None and store.find("other", "a") is None
    assert "'s'" not in repr(row)


def test_what_was_added_cannot_be_changed_from_outside(store: Any) -> None:
    document: dict[str, Any] = {"list": [1]}
    store.add("thing", "a", 1, document)
    document["list"].append(2)
    store.find("thing", "a").document["list"].append(3)
    assert store.find("thing", "a").document == {"list": [1]}


@pytest.mark.parametrize("value", [1.5, float("nan"), Decimal("NaN"), b"x", {1}])
def test_a_document_holds_no_binary_fraction_and_nothing_that_is_not_json(store: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=r"a\.b\[0\]"):
        store.add("thing", "a", 1, {"a": {"b": [value]}})
    assert store.find("thing", "a") is None


def test_what_cannot_be_stored_is_refused_with_its_place(store: Any) -> None:
    assert refused(add, store, "a", name="x\0") == ("text_not_storable", "name")
    assert refused(add, store, "a", metadata={"k": ["\ud800"]}) == ("text_not_storable", "metadata.k[0]")
    assert refused(add, store, "a\0") == ("text_not_storable", "id")
    assert refused(add, store, "a" * 501) == ("text_too_long", "id")
    assert refused(store.find, "thing", "a\0") == ("text_not_storable", "id")
    assert refused(ids, store, Where("name", "eq", "a\0")) == ("text_not_storable", "name")
    add(store, "é" * 500, customer="☃" * 3000, email="😀" * 3000)
    assert ids(store, Where("customer", "eq", "☃" * 3000)) == "é" * 500
    assert ids(store, Where("customer", "eq", "☃" * 2999)) == ""
    with pytest.raises(ValueError, match="empty"):
        add(store, "")


def test_an_id_is_taken_once_in_its_kind_and_the_transaction_goes_on(store: Any) -> None:
    with store.transaction():
        add(store, "a", n=1)
        assert refused(add, store, "a", n=2) == ("resource_already_exists", "id")
        add(store, "a", kind="other")
    assert store.find("thing", "a").document["n"] == 1
    store.put(replace(store.find("thing", "a"), deleted=True))
    assert refused(add, store, "a") == ("resource_already_exists", "id")


def test_put_replaces_what_may_change_and_nothing_else(store: Any) -> None:
    add(store, "a")
    row = store.find("thing", "a")
    changed = replace(row, document={"x": 1}, deleted=True, clock="c", due_at=3, hidden={"y": 2})
    store.put(replace(changed, created=99, place=99))
    assert store.find("thing", "a") == changed
    assert refused(store.put, replace(row, id="b")) == ("resource_missing", "id")


def test_a_transaction_that_fails_leaves_no_row_name_or_number(store: Any) -> None:
    with pytest.raises(UndoneError), store.transaction():
        add(store, "a")
        assert store.claim("code", "x", "a") is None
        assert [store.next_number("n"), store.next_number("n")] == [1, 2]
        raise UndoneError
    assert store.find("thing", "a") is None
    assert store.claim("code", "x", "b") is None
    assert store.next_number("n") == 1


# Lists


def test_lists_are_newest_first_and_ties_are_in_the_order_of_adding(store: Any) -> None:
    for id_, created in (("a", 5), ("b", 7), ("c", 5), ("d", 5), ("e", 1)):
        add(store, id_, created)
    add(store, "other", kind="other")
    assert ids(store) == "b d c a e"
    places = [store.find("thing", id_).place for id_ in "abcde"]
    assert places == sorted(places)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_tile_the_list_in_both_directions(store: Any, limit: int) -> None:
    for n in range(7):
        add(store, f"r{n}", created=n // 3)
    whole = ids(store).split()
    assert len(whole) == 7
    for forward in (True, False):
        seen: list[str] = []
        cursor: str | None = None
        more = True
        while more:
            page = store.page(PageQuery("thing", limit, after=cursor if forward else None, before=None if forward else cursor or "end"))
            found = [row.id for row in page.rows]
            assert len(found) <= limit and (len(found) == limit or not page.more)
            seen = [*seen, *found] if forward else [*found, *seen]
            cursor, more = (found[-1] if forward else found[0]), page.more
        assert seen == whole


@pytest.fixture(autouse=True)
def end(store: Any) -> None:
    """A deleted row at the end of the list: pages before it go backwards through all."""
    store.add("thing", "end", -1, {})
    store.put(replace(store.find("thing", "end"), deleted=True))


def test_deleted_rows_are_in_no_list_but_may_be_its_cursor(store: Any) -> None:
    for n in range(4):
        add(store, f"r{n}", created=n)
    store.put(replace(store.find("thing", "r2"), deleted=True))
    assert ids(store) == "r3 r1 r0"
    assert [row.id for row in store.page(PageQuery("thing", 9, after="r2")).rows] == ["r1", "r0"]
    assert [row.id for row in store.page(PageQuery("thing", 9, before="r2")).rows] == ["r3"]
    assert refused(store.page, PageQuery("thing", 9, after="r9")) == ("resource_missing", "starting_after")
    assert refused(store.page, PageQuery("other", 9, before="r1")) == ("resource_missing", "ending_before")


def test_a_page_behind_a_cursor_passes_the_tests_too(store: Any) -> None:
    for n in range(9):
        add(store, f"r{n}", created=n // 4, customer="acme" if n % 2 else "globex")
    tests = (Where("customer", "eq", "acme"),)
    page = store.page(PageQuery("thing", 2, after="r6", tests=tests))
    assert ([row.id for row in page.rows], page.more) == (["r5", "r3"], True)
    page = store.page(PageQuery("thing", 2, before="r2", tests=tests))
    assert ([row.id for row in page.rows], page.more) == (["r5", "r3"], True)
    page = store.page(PageQuery("thing", 2, before="r4", tests=tests))
    assert ([row.id for row in page.rows], page.more) == (["r7", "r5"], False)


DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "a": {"customer": "acme", "n": 5, "live": True, "metadata": {"k": "v", "a.b": "dotted"}, "name": "Straße 100% SUN_ÉTÉ ΣΑΣ"},
    "b": {"customer": "acme", "n": Decimal("5.5"), "live": False, "metadata": {}, "name": None, "list": [{"price": "p1"}, {"price": "p2"}]},
    "c": {"customer": {"id": "acme"}, "n": "5", "live": 1, "parent": {"subscription_details": {"subscription": "sub"}}},
    "d": {"subscription": "sub", "n": -1, "live": None, "name": "sunday", "email": "a@b.c", "type": "x", "product": "y", "invoice": "z"},
    "e": {"customer": "null", "lookup_key": "key", "payment_intent": "pi", "n": 10**30, "live": "true", "name": "100 %"},
}
CASES: Sequence[tuple[Where, str]] = [
    (Where("customer", "eq", "acme"), "a b"),
    (Where("customer", "eq", None), "d"),
    (Where("customer", "eq", "null"), "e"),
    (Where("customer.id", "eq", "acme"), "c"),
    (Where("n", "eq", 5), "a"),
    (Where("n", "eq", "5"), "c"),
    (Where("n", "eq", 10**30), "e"),
    (Where("live", "eq", True), "a"),
    (Where("live", "eq", 1), "c"),
    (Where("live", "eq", False), "b"),
    (Where("live", "eq", None), "d"),
    (Where("metadata.k", "eq", "v"), "a"),
    (Where("metadata.a.b", "eq", "dotted"), "a"),
    (Where("metadata.a", "eq", None), "a b c d e"),
    (Where("list.1.price", "eq", "p2"), "b"),
    (Where("list.-1.price", "eq", "p2"), "b"),
    (Where("list.2.price", "eq", "p2"), ""),
    (Where("parent.subscription_details.subscription", "eq", "sub"), "c"),
    (Where("subscription", "eq", "sub"), "d"),
    (Where("email", "eq", "a@b.c"), "d"),
    (Where("type", "eq", "x"), "d"),
    (Where("product", "eq", "y"), "d"),
    (Where("invoice", "eq", "z"), "d"),
    (Where("lookup_key", "eq", "key"), "e"),
    (Where("payment_intent", "eq", "pi"), "e"),
    (Where("nothing'; DROP TABLE resources; --", "eq", "' OR true --"), ""),
    (Where("{customer}", "eq", "%(kind)s"), ""),
    (Where("name", "has", "SUN"), "a d"),
    (Where("name", "has", "0%"), "a"),
    (Where("name", "has", "n_é"), "a"),
    (Where("name", "has", "σασ"), "a"),
    (Where("name", "has", "STRASSE"), ""),
    (Where("name", "has", "null"), ""),
    (Where("name", "has", ""), "a d e"),
    (Where("n", "has", "5"), "c"),
    (Where("n", "gt", 5), "b e"),
    (Where("n", "gte", 5), "a b e"),
    (Where("n", "lt", 5), "d"),
    (Where("n", "lte", 5), "a d"),
    (Where("live", "gte", 0), "c"),
    (Where("name", "lt", 9), ""),
    (Where("created", "gt", 3), "d e"),
    (Where("created", "gte", 3), "c d e"),
    (Where("created", "lt", 3), "a b"),
    (Where("created", "lte", 10**30), "a b c d e"),
    (Where("created", "eq", 3), "c"),
]


@pytest.fixture
def filled(store: Any) -> Any:
    for n, (id_, document) in enumerate(DOCUMENTS.items()):
        add(store, id_, n + 1, **document)
    return store


@pytest.mark.parametrize(("test", "found"), CASES, ids=lambda one: f"{one.path} {one.op} {one.value}" if isinstance(one, Where) else one)
def test_each_condition_and_its_negation_find_what_they_say(filled: Any, test: Where, found: str) -> None:
    assert set(ids(filled, test).split()) == set(found.split())
    assert set(ids(filled, replace(test, negated=True)).split()) == set(DOCUMENTS) - set(found.split())


def test_conditions_are_joined_by_and_or_by_or(filled: Any) -> None:
    acme, five = Where("customer", "eq", "acme"), Where("n", "eq", "5")
    assert ids(filled, acme, five) == ""
    assert ids(filled, acme, Where("n", "gt", 5)) == "b"
    assert ids(filled, acme, five, any_of=True) == "c b a"
    assert ids(filled, acme, Where("customer", "eq", "null"), any_of=True) == "e b a"
    assert ids(filled, acme, Where("customer", "eq", "null")) == ""
    assert ids(filled, any_of=True) == ids(filled) == "e d c b a"


@pytest.mark.parametrize(
    "test", [Where("n", "gt", "5"), Where("n", "lt", None), Where("n", "gte", True), Where("n", "has", 5), Where("n", "has", None)]
)
def test_a_value_that_does_not_fit_its_comparison_is_a_mistake_of_ours(store: Any, test: Where) -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        ids(store, test)


# Due work


def test_due_work_comes_by_its_clock_earliest_first_and_of_rows_that_stand(store: Any) -> None:
    for id_, due_at, clock in (("a", 30, None), ("b", 10, None), ("c", 10, None), ("d", 31, None), ("e", 5, "c1"), ("f", 6, "c2"), ("g", None, None)):
        store.add("thing", id_, 1, {}, clock=clock, due_at=due_at)
    store.add("other", "h", 1, {}, due_at=1)
    store.add("thing", "i", 1, {}, due_at=1)
    store.put(replace(store.find("thing", "i"), deleted=True))

    def due(up_to: int, clock: str | None = None, limit: int = 9) -> str:
        with store.transaction():
            return "".join(row.id for row in store.due("thing", up_to, clock, limit))

    assert due(30) == "bca"
    assert due(30, limit=2) == "bc"
    assert due(29) == "bc"
    assert due(9) == ""
    assert due(99, "c1") == "e"
    assert due(5, "c2") == ""
    store.put(replace(store.find("thing", "b"), due_at=None))
    store.put(replace(store.find("thing", "e"), clock=None))
    assert due(30) == "eca"


# Names and numbers


def test_a_name_has_one_owner_in_its_scope(store: Any) -> None:
    assert store.claim("code", "SUMMER", "a") is None
    assert store.claim("code", "SUMMER", "a") is None
    assert store.claim("code", "SUMMER", "b") == "a"
    assert store.claim("code", "summer", "b") is None
    assert store.claim("key", "SUMMER", "b") is None
    store.release("code", "SUMMER", "b")
    assert store.claim("code", "SUMMER", "b") == "a"
    store.release("code", "SUMMER", "a")
    store.release("code", "SUMMER", "a")
    assert store.claim("code", "SUMMER", "b") is None
    assert refused(store.claim, "code", "x" * 501, "a") == ("text_too_long", "code")


def test_numbers_of_each_series_are_gapless_under_rollbacks(store: Any) -> None:
    committed: list[int] = []
    for n in range(9):
        try:
            with store.transaction():
                numbers = [store.next_number("invoice") for _ in range(n % 3 + 1)]
                if n % 2:
                    raise UndoneError
            committed += numbers
        except UndoneError:
            pass
    assert committed == list(range(1, 11))
    assert store.next_number("other") == 1
    assert refused(store.next_number, "x" * 501) == ("text_too_long", "series")


# API keys


@pytest.fixture
def secret() -> str:
    """A key of this test alone: a key is registered once among all accounts."""
    return f"sk_test_{next(_numbers):020}a1B2"


def test_a_key_is_found_by_its_hash_and_never_shown(store: Any, secret: str) -> None:
    key = ensure_key(store, secret, 5)
    assert (key.kind, key.shown, key.created_at, dict(key.permissions), key.expires_at) == ("secret", "sk_test_…a1B2", 5, {}, None)
    assert key.hash == hashed(secret) and len(key.hash) == 32
    found = store.find_key(hashed(secret))
    assert (found.mode, found.key) == ("test", key)
    assert store.find_key(hashed(secret + "x")) is None
    assert list(store.api_keys()) == [key]
    assert secret not in repr(found) and key.hash.hex() not in repr(found) and repr(key.hash) not in repr(found)


def test_registering_a_key_again_changes_nothing(store: Any, secret: str) -> None:
    key = ensure_key(store, secret, 5)
    assert ensure_key(store, secret, 6) == key
    restricted = secret.replace("sk_", "rk_")
    ensure_key(store, restricted, 7, {"customer": "write", "price": "read"}, expires_at=20)
    assert [one.kind for one in store.api_keys()] == ["restricted", "secret"]
    kept = store.find_key(hashed(restricted)).key
    assert (dict(kept.permissions), kept.expires_at, kept.kind) == ({"customer": "write", "price": "read"}, 20, "restricted")
    assert refused(ensure_key, store, restricted, 8, {"customer": "read"}, expires_at=20) == ("api_key_taken", "api_key")
    assert refused(ensure_key, store, secret, 8, expires_at=9) == ("api_key_taken", "api_key")


def test_a_revoked_key_stays_revoked(store: Any, secret: str) -> None:
    key = ensure_key(store, secret, 5)
    assert store.revoke_key(key.id, 9) == replace(key, revoked_at=9)
    assert store.revoke_key(key.id, 12).revoked_at == 9
    assert store.find_key(key.hash).key.revoked_at == 9
    assert refused(ensure_key, store, secret, 10) == ("api_key_revoked", "api_key")
    assert refused(store.revoke_key, "key_none", 1) == ("api_key_unknown", "id")


def test_a_key_is_valid_until_it_ends(secret: str) -> None:
    _, key = read_key(secret, 5, expires_at=20)
    assert [key.valid(at) for at in (5, 19, 20)] == [True, True, False]
    assert [replace(key, revoked_at=10).valid(at) for at in (9, 10)] == [True, False]
    assert read_key(secret, 5)[1].valid(10**18)


@pytest.mark.parametrize(
    "secret",
    [
        *("", "sk_test_", "sk_test_" + "a" * 23, "sk_test_" + "a" * 201, "sk_prod_" + "a" * 24, "xk_test_" + "a" * 24, "sk_test_" + "a" * 23 + "_"),
        *("sk_test_" + "é" * 24, GOOD + "\n", " " + GOOD, GOOD.upper(), "sk_test_" + "a" * 24 + "\ud800"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(store: Any, secret: str) -> None:
    with pytest.raises(Refusal) as caught:
        ensure_key(store, secret, 1)
    assert caught.value.code == "api_key_malformed"
    assert len(secret) < 9 or secret not in str(caught.value)
    assert list(store.api_keys()) == []


def test_keys_of_each_prefix_are_of_their_kind_and_mode(store: Any, secret: str) -> None:
    for prefix, kind in (("sk", "secret"), ("rk", "restricted"), ("pk", "publishable")):
        for mode in ("test", "live"):
            read_mode, key = read_key(f"{prefix}_{mode}_" + "Z" * 24, 1)
            assert (read_mode, key.kind) == (mode, kind)
    assert refused(ensure_key, store, secret.replace("_test_", "_live_"), 1) == ("api_key_other_mode", "api_key")


def test_permissions_are_read_or_write_and_of_restricted_keys_only(store: Any, secret: str) -> None:
    bad: Any = {"customer": "admin"}
    assert refused(ensure_key, store, secret, 1, {"customer": "read"}) == ("api_key_permissions_invalid", "permissions")
    assert refused(ensure_key, store, secret.replace("sk_", "rk_"), 1, bad) == ("api_key_permissions_invalid", "permissions.customer")


def test_a_hash_and_an_id_are_taken_once(store: Any) -> None:
    key = ApiKey("k1", b"1" * 32, "secret", "sk_test_…", 1)
    assert store.add_key(key)
    assert not store.add_key(replace(key, id="k2"))
    assert not store.add_key(replace(key, hash=b"2" * 32))
    assert list(store.api_keys()) == [key]


# Answers


def answered(store: Any, key: str = "k", fingerprint: bytes = b"f", at: int = 0, body: bytes = b"\0{}\xff") -> Any:
    """Send a request: do its work if it is new, and return what `begin_request` said."""
    with store.transaction():
        begun = store.begin_request(key, fingerprint, at)
        if isinstance(begun, Begun):
            add(store, f"made {store.next_number('made')}")
            store.finish_request(begun, 201, {"Content-Type": "application/json"}, body)
    return begun


def test_the_first_answer_is_given_again_and_the_work_done_once(store: Any) -> None:
    assert answered(store) == Begun("k", b"f", 0)
    assert answered(store, at=5, body=b"other") == Replay(201, {"Content-Type": "application/json"}, b"\0{}\xff")
    assert answered(store, fingerprint=b"g") == Conflict()
    assert answered(store, key="K") == Begun("K", b"f", 0)
    assert ids(store) == "made 2 made 1"


def test_a_request_that_failed_was_never_begun(store: Any) -> None:
    with pytest.raises(UndoneError), store.transaction():
        begun = store.begin_request("k", b"f", 0)
        add(store, "made")
        store.finish_request(begun, 200, {}, b"")
        raise UndoneError
    with pytest.raises(UndoneError), store.transaction():
        store.begin_request("k", b"f", 0)
        raise UndoneError
    assert answered(store, fingerprint=b"other") == Begun("k", b"other", 0)


def test_answers_are_forgotten_after_a_day(store: Any) -> None:
    answered(store, at=100)
    assert answered(store, at=99 + ANSWERS_KEPT) == Replay(201, {"Content-Type": "application/json"}, b"\0{}\xff")
    assert answered(store, at=100 + ANSWERS_KEPT, fingerprint=b"g", body=b"new") == Begun("k", b"g", 100 + ANSWERS_KEPT)
    assert answered(store, at=101 + ANSWERS_KEPT, fingerprint=b"g").body == b"new"


def test_old_answers_are_deleted_oldest_first(store: Any) -> None:
    for n in (3, 1, 2, 4):
        answered(store, key=f"k{n}", at=n)
    assert store.forget_requests(3, limit=2) == 2
    assert isinstance(answered(store, key="k3", at=9), Replay)
    assert store.forget_requests(3) == 1
    assert store.forget_requests(3) == 0
    assert [type(answered(store, key=f"k{n}", at=9)) for n in (1, 2, 3, 4)] == [Begun, Begun, Begun, Replay]


def test_a_request_begins_inside_a_transaction_only(store: Any) -> None:
    with pytest.raises(RuntimeError):
        store.begin_request("k", b"f", 0)
    assert answered(store) == Begun("k", b"f", 0)


def test_in_memory_a_key_is_in_use_until_its_answer_is_there() -> None:
    store = MemoryStore()
    with store.transaction():
        begun = store.begin_request("k", b"f", 0)
        assert store.begin_request("k", b"f", 0) == InUse()
        assert isinstance(begun, Begun)
        store.finish_request(begun, 200, {}, b"")
        assert store.begin_request("k", b"f", 0) == Replay(200, {}, b"")


def test_idempotency_keys_have_1_to_255_characters_that_can_be_stored() -> None:
    assert read_idempotency_key("é" * 255) == "é" * 255
    for text in ("", "x" * 256, "a\0", "\ud800"):
        assert refused(read_idempotency_key, text) == ("idempotency_key_invalid", "Idempotency-Key")


# Both stores side by side

TEXTS = st.one_of(
    st.sampled_from(["a", "A", "ß", "İ", "Σς", "1", "%", "_", "\\", "Ǆ"]), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4)
)
LEAVES = st.one_of(TEXTS, st.integers(-3, 3), st.booleans(), st.none(), st.sampled_from([Decimal("0.5"), Decimal("1.0"), Decimal("2E+1")]))
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["x", "0"]), inner, max_size=2)))
NAMES = st.sampled_from(["x", "customer", "metadata", "type"])
PATHS = st.sampled_from(["x", "customer", "type", "metadata.x", "metadata.0", "x.0", "x.x", "x.-1", "customer.x.0"])
EQUAL = st.builds(Where, PATHS, st.just("eq"), st.one_of(TEXTS, st.integers(-3, 3), st.booleans(), st.none()), st.booleans())
HAS = st.builds(Where, PATHS, st.just("has"), TEXTS, st.booleans())
NUMBERS = st.builds(Where, st.one_of(PATHS, st.just("created")), st.sampled_from(["gt", "gte", "lt", "lte"]), st.integers(-3, 3), st.booleans())
TESTS = st.lists(st.one_of(EQUAL, HAS, NUMBERS), max_size=3)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.dictionaries(NAMES, VALUES, max_size=4)), max_size=8)


@pytest.fixture(scope="module")
def postgres(shared_database: tuple[str, str]) -> Any:
    owner, service = shared_database
    ensure_account(owner, "agreement on resources")
    with PostgresStore.open(service, "agreement on resources", "live") as store:
        yield store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, tests=TESTS, any_of=st.booleans(), limit=st.integers(1, 4), cursor=st.integers(0, 7), way=st.sampled_from(["after", "before"]))
def test_both_stores_list_the_same(postgres: Any, rows: list[Any], tests: list[Where], any_of: bool, limit: int, cursor: int, way: str) -> None:
    memory = MemoryStore()
    with pytest.raises(UndoneError), postgres.transaction():
        for n, (created, document) in enumerate(rows):
            for store in (memory, postgres):
                store.add("thing", f"r{n}", created, document)
        for query in (PageQuery("thing", 99, tests=tuple(tests), any_of=any_of), PageQuery("thing", limit, tests=tuple(tests), any_of=any_of)):
            shown = []
            for at in (None, f"r{cursor}") if cursor < len(rows) else (None,):
                for store in (memory, postgres):
                    page = store.page(replace(query, after=at if way == "after" else None, before=at if way == "before" else None))
                    shown.append(([(row.id, row.document) for row in page.rows], page.more))
                assert shown[-2] == shown[-1]
        raise UndoneError
