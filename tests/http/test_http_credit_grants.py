"""Credit grants over the wire: what they take off metered lines, in which order, until when, and each transaction on them."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from billing_world import Shop, at, lines
from http_service import Api, error_of, told

from farthing.app.raters import CoreRater, KernelRater
from farthing.app.verify import verify

METERED = {"scope": {"price_type": "metered"}}


def usd(value: int) -> dict[str, Any]:
    return {"type": "monetary", "monetary": {"currency": "usd", "value": value}}


def grant(shop: Shop, value: int, **more: Any) -> stripe.billing.CreditGrant:
    sent: Any = {"customer": shop.customer, "amount": usd(value), "applicability_config": METERED, **more}
    return shop.v1.billing.credit_grants.create(sent)


def moves(shop: Shop, **by: Any) -> list[tuple[str, int, str]]:
    """Transactions, oldest first: type, minor units, grant."""
    asked: Any = {"limit": 100, **(by or {"customer": shop.customer})}
    made = shop.v1.billing.credit_balance_transactions.list(asked).data
    found = []
    for one in reversed(made):
        moved: Any = one.credit or one.debit
        assert one.type == ("credit" if one.credit else "debit")
        found.append((moved.type, moved.amount.monetary.value, str(one.credit_grant)))
    return found


def left(shop: Shop, **filter_: Any) -> list[tuple[str, int, int]]:
    """The balance summary: currency, available, ledger."""
    wanted: Any = {"customer": shop.customer, "filter": filter_ or {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}}
    balances: Any = shop.v1.billing.credit_balance_summary.retrieve(wanted).balances
    return [(one.available_balance.monetary.currency, one.available_balance.monetary.value, one.ledger_balance.monetary.value) for one in balances]


def used(line: Any) -> list[tuple[int, str]]:
    """What transactions pay of a line."""
    return [(one.amount, one.credit_balance_transaction) for one in line.pretax_credit_amounts if one.type == "credit_balance_transaction"]


def test_a_grant_pays_for_metered_lines_alone_before_tax(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    vat = shop.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False}).id
    seats, calls = shop.price("Seats", unit_amount=3000), shop.metered("Calls", "call", unit_amount=10)
    made = grant(shop, 1000, name="Welcome", category="promotional")
    assert (made.priority, made.effective_at, made.expires_at, made.category) == (50, at("2026-04-01"), None, "promotional")
    shop.subscribe({"price": seats}, {"price": calls}, default_tax_rates=[vat])
    shop.uses("call", 70, "2026-04-01")
    shop.until("2026-05-02")
    first, second = shop.invoices()
    assert (first.total, used(first.lines.data[0])) == (3570, [])
    assert list(lines(second)) == [
        "paid subscription_cycle 2026-04-01 to 2026-05-01",
        "  Calls | 70 | 700 | 2026-04-01 to 2026-05-01 | tax 0 on 0",  # 700 of the 1000 pay for it, and nothing is left to tax
        "  Seats | 1 | 3000 | 2026-05-01 to 2026-06-01 | tax 570 on 3000",
        "  total 3570",
    ]
    ((units, id_),) = used(second.lines.data[0])
    assert units == 700
    assert [(one.amount, one.type) for one in second.total_pretax_credit_amounts or []] == [(700, "credit_balance_transaction")]
    told_of: Any = shop.v1.billing.credit_balance_transactions.retrieve(id_)
    assert (told_of.debit.type, told_of.debit.amount.monetary.value, told_of.credit_grant) == ("credits_applied", 700, made.id)
    assert (told_of.debit.credits_applied.invoice, told_of.debit.credits_applied.invoice_line_item) == (second.id, second.lines.data[0].id)
    assert moves(shop) == [("credits_granted", 1000, made.id), ("credits_applied", 700, made.id)]
    assert left(shop) == [("usd", 300, 300)]
    assert len(both.events("billing.credit_balance_transaction.created")) == 2 and len(both.events("billing.credit_grant.created")) == 1
    store: Any = both.store()
    assert verify(store, {"core": CoreRater(store), "kernel": KernelRater(store)}, lambda _: None).verified


def test_grants_are_used_by_priority_then_by_what_expires_first(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls = shop.metered("Calls", "call", unit_amount=10)
    made = {
        "late": grant(shop, 100),
        "paid": grant(shop, 100, expires_at=at("2026-06-01")),
        "promotional": grant(shop, 100, expires_at=at("2026-06-01"), category="promotional"),
        "soon": grant(shop, 100, expires_at=at("2026-05-20")),
        "first": grant(shop, 100, priority=0),
    }
    shop.subscribe({"price": calls})
    shop.uses("call", 45, "2026-04-01")
    shop.until("2026-05-02")
    assert [units for units, _ in used(shop.invoices()[-1].lines.data[0])] == [100, 100, 100, 100, 50]
    applied = [id_ for type_, _, id_ in moves(shop) if type_ == "credits_applied"]
    assert applied == [made[name].id for name in ("first", "soon", "promotional", "paid", "late")]
    assert left(shop) == [("usd", 50, 50)]


def test_a_grant_is_used_from_when_it_is_effective_until_it_expires(api: Api) -> None:
    """Bills become final an hour after a period has ended; from `effective_at` on, and before `expires_at`."""
    shop = Shop(api, "2026-04-01")
    calls = shop.metered("Calls", "call", unit_amount=10)
    shop.subscribe({"price": calls})
    drawn = at("2026-05-01T01:00")
    gone, here = grant(shop, 100, expires_at=drawn), grant(shop, 100, expires_at=drawn + 1)
    begun, waits = grant(shop, 100, effective_at=drawn), grant(shop, 100, effective_at=drawn + 1)
    assert left(shop) == [("usd", 200, 400)]
    shop.uses("call", 100, "2026-04-01")
    shop.until("2026-05-01T01:00")
    assert shop.invoices()[-1].total == 800
    assert [move for move in moves(shop) if move[0] != "credits_granted"] == [
        ("credits_expired", 100, gone.id),
        ("credits_applied", 100, here.id),
        ("credits_applied", 100, begun.id),
    ]
    assert left(shop) == [("usd", 0, 100)]
    shop.until("2026-05-01T02:00")
    assert left(shop) == [("usd", 100, 100)]
    assert moves(shop, credit_grant=waits.id) == [("credits_granted", 100, waits.id)]
    assert [type_ for type_, _, _ in moves(shop, credit_grant=here.id)] == ["credits_granted", "credits_applied"]


def test_a_grant_for_certain_prices(api: Api) -> None:
    shop = Shop(api, "2026-04-01")
    calls, texts = shop.metered("Calls", "call", unit_amount=10), shop.metered("Texts", "text", unit_amount=20)
    seats = shop.price("Seats", unit_amount=3000)
    made = grant(shop, 5000, applicability_config={"scope": {"prices": [{"id": texts}]}})
    shop.subscribe({"price": calls}, {"price": texts})
    shop.uses("call", 7, "2026-04-01")
    shop.uses("text", 8, "2026-04-01")
    shop.until("2026-05-02")
    assert [(line.amount, [units for units, _ in used(line)]) for line in shop.invoices()[-1].lines.data] == [(70, []), (160, [160])]
    assert left(shop) == []
    assert left(shop, type="applicability_scope", applicability_scope={"prices": [{"id": texts}]}) == [("usd", 4840, 4840)]
    assert left(shop, type="credit_grant", credit_grant=made.id) == [("usd", 4840, 4840)]
    refused = {"scope": {"prices": [{"id": seats}]}}
    with pytest.raises(stripe.InvalidRequestError) as error:
        grant(shop, 100, applicability_config=refused)
    assert told(error.value) == (400, "credit_grant_scope", "applicability_config[scope][prices][0][id]")


def test_a_void_invoice_gives_credits_back_and_those_of_a_grant_that_is_over_expire(api: Api) -> None:
    shop = Shop(api, "2026-04-01", payment_method=None)
    calls = shop.metered("Calls", "call", unit_amount=100)
    short, long = grant(shop, 100, expires_at=at("2026-05-03")), grant(shop, 100)
    shop.subscribe({"price": calls}, collection_method="send_invoice", days_until_due=10)
    shop.uses("call", 3, "2026-04-01")
    shop.until("2026-05-02")
    invoice = shop.invoices()[-1]
    assert (invoice.status, invoice.total) == ("open", 100)
    shop.until("2026-05-04")
    shop.v1.invoices.void_invoice(invoice.id)
    assert [(type_, units) for type_, units, _ in moves(shop, credit_grant=short.id)] == [
        ("credits_granted", 100),
        ("credits_applied", 100),
        ("credits_application_invoice_voided", 100),
        ("credits_expired", 100),
    ]
    assert [(type_, units) for type_, units, _ in moves(shop, credit_grant=long.id)][2:] == [("credits_application_invoice_voided", 100)]
    assert left(shop) == [("usd", 100, 100)]


def test_a_grant_ends_by_hand(both: Api) -> None:
    shop = Shop(both, "2026-04-01")
    calls = shop.metered("Calls", "call", unit_amount=10)
    used_, unused, third = grant(shop, 100, priority=1), grant(shop, 200, priority=2), grant(shop, 300, priority=3)
    shop.subscribe({"price": calls})
    shop.uses("call", 4, "2026-04-01")
    shop.until("2026-05-02")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.billing.credit_grants.void_grant(used_.id)
    assert told(refused.value) == (400, "credit_grant_used", "id")
    assert shop.v1.billing.credit_grants.expire(used_.id).expires_at == at("2026-05-02")
    assert shop.v1.billing.credit_grants.void_grant(unused.id).voided_at == at("2026-05-02")
    assert [(type_, units) for type_, units, _ in moves(shop)][-2:] == [("credits_expired", 60), ("credits_voided", 200)]
    assert left(shop) == [("usd", 300, 300)]
    for act in (shop.v1.billing.credit_grants.expire, shop.v1.billing.credit_grants.void_grant):
        for ended in (used_, unused):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                act(ended.id)
            assert told(refused.value) == (400, "credit_grant_ended", "id")
    changed = shop.v1.billing.credit_grants.update(third.id, {"metadata": {"k": "v"}, "expires_at": at("2026-05-03")})
    assert (changed.metadata["k"], changed.expires_at) == ("v", at("2026-05-03"))
    assert shop.v1.billing.credit_grants.update(third.id, {"expires_at": ""}).expires_at is None
    shop.v1.billing.credit_grants.update(third.id, {"expires_at": at("2026-05-03")})
    shop.until("2026-05-03")
    assert moves(shop, credit_grant=third.id)[-1] == ("credits_expired", 300, third.id)
    assert [one.id for one in shop.v1.billing.credit_grants.list({"customer": shop.customer}).data] == [third.id, unused.id, used_.id]


def test_transactions_of_others_are_not_listed(api: Api) -> None:
    first, second = Shop(api, "2026-04-01"), Shop(api, "2026-04-01")
    made = grant(first, 100)
    assert (len(moves(first)), moves(second)) == (1, [])
    answer = api.get("/v1/billing/credit_balance_transactions", params={"customer": second.customer, "credit_grant": made.id})
    assert error_of(answer) == (400, "resource_missing", "credit_grant")
    answer = api.get(
        "/v1/billing/credit_balance_summary",
        params={"customer": second.customer, "filter[type]": "credit_grant", "filter[credit_grant]": made.id},
    )
    assert error_of(answer) == (400, "resource_missing", "filter[credit_grant]")


VALID = {
    "amount[type]": "monetary",
    "amount[monetary][currency]": "usd",
    "amount[monetary][value]": "100",
    "applicability_config[scope][price_type]": "metered",
}
REFUSED = [
    ({"amount[monetary][value]": "0"}, "credit_grant_amount", "amount[monetary][value]"),
    ({"amount[monetary][value]": "1000000000000"}, "credit_grant_amount", "amount[monetary][value]"),
    ({"amount[monetary][currency]": "xxx"}, "currency_unknown", "amount[monetary][currency]"),
    ({"amount[monetary][value]": None, "amount[monetary][currency]": None}, "field_missing", "amount[monetary]"),
    ({"applicability_config[scope][prices][0][id]": "price_none"}, "credit_grant_scope", "applicability_config[scope]"),
    (
        {"applicability_config[scope][price_type]": None, "applicability_config[scope][prices][0][id]": "price_none"},
        "resource_missing",
        "applicability_config[scope][prices][0][id]",
    ),
    (
        {"applicability_config[scope][price_type]": None, **{f"applicability_config[scope][prices][{n}][id]": "price" for n in range(21)}},
        "credit_grant_scope",
        "applicability_config[scope][prices]",
    ),
    ({"priority": "101"}, "credit_grant_priority", "priority"),
    ({"priority": "-1"}, "credit_grant_priority", "priority"),
    ({"expires_at": str(at("2026-04-01"))}, "credit_grant_times", "expires_at"),
    ({"effective_at": str(at("2026-05-01")), "expires_at": str(at("2026-05-01"))}, "credit_grant_times", "expires_at"),
    ({"customer": "cus_none"}, "resource_missing", "customer"),
    ({"customer": None}, "field_missing", "customer"),
    ({"customer_account": "acct"}, "parameter_unsupported", "customer_account"),
]


@pytest.mark.parametrize(("params", "code", "param"), REFUSED)
def test_what_makes_no_grant(api: Api, params: dict[str, Any], code: str, param: str) -> None:
    shop = Shop(api, "2026-04-01")
    sent = {name: value for name, value in {"customer": shop.customer, **VALID, **params}.items() if value is not None}
    assert error_of(api.post("/v1/billing/credit_grants", sent)) == (400, code, param)
