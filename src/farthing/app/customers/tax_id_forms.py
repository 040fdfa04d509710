"""The forms that tax ids have, by type, without spaces, dots, dashes and strokes. A type that is not here is taken with any letters and digits."""

from __future__ import annotations

import re
from collections.abc import Mapping

_EUROPE = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{12}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
}
VAT_IN_EUROPE = {"EL": "GR", "XI": "GB"}
"""Countries whose VAT ids begin with other letters than their code."""
_FORMS = {
    "ae_trn": r"\d{15}",
    "au_abn": r"\d{11}",
    "au_arn": r"\d{12}",
    "br_cnpj": r"\d{14}",
    "br_cpf": r"\d{11}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ca_qst": r"\d{10}TQ\d{4}",
    "ch_uid": r"CHE\d{9}",
    "ch_vat": r"CHE\d{9}(MWST|TVA|IVA)",
    "es_cif": r"[A-Z]\d{7}[A-Z0-9]",
    "eu_oss_vat": r"EU\d{9}",
    "eu_vat": "|".join(f"{country}{form}" for country, form in _EUROPE.items()),
    "gb_vat": r"GB(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "hk_br": r"\d{8}",
    "il_vat": r"\d{9}",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "jp_cn": r"\d{13}",
    "jp_trn": r"T\d{13}",
    "kr_brn": r"\d{10}",
    "li_uid": r"CHE\d{9}",
    "mx_rfc": r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "sa_vat": r"\d{15}",
    "sg_gst": r"M\d{8}[A-Z]",
    "sg_uen": r"(\d{8,9}[A-Z]|[TSR]\d{2}[A-Z]{2}\d{4}[A-Z])",
    "th_vat": r"\d{13}",
    "tr_tin": r"\d{10}",
    "tw_vat": r"\d{8}",
    "us_ein": r"\d{9}",
    "za_vat": r"4\d{9}",
}
FORMS: Mapping[str, re.Pattern[str]] = {type_: re.compile(form, re.ASCII) for type_, form in _FORMS.items()}
