"""Refusals of events and of facts about them."""

from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal, refusal_kind

JSON_MALFORMED = refusal_kind("json_malformed", "The text is not one JSON value, or is nested too deeply.", "Send one complete JSON object.")
KEY_REPEATED = refusal_kind("key_repeated", "An object has the same key twice, so that it is not known which value counts.", "Send each key once.")
PROPERTY_NOT_SCALAR = refusal_kind(
    "property_not_scalar",
    "A property of an event is a list or an object; nothing could be measured or filtered by it.",
    "Send text, a number, true or false.",
)
PROPERTIES_TOO_MANY = refusal_kind("properties_too_many", "An event has more than 100 properties.", "Send only what meters, prices and reports need.")
PAYLOAD_TOO_LARGE = refusal_kind(
    "payload_too_large",
    "The names and values of an event's properties have more than 16,384 characters together.",
    "Send references instead of contents.",
)
EVENT_TIME_OUT_OF_RANGE = refusal_kind(
    "event_time_out_of_range",
    "An event's time is before 1970 or after 2261, which no clock in use shows.",
    "Check the unit and the zone of the timestamp.",
)
FACT_TYPE_UNKNOWN = refusal_kind(
    "fact_type_unknown", "The document has a type other than those that exist.", 'Send "cancel", "replace", or an event without a type.'
)
REPLACEMENT_NAMES_ITSELF = refusal_kind(
    "replacement_names_itself",
    "A replacement event has the identifier of the event that it replaces.",
    "Give the replacement an identifier of its own.",
)
CLOUDEVENT_VERSION_UNSUPPORTED = refusal_kind("cloudevent_version_unsupported", "The CloudEvents version is not 1.0.", 'Send "specversion": "1.0".')
CLOUDEVENT_DATA_NOT_JSON = refusal_kind(
    "cloudevent_data_not_json",
    "A CloudEvent carries data that is not a JSON object, so that it has no properties.",
    "Send the properties as a JSON object in data.",
)
IDENTIFIER_CONFLICT = refusal_kind(
    "identifier_conflict",
    "The identifier was already used with other content. The first event stands.",
    "Send a new event under a new identifier, or correct the first one by a replacement.",
)
EVENT_REPLACED_ALREADY = refusal_kind(
    "event_replaced_already",
    "The event to be replaced has a replacement already; two would count its usage twice.",
    "Replace or cancel that replacement.",
)
REPLACEMENT_CIRCULAR = refusal_kind(
    "replacement_circular",
    "The event to be replaced has itself replaced this one, directly or over others: each would take the other out, and nothing would count.",
    "Send what is to count under an identifier that was not used yet, as the replacement of the event that counts now.",
)
CANCEL_NAMES_OTHER_EVENT = refusal_kind(
    "cancel_names_other_event",
    "The event that a cancellation identifies has another event_name.",
    "Send the event_name of the event to be cancelled.",
)


def identifier_conflict(identifier: str) -> Refusal:
    """For the log: the identifier of a fact is taken by other content."""
    return Refusal(IDENTIFIER_CONFLICT, f"{shown(identifier)} names an event with other content.", "identifier")


def replaced_already(target: str, by: str) -> Refusal:
    """For the log: `target` has the replacement `by`."""
    return Refusal(EVENT_REPLACED_ALREADY, f"{shown(target)} was replaced by {shown(by)}.", "replace.identifier")


def replacement_circular(target: str, by: str) -> Refusal:
    """For the log: `target` is what `by` was replaced by, directly or over others."""
    return Refusal(REPLACEMENT_CIRCULAR, f"{shown(target)} replaced {shown(by)} already, and would be replaced by it.", "event.identifier")


def cancel_names_other_event(target: str, sent: str, known: str) -> Refusal:
    """For the log: the target of a cancellation is known under another event_name."""
    return Refusal(CANCEL_NAMES_OTHER_EVENT, f"{shown(target)} is a {shown(known)} event, not {shown(sent)}.", "event_name")
