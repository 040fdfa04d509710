"""Rules on each event's properties that choose its fee: payment fees, cross-border and conversion surcharges, interchange-plus.

The first rule whose condition holds gives an event its fee components; then every surcharge whose condition holds adds its own.
A component is `percent` of a property (`of`, by default the card's `value`), or a `cost` property passed through unchanged, plus
a `fixed_amount`, held within the component's `minimum_amount` and `maximum_amount`. The sum of an event's components is held
within the card's `minimum_amount` and `maximum_amount`; with `round_per: event` it is then rounded to the minor unit, in the
price's rounding mode. The charge is the sum over all events.

- Exactly the last rule has no condition: if it has one, `rules_no_default`; if an earlier rule has none, what follows is
  `rule_unreachable`. A surcharge without a condition is always added.
- A component gives `percent` or `cost` or only `fixed_amount`: both of the first are refused (`fields_conflict` at `cost`), `of`
  without `percent` as well (at `of`), and a component with none of the three (`field_missing` at `percent`).
- An event that lacks a number which a component applying to it needs, or has a negative one, is not rated: in metering it is set
  aside and listed, the calculator refuses it (`event_value_unreadable`). Components that do not apply need nothing.
- `value_in` says in which unit the properties of `percent` and `cost` are; amounts of the card are always in minor units.
- With `round_per: event`, `amount_exact` is the sum of the rounded fees.
- Labels of surcharges and of components may repeat, also a rule's label.
- No events: nothing is due but `ext.minimum` (the card's own `minimum_amount` is for each event). A quantity alone
  cannot be rated (`events_needed`).
- Conditions compare as text, numbers by `lt`, `lte`, `gt`, `gte`; see "Conditions".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from farthing.core.base.refusal import Refusal
from farthing.core.base.refusals import FIELD_MISSING, FIELDS_CONFLICT
from farthing.core.base.rounding import RoundingMode
from farthing.core.catalog.fields import Field, Reader
from farthing.core.catalog.refusals import RULE_UNREACHABLE, RULES_NO_DEFAULT
from farthing.core.events.condition import ALWAYS, Condition
from farthing.core.events.condition_parse import parse_condition
from farthing.core.rating.models.form import LINE_PER_CELL, VALUE_IN, ZERO, Example, Lowered, Model, Schema, minor_factor
from farthing.core.rating.models.labels import distinct
from farthing.core.rating.models.per_event import MAXIMUM, MINIMUM, ROUND_PER, read_bounds, read_rounding
from farthing.core.rating.program import Cell, Component, Fees

COMPONENT_FIELDS = (
    Field("label", "text", "names the component in the trace", default="percent, cost or fixed; in a surcharge its label"),
    Field("percent", "percent", 'of the property `of`, "1.5" is 1.5 %; zero or more'),
    Field("of", "property", "the property that the percentage is taken of", default="the card's `value`"),
    Field("cost", "property", "a property whose money is passed through unchanged"),
    Field("fixed_amount", "amount", "minor units for each event", default="0"),
    Field("minimum_amount", "amount", "the least that the component comes to for one event"),
    Field("maximum_amount", "amount", "the most that the component comes to for one event"),
)
RULE_FIELDS = (
    Field("label", "text", "names the rule, and its line with line_per_cell; no two alike", default='"rule 1", "rule 2", … by place'),
    Field("when", "condition", "events that the rule takes; absent or empty: all", default="[]"),
    Field("fees", "list", "the components of the fee", required=True, fields=COMPONENT_FIELDS),
)
SURCHARGE_FIELDS = (
    Field("label", "text", "names the surcharge", default='"surcharge 1", "surcharge 2", … by place'),
    Field("when", "condition", "events to which it is added; absent or empty: all", default="[]"),
    Field("fees", "list", "the components that are added", required=True, fields=COMPONENT_FIELDS),
)
FIELDS = (
    Field("rules", "list", "tried in order; the first that holds decides", required=True, fields=RULE_FIELDS),
    Field("surcharges", "list", "each is added where its condition holds", fields=SURCHARGE_FIELDS),
    Field("value", "property", "the property that percentages are taken of", default="value"),
    VALUE_IN,
    MINIMUM,
    MAXIMUM,
    ROUND_PER,
    LINE_PER_CELL,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the events it takes, and its components before conversion of major units."""

    label: str
    when: Condition
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class RateCard:
    """Rules tried in order, and the components that surcharges add, each with its condition."""

    rules: tuple[Rule, ...]
    surcharges: tuple[Component, ...]
    value_in: str
    minimum: Fraction | None
    maximum: Fraction | None
    rounding: RoundingMode | None
    line_per_cell: bool


def read(card: Reader) -> RateCard:
    """Read `ext.rate_card`."""
    value = card.property_name("value", "value")
    minimum, maximum = read_bounds(card)
    surcharges = card.objects("surcharges", SURCHARGE_FIELDS) if card.has("surcharges") else ()
    return RateCard(
        rules=_rules(card, value),
        surcharges=tuple(component for i, row in enumerate(surcharges) for component in _surcharge(row, i, value)),
        value_in=card.choice("value_in", VALUE_IN.choices, "minor"),
        minimum=minimum,
        maximum=maximum,
        rounding=read_rounding(card),
        line_per_cell=card.flag("line_per_cell"),
    )


