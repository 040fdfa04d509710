"""The phases of a subscription schedule: read as they are sent, and said as parameters of a subscription."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farthing.app.billing.agreements import tax_rates
from farthing.app.billing.contracts import recurrence
from farthing.app.billing.items import check_currency, planned_items
from farthing.app.billing.kinds import DISCOUNT
from farthing.app.billing.refusals import (
    INVOICE_DUE_DATE,
    SCHEDULE_PHASE_END,
    SCHEDULE_PHASES_APART,
    SCHEDULE_TRIAL_LATE,
    SUBSCRIPTION_TIME_OUT_OF_RANGE,
)
from farthing.app.resources import plain
from farthing.app.resources.desk import Desk
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELDS_CONFLICT
from farthing.core.base.time import MICROS

Document = Mapping[str, Any]
_INHERITED = ("billing_cycle_anchor", "collection_method", "default_payment_method", "description")
_DATES = ("start_date", "end_date")


def default_settings(sent: Document, before: Document | None = None) -> dict[str, Any]:
    """The settings of phases that have none of their own. Errors: invoice_due_date_misplaced."""
    usual: Document = {
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "default_payment_method": None,
        "description": None,
        "invoice_settings": {
            **dict.fromkeys(("account_tax_ids", "custom_fields", "days_until_due", "description", "footer")),
            "issuer": {"type": "self"},
        },
        "on_behalf_of": None,
        "transfer_data": None,
    }
    made = {**(before or usual), **{name: sent[name] for name in _INHERITED if name in sent}}
    if "invoice_settings" in sent:
        made["invoice_settings"] = {**made["invoice_settings"], **sent["invoice_settings"]}
    _check_due(made["collection_method"], made["invoice_settings"]["days_until_due"], "default_settings")
    return made


def read_phases(desk: Desk, sent: Sequence[Document], start: int, currency: str | None, defaults: Document) -> list[dict[str, Any]]:
    """Phases as a schedule shows them, the first from `start` (seconds) on, each from the end of the one before.

    Errors: subscription_schedule_…, subscription_…, resource_missing (a price, a tax rate), fields_conflict, at `phases[n]`.
    """
    made: list[dict[str, Any]] = []
    for n, one in enumerate(sent):
        begin = made[-1]["end_date"] if made else start
        asked = desk.second if one.get("start_date") == "now" else one.get("start_date", begin)
        if asked != begin:
            raise Refusal(SCHEDULE_PHASES_APART, f"it begins at {asked}, and not at {begin}.", f"phases[{n}][start_date]")
        made.append(_phase(desk, one, begin, currency, defaults, f"phases[{n}]"))
        currency = made[-1]["currency"]
        _check_trial(made, f"phases[{n}][trial]")
    return made


def _phase(desk: Desk, sent: Document, start: int, currency: str | None, defaults: Document, place: str) -> dict[str, Any]:
    items = planned_items(desk, sent["items"], f"{place}[items]")
    currency = currency or sent.get("currency") or items[0]["price"]["currency"]
    try:
        check_currency(items, currency)
    except Refusal as refusal:
        raise Refusal(refusal.kind, refusal.message, f"{place}[{refusal.field}" if refusal.field else place) from None
    end = _end(desk, sent, start, place)
    trial_end = end if sent.get("trial") else sent.get("trial_end")
    if trial_end is not None and not start < trial_end <= end:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"{trial_end} is not in the phase, from {start} to {end}.", f"{place}[trial_end]")
    settings = sent.get("invoice_settings")
    made = {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": sent.get("billing_cycle_anchor"),
        "billing_thresholds": None,
        "collection_method": sent.get("collection_method"),
        "currency": currency,
        "default_payment_method": sent.get("default_payment_method"),
        "default_tax_rates": tax_rates(desk, sent.get("default_tax_rates") or (), f"{place}[default_tax_rates]"),
        "description": sent.get("description"),
        "discounts": [{name: one.get(name) for name in ("coupon", "discount", "promotion_code")} for one in sent.get("discounts") or ()],
        "end_date": end,
        "invoice_settings": None if settings is None else {"days_until_due": settings.get("days_until_due")},
        "items": [_item(item) for item in items],
        "metadata": plain.merged_metadata({}, sent.get("metadata")),
        "on_behalf_of": None,
        "proration_behavior": sent.get("proration_behavior", "create_prorations"),
        "start_date": start,
        "transfer_data": None,
        "trial_end": trial_end,
    }
    method, days = _collection(made, defaults)
    _check_due(method, days, place)
    return made


def _item(item: Document) -> dict[str, Any]:
    kept = {name: item[name] for name in ("metadata", "quantity") if name in item}
    return {"billing_thresholds": None, "discounts": [], "plan": item["price"]["id"], "price": item["price"]["id"], "tax_rates": [], **kept}


def _end(desk: Desk, sent: Document, start: int, place: str) -> int:
    """When a phase ends, in seconds: at a time, or after some intervals that are counted from its start."""
    end, duration = sent.get("end_date"), sent.get("duration")
    if end is not None and duration is not None:
        raise Refusal(FIELDS_CONFLICT, "end_date and duration are both sent.", f"{place}[duration]")
    if duration is not None:
        length = {"interval": duration["interval"], "interval_count": duration.get("interval_count", 1)}
        if length["interval_count"] < 1:
            raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"{length['interval_count']} is not at least 1.", f"{place}[duration][interval_count]")
        return recurrence(length, start, "UTC").boundary(1) // MICROS
    if end is None:
        raise Refusal(SCHEDULE_PHASE_END, f"the phase from {start} on has neither end_date nor duration.", f"{place}[end_date]")
    found = desk.second if end == "now" else int(end)
    if found <= start:
        raise Refusal(SUBSCRIPTION_TIME_OUT_OF_RANGE, f"the end {found} is not after the start {start}.", f"{place}[end_date]")
    return found


def _check_trial(phases: Sequence[Document], field: str) -> None:
    trial, before = phases[-1]["trial_end"], phases[-2] if len(phases) > 1 else None
    if trial is not None and before is not None and before["trial_end"] != before["end_date"]:
        raise Refusal(SCHEDULE_TRIAL_LATE, f"the phase before it has no trial up to its end, {before['end_date']}.", field)


def _collection(phase: Document, defaults: Document) -> tuple[str, int | None]:
    """How a phase's invoices are collected, and in how many days they are due."""
    method: str = phase["collection_method"] or defaults["collection_method"]
    days: int | None = (phase["invoice_settings"] or {}).get("days_until_due")
    if days is None and method == "send_invoice":
        days = defaults["invoice_settings"]["days_until_due"]
    return method, days


