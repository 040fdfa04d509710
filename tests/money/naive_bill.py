"""Money after rating, computed a second time: written from docs/rounding.md alone, in plain fractions, importing nothing of the package.

Charge lines of one document, all under the same discounts and tax rates.
"""

from fractions import Fraction
from math import floor


def half_away(value):
    size = floor(abs(value) * 2 + 1) // 2
    return size if value >= 0 else -size


def apportion(shares):
    """Section 4, one missing unit after the other."""
    parts = [floor(share) if share >= 0 else -floor(-share) for share in shares]
    given = set()
    whole = half_away(sum(shares, Fraction(0)))
    while sum(parts) != whole:
        step = 1 if whole > sum(parts) else -1
        left = [(step * (share - cut(share)), -i) for i, share in enumerate(shares) if i not in given]
        i = -max(left)[1]
        parts[i] += step
        given.add(i)
    return parts


def cut(share):
    return floor(share) if share >= 0 else -floor(-share)


def in_proportion(amount, weights):
    if not any(weights):
        return [amount, *(0 for _ in weights[1:])] if weights else []
    return apportion([Fraction(amount * weight) / sum(weights) for weight in weights])


def bill(document):
    lines = document["lines"]
    left = [line["amount"] for line in lines]
    discounts = document.get("discounts", [])
    for discount in [d for d in discounts if "percent" in d] + [d for d in discounts if "amount" in d]:
        covered = [i for i, line in enumerate(lines) if discount.get("items") is None or line["item"] in discount["items"]]
        if "percent" in discount:
            parts = [half_away(left[i] * Fraction(discount["percent"]) / 100) for i in covered]
        else:
            taken = min(discount["amount"], max(0, sum(left[i] for i in covered)))
            parts = in_proportion(taken, [max(0, left[i]) for i in covered])
        for i, part in zip(covered, parts, strict=True):
            left[i] -= part
    discounted = list(left)
    for grant in ordered(document, "before_tax"):
        taken = min(max(0, grant["remaining"]), max(0, sum(left)))
        left = [rest - part for rest, part in zip(left, in_proportion(taken, [max(0, rest) for rest in left]), strict=True)]
    taxes = tax(left, document.get("tax_rates", []))
    total = sum(left) + sum(sum(taxes[rate["id"]]) for rate in document.get("tax_rates", []) if not rate.get("inclusive"))
    due = total
    for grant in ordered(document, "after_tax"):
        due -= min(max(0, grant["remaining"]), max(0, due))
    return {
        "discounts": [line["amount"] - rest for line, rest in zip(lines, discounted, strict=True)],
        "credits": [before - after for before, after in zip(discounted, left, strict=True)],
        "taxes": taxes,
        "total": total,
        "due": due,
    }


def ordered(document, applies):
    fitting = [grant for grant in document.get("grants", []) if grant["applies"] == applies]
    return sorted(fitting, key=lambda grant: (grant.get("priority", 50), grant["id"]))


def tax(nets, rates):
    taxes = {}
    inside = [rate for rate in rates if rate.get("inclusive")]
    whole = 1 + sum(Fraction(rate["percent"]) / 100 for rate in inside)
    for rate in inside:
        taxes[rate["id"]] = apportion([net * Fraction(rate["percent"]) / 100 / whole for net in nets])
    taxable = [net - sum(parts[i] for parts in taxes.values()) for i, net in enumerate(nets)]
    for rate in rates:
        if not rate.get("inclusive"):
            taxes[rate["id"]] = apportion([base * Fraction(rate["percent"]) / 100 for base in taxable])
    return taxes
