"""Refusals of plain values: numbers, text, currencies, times, documents."""

from farthing.core.base.refusal import refusal_kind

NOT_AN_OBJECT = refusal_kind("not_an_object", "A JSON object was expected.", "Send a JSON object.")
FIELD_MISSING = refusal_kind("field_missing", "A required field is missing or null.", "Add the field.")
FIELD_UNKNOWN = refusal_kind(
    "field_unknown",
    "A field that nothing here reads; it is refused so that no typing error is billed as a default.",
    "Remove the field or correct its name.",
)
FIELD_INVALID = refusal_kind("field_invalid", "A field has a value of the wrong type or outside of its choices.", "Send one of the values named.")
FIELDS_CONFLICT = refusal_kind("fields_conflict", "Two fields are given of which only one may be.", "Send one of them.")
NUMBER_MALFORMED = refusal_kind("number_malformed", "A number could not be read exactly.", 'Send a decimal number such as 12 or "0.25".')
NUMBER_NOT_FINITE = refusal_kind("number_not_finite", "NaN or an infinity stands where a number belongs.", "Send a finite decimal number.")
NUMBER_TOO_LARGE = refusal_kind(
    "number_too_large", "A number has more than 20 digits before or 18 after the decimal point.", "Send it in a larger unit, or with fewer digits."
)
NUMBER_NEGATIVE = refusal_kind("number_negative", "A negative number stands where only zero or more makes sense.", "Send zero or a positive number.")
NUMBER_NOT_WHOLE = refusal_kind("number_not_whole", "A fraction stands where only whole numbers make sense.", "Send a whole number.")
NUMBER_NOT_POSITIVE = refusal_kind("number_not_positive", "Zero or less stands where a positive number belongs.", "Send a number above zero.")
CURRENCY_UNKNOWN = refusal_kind(
    "currency_unknown", "The currency is not an ISO 4217 code that has a minor unit.", 'Send a three-letter ISO 4217 code such as "usd".'
)
TIMESTAMP_MALFORMED = refusal_kind("timestamp_malformed", "A timestamp is not RFC 3339.", "Send it as 2025-01-31T12:00:00Z.")
TIMESTAMP_NAIVE = refusal_kind(
    "timestamp_naive", "A timestamp has no offset from UTC, so that its instant is not known.", "Add Z or an offset such as +01:00."
)
TIMESTAMP_TOO_PRECISE = refusal_kind(
    "timestamp_too_precise", "A timestamp has digits beyond the microsecond.", "Send at most six decimals of a second."
)
TIME_ZONE_UNKNOWN = refusal_kind("time_zone_unknown", "The time zone is not in the IANA database.", 'Send a name such as "Europe/London".')
TEXT_TOO_LONG = refusal_kind("text_too_long", "A text is longer than its field allows.", "Shorten it.")
TEXT_EMPTY = refusal_kind("text_empty", "An empty text stands where a name belongs.", "Send at least one character.")
TEXT_NOT_STORABLE = refusal_kind(
    "text_not_storable", "A text contains the NUL character or half of a surrogate pair, which cannot be stored.", "Remove the character."
)