def _check_due(method: str, days: int | None, place: str) -> None:
    if (method == "send_invoice") != (days is not None):
        raise Refusal(INVOICE_DUE_DATE, f"collection_method is {method}.", f"{place}[invoice_settings][days_until_due]")


def terms(phase: Document) -> dict[str, Any]:
    """What a phase says beside when it is."""
    return {name: value for name, value in phase.items() if name not in _DATES}


def first_params(phase: Document, defaults: Document) -> dict[str, Any]:
    """A phase as the parameters that a subscription is created with."""
    trial = {} if phase["trial_end"] is None else {"trial_end": phase["trial_end"]}
    sent = {**_params(phase, defaults), "currency": phase["currency"], "items": _sent(phase), "discounts": _named(phase), **trial}
    return {name: value for name, value in sent.items() if value is not None}


def change_params(desk: Desk, subscription: Document, phase: Document, before: Document, defaults: Document) -> dict[str, Any]:
    """A phase as the parameters that a subscription is changed with which went by the phase `before`: items of a price that it has stay
    the same items, discounts that the phase before had as well go on, all others end."""
    held = {item["price"]["id"]: item["id"] for item in subscription["items"]["data"]}
    items = [{**item, "id": held.pop(item["price"])} if item["price"] in held else item for item in _sent(phase)]
    gone = [{"id": id_, "deleted": True} for id_ in held.values()]
    params = {**_params(phase, defaults), "items": [*gone, *items], "discounts": _going_on(desk, subscription, phase, before)}
    if phase["trial_end"] is not None and subscription["status"] == "trialing" and phase["trial_end"] != subscription["trial_end"]:
        params["trial_end"] = phase["trial_end"]
    if (phase["billing_cycle_anchor"] or defaults["billing_cycle_anchor"]) == "phase_start" and phase["start_date"] != before["start_date"]:
        params["billing_cycle_anchor"] = {"type": "now"}
    return params


def _params(phase: Document, defaults: Document) -> dict[str, Any]:
    method, days = _collection(phase, defaults)
    own = {name: phase[name] or defaults[name] for name in ("default_payment_method", "description")}
    return {
        **{name: value for name, value in own.items() if value is not None},  # else the subscription's own stays
        "collection_method": method,
        "days_until_due": days,
        "default_tax_rates": [rate["id"] for rate in phase["default_tax_rates"]],
        "metadata": phase["metadata"],
        "proration_behavior": phase["proration_behavior"],
    }


def _sent(phase: Document) -> list[dict[str, Any]]:
    return [{name: item[name] for name in ("price", "quantity", "metadata") if name in item} for item in phase["items"]]


def _named(phase: Document) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if value is not None} for one in phase["discounts"]]


def _going_on(desk: Desk, subscription: Document, phase: Document, before: Document) -> list[dict[str, Any]]:
    held = [plain.need(desk, DISCOUNT, id_).document for id_ in subscription["discounts"]]
    found = []
    for one in _named(phase):
        known = None
        if one in _named(before):
            known = next((made for made in held if _is_of(made, one)), None)
        if known is not None:
            held.remove(known)
        found.append(one if known is None else {"discount": known["id"]})
    return found


def _is_of(discount: Document, sent: Document) -> bool:
    """Whether a discount was made by what a phase names."""
    if "discount" in sent:
        return bool(discount["id"] == sent["discount"])
    if "promotion_code" in sent:
        return bool(discount["promotion_code"] == sent["promotion_code"])
    return bool(discount["source"]["coupon"] == sent["coupon"] and discount["promotion_code"] is None)
