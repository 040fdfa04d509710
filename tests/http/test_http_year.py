"""A year of a mixed customer over the wire: seats, metered tiers, an upgrade inside a month, a late correction, a charge that fails and recovers,
a credit grant, a cancellation. Every invoice is written out line by line; all amounts are computed by hand, as the comments show."""

from __future__ import annotations

from typing import Any

from billing_world import Shop, at
from http_service import Api

from farthing.app.raters import CoreRater, KernelRater
from farthing.app.verify import verify

YEAR = """
paid subscription_create 2026-01-01 to 2026-01-01
  Basic | 5 | 6000 | 2026-01-01 to 2026-02-01 | tax 1200 on 6000
  total 7200
paid subscription_cycle 2026-01-01 to 2026-02-01
  API calls | 800 | 0 | 2026-01-01 to 2026-02-01 | tax 0 on 0                            # the first 1,000 are free
  Basic | 5 | 6000 | 2026-02-01 to 2026-03-01 | tax 1200 on 6000
  total 7200
paid subscription_cycle 2026-02-01 to 2026-03-01
  Unused part of Basic from 2026-02-15 | 0 | -3000 | 2026-02-01 to 2026-02-15 | tax -600 on -3000   # 14 of 28 days
  Rest of Pro from 2026-02-15 | 5 | 5000 | 2026-02-15 to 2026-03-01 | tax 1000 on 5000              # 10000 × 14/28
  API calls | 12000 | 5000 | 2026-02-01 to 2026-03-01 | tax 1000 on 5000                            # 9000 × 0.5 + 2000 × 0.25
  Pro | 5 | 10000 | 2026-03-01 to 2026-04-01 | tax 2000 on 10000
  total 20400
paid subscription_cycle 2026-03-01 to 2026-04-01
  API calls (correction) | -1000 | -250 | 2026-02-01 to 2026-03-01 | tax -50 on -250                # 11000: 9000 × 0.5 + 1000 × 0.25
  API calls | 0 | 0 | 2026-03-01 to 2026-04-01 | tax 0 on 0
  Pro | 5 | 10000 | 2026-04-01 to 2026-05-01 | tax 2000 on 10000
  total 11700
paid subscription_cycle 2026-04-01 to 2026-05-01
  API calls | 0 | 0 | 2026-04-01 to 2026-05-01 | tax 0 on 0
  Pro | 5 | 10000 | 2026-05-01 to 2026-06-01 | tax 2000 on 10000
  total 12000
paid subscription_cycle 2026-05-01 to 2026-06-01
  API calls | 2001 | 501 | 2026-05-01 to 2026-06-01 | tax 100 on 501                                # 1001 × 0.5 = 500.5; 20 % are 100.2
  Pro | 5 | 10000 | 2026-06-01 to 2026-07-01 | tax 2000 on 10000
  total 12601
paid subscription_update 2026-06-16 to 2026-06-16
  Unused part of Pro from 2026-06-16 | 0 | -5000 | 2026-06-01 to 2026-06-16 | tax -1000 on -5000    # 15 of 30 days
  Rest of Pro from 2026-06-16 | 2 | 2000 | 2026-06-16 to 2026-07-01 | tax 400 on 2000               # 4000 × 15/30
  total -3600
paid subscription_cycle 2026-06-01 to 2026-07-01
  API calls | 0 | 0 | 2026-06-01 to 2026-07-01 | tax 0 on 0
  Pro | 2 | 4000 | 2026-07-01 to 2026-08-01 | tax 800 on 4000
  total 4800 | balance -3600 | due 1200
paid subscription_cycle 2026-07-01 to 2026-08-01
  API calls | 0 | 0 | 2026-07-01 to 2026-08-01 | tax 0 on 0
  Pro | 2 | 4000 | 2026-08-01 to 2026-09-01 | tax 800 on 4000
  total 4800
paid subscription_cycle 2026-08-01 to 2026-09-01
  API calls | 11000 | 4750 | 2026-08-01 to 2026-09-01 | tax 450 on 2250                             # 2500 of the grant come off before tax
  Pro | 2 | 4000 | 2026-09-01 to 2026-10-01 | tax 800 on 4000
  total 7500
paid subscription_cycle 2026-09-01 to 2026-10-01
  API calls | 0 | 0 | 2026-09-01 to 2026-10-01 | tax 0 on 0
  Pro | 2 | 4000 | 2026-10-01 to 2026-11-01 | tax 800 on 4000
  total 4800
paid subscription_cycle 2026-10-01 to 2026-11-01
  API calls | 0 | 0 | 2026-10-01 to 2026-11-01 | tax 0 on 0
  Pro | 2 | 4000 | 2026-11-01 to 2026-12-01 | tax 800 on 4000
  total 4800
paid subscription_cycle 2026-11-01 to 2026-12-01
  API calls | 0 | 0 | 2026-11-01 to 2026-12-01 | tax 0 on 0
  Pro | 2 | 4000 | 2026-12-01 to 2027-01-01 | tax 800 on 4000
  total 4800
paid subscription_cycle 2026-12-01 to 2027-01-01
  API calls | 1200 | 100 | 2026-12-01 to 2027-01-01 | tax 20 on 100                                 # 200 × 0.5; nothing in advance any more
  total 120
"""