def _rules(card: Reader, value: str) -> tuple[Rule, ...]:
    rows = card.objects("rules", RULE_FIELDS)
    rules: list[Rule] = []
    for i, row in enumerate(rows):
        when = _when(row)
        if rules and not rules[-1].when.tests:
            raise Refusal(RULE_UNREACHABLE, f"rule {i} has no condition, so rule {i + 1} is never tried.", row.path)
        rules.append(Rule(row.text("label", f"rule {i + 1}"), when, _components(row, value)))
    if rules[-1].when.tests:
        raise Refusal(RULES_NO_DEFAULT, "the last rule has a condition.", rows[-1].at("when"))
    distinct((rule.label, row.at("label")) for rule, row in zip(rules, rows, strict=True))
    return tuple(rules)


def _when(row: Reader) -> Condition:
    return parse_condition(row.get("when"), row.at("when")) if row.has("when") else ALWAYS


def _surcharge(row: Reader, index: int, value: str) -> tuple[Component, ...]:
    when = _when(row)
    label = row.text("label", f"surcharge {index + 1}")
    return tuple(replace(component, when=when) for component in _components(row, value, label))


def _components(row: Reader, value: str, label: str | None = None) -> tuple[Component, ...]:
    return tuple(_component(entry, value, label) for entry in row.objects("fees", COMPONENT_FIELDS))


def _component(entry: Reader, value: str, label: str | None) -> Component:
    fixed = entry.amount_or_none("fixed_amount")
    if entry.has("percent") and entry.has("cost"):
        raise Refusal(FIELDS_CONFLICT, "a component is a percentage or a cost, not both.", entry.at("cost"))
    if entry.has("of") and not entry.has("percent"):
        raise Refusal(FIELDS_CONFLICT, "only a percentage is taken of a property.", entry.at("of"))
    minimum, maximum = read_bounds(entry)
    if entry.has("percent"):
        kind, of, rate = "percent", entry.property_name("of", value), entry.share("percent")
    elif entry.has("cost"):
        kind, of, rate = "cost", entry.property_name("cost"), Fraction(1)
    elif fixed is not None:
        return Component(entry.text("label", label or "fixed"), None, ZERO, fixed, minimum, maximum)
    else:
        raise Refusal(FIELD_MISSING, "a component needs a percentage, a cost or a fixed amount.", entry.at("percent"))
    return Component(entry.text("label", label or kind), of, rate, fixed or ZERO, minimum, maximum)


def lower(params: RateCard, currency: str) -> Lowered:
    """A cell for each rule, taken in order, each with the surcharges behind its own components."""
    factor = minor_factor(params.value_in, currency)

    def in_minor_units(components: tuple[Component, ...]) -> tuple[Component, ...]:
        return tuple(replace(component, rate=component.rate * factor) for component in components)

    cells = (
        Cell(
            rule.label,
            fees=Fees(in_minor_units(rule.components + params.surcharges), params.minimum, params.maximum, params.rounding),
            when=rule.when,
        )
        for rule in params.rules
    )
    return Lowered(tuple(cells), params.line_per_cell)


SCHEMA = Schema(
    "rate_card",
    __doc__ or "",
    FIELDS,
    (
        Example(
            "card payments of 80.00 (GB), 80.00 (DE) and 40.00 GBP (US, converted), each fee rounded: 140 + 220 + (150 + 80)",
            {
                "currency": "gbp",
                "ext": {
                    "rate_card": {
                        "rules": [
                            {
                                "label": "United Kingdom",
                                "when": [{"property": "country", "in": ["GB"]}],
                                "fees": [{"percent": "1.5", "fixed_amount": 20}],
                            },
                            {
                                "label": "EEA",
                                "when": [{"property": "country", "in": ["DE", "FR", "IE"]}],
                                "fees": [{"percent": "2.5", "fixed_amount": 20}],
                            },
                            {"label": "International", "fees": [{"percent": "3.25", "fixed_amount": 20}]},
                        ],
                        "surcharges": [{"label": "conversion", "when": [{"property": "converted", "in": [True]}], "fees": [{"percent": "2"}]}],
                        "round_per": "event",
                    }
                },
            },
            {
                "events": [
                    {"value": 8000, "country": "GB"},
                    {"value": 8000, "country": "DE"},
                    {"value": 4000, "country": "US", "converted": True},
                ]
            },
            590,
            "590",
        ),
        Example(
            "interchange-plus: the interchange of 0.41 USD passed through, plus 0.3 % of 100.00 and 8 cents",
            {
                "currency": "usd",
                "ext": {
                    "rate_card": {
                        "value_in": "major",
                        "rules": [{"fees": [{"cost": "interchange"}, {"label": "markup", "percent": "0.3", "fixed_amount": 8}]}],
                    }
                },
            },
            {"events": [{"value": "100.00", "interchange": "0.41"}]},
            79,
            "79",
        ),
    ),
)
MODEL = Model(SCHEMA, read, lower, excludes=frozenset({"conversion", "allowance", "flat_at_zero"}))
