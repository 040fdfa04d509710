"""Currencies and their minor units, as ISO 4217 list one (published 2026-01-01) has them."""

from __future__ import annotations

from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import CURRENCY_UNKNOWN

_CODES_BY_DECIMALS = {
    0: ("bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf "),
    2: (
        "aed afn all amd aoa ars aud awg azn bam bbd bdt bmd bnd bob bov brl bsd btn bwp byn bzd cad cdf che chf chw "
        "cny cop cou crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf "
        "idr ils inr irr jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk "
        "mxn mxv myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp "
        "sle sos srd ssp stn svc syp szl thb tjs tmt top try ttd twd tzs uah usd usn uyu uzs ved ves wst xad xcd xcg "
        "yer zar zmw zwg "
    ),
    3: ("bhd iqd jod kwd lyd omr tnd "),
    4: ("clf uyw "),
}
_DECIMALS = {code: decimals for decimals, codes in _CODES_BY_DECIMALS.items() for code in codes.split()}


def parse_currency(raw: object, field: str | None = "currency") -> str:
    """Read an ISO 4217 code, in either case; returns it in lower case. Errors: currency_unknown."""
    if not isinstance(raw, str) or not raw.isascii() or raw.lower() not in _DECIMALS:  # the Kelvin sign lowers to a plain k
        raise Refusal(CURRENCY_UNKNOWN, f"{shown(raw)} is not a known currency.", field)
    return raw.lower()


def minor_decimals(currency: str) -> int:
    """How many decimals the minor unit has: 2 for usd (cents), 0 for jpy, 3 for kwd."""
    return _DECIMALS[currency]


def all_currencies() -> tuple[str, ...]:
    """Every known code, in lower case, sorted."""
    return tuple(sorted(_DECIMALS))