def test_a_year_of_a_mixed_customer(both: Api) -> None:
    shop = Shop(both, "2026-01-01")
    vat = shop.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False}).id
    basic, pro = shop.price("Basic", unit_amount=1200), shop.price("Pro", unit_amount=2000)
    tiers = [{"up_to": 1000, "unit_amount": 0}, {"up_to": 10000, "unit_amount_decimal": "0.5"}, {"up_to": "inf", "unit_amount_decimal": "0.25"}]
    calls = shop.metered("API calls", "call", billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    made = shop.subscribe({"price": basic, "quantity": 5}, {"price": calls}, default_tax_rates=[vat])
    seats = made["items"].data[0].id

    shop.until("2026-01-20")
    shop.uses("call", 800, "2026-01-19")
    shop.until("2026-02-15")
    shop.v1.subscriptions.update(made.id, {"items": [{"id": seats, "price": pro}]})
    shop.uses("call", 11000, "2026-02-14")
    shop.uses("call", 1000, "2026-02-14", "counted by mistake")
    shop.until("2026-03-10")
    adjust: Any = {"event_name": "call", "type": "cancel", "cancel": {"identifier": "counted by mistake"}}
    shop.v1.billing.meter_event_adjustments.create(adjust)
    shop.until("2026-04-20")
    shop.pays_with("pm_card_chargeCustomerFail")
    shop.until("2026-05-03")
    assert shop.v1.subscriptions.retrieve(made.id).status == "past_due"
    shop.pays_with("pm_card_visa")
    shop.until("2026-05-10")
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"
    shop.uses("call", 2001, "2026-05-09")
    shop.until("2026-06-16")
    change: Any = {"items": [{"id": seats, "quantity": 2}], "proration_behavior": "always_invoice"}
    shop.v1.subscriptions.update(made.id, change)
    shop.until("2026-08-10")
    grant: Any = {
        "customer": shop.customer,
        "category": "promotional",
        "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": 2500}},
        "applicability_config": {"scope": {"price_type": "metered"}},
    }
    shop.v1.billing.credit_grants.create(grant)
    shop.uses("call", 11000, "2026-08-09")
    shop.until("2026-12-10")
    shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    shop.uses("call", 1200, "2026-12-09")
    shop.until("2027-02-01")

    expected = [row.split("  #")[0].rstrip() for row in YEAR.strip().splitlines()]
    assert shop.written().splitlines() == expected
    ended = shop.v1.subscriptions.retrieve(made.id)
    assert (ended.status, ended.ended_at) == ("canceled", at("2027-01-01"))
    assert sum(invoice.amount_paid for invoice in shop.invoices()) == sum(invoice.amount_due for invoice in shop.invoices())
    store: Any = both.store()
    result = verify(store, {"core": CoreRater(store), "kernel": KernelRater(store)}, lambda _: None)
    assert result.verified and result.documents == len(shop.invoices())
