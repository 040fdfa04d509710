"""Refusals of the HTTP service: requests that cannot be read as the wire contract has them."""

from farthing.core.base.refusal import refusal_kind

FORM_TOO_LARGE = refusal_kind("form_too_large", "A form has too many bytes, fields, levels or digits of an index.", "Send less in one request.")
FORM_MALFORMED = refusal_kind(
    "form_malformed",
    "A form is not percent-encoded UTF-8, or the name of a field in it cannot be read.",
    "Send fields as name=value, name[inner]=value or name[0]=value.",
)
FORM_CONFLICT = refusal_kind(
    "form_conflict", "A field of a form is sent twice, or both as a value and as an object or list.", "Send each field once."
)
PARAMETER_UNKNOWN = refusal_kind("parameter_unknown", "The operation has no parameter of this name.", "Remove it or correct its name.")
PARAMETER_MISSING = refusal_kind("parameter_missing", "A required parameter is missing.", "Send it.")
PARAMETER_EMPTY = refusal_kind(
    "parameter_invalid_empty", "A parameter that cannot be unset was sent empty.", "Send a value, or leave the parameter out."
)
PARAMETER_NOT_INTEGER = refusal_kind(
    "parameter_invalid_integer", "A parameter is not a whole number that fits 64 bits.", "Send digits, such as 1200."
)
PARAMETER_NOT_BOOLEAN = refusal_kind("parameter_invalid_boolean", "A parameter is not a truth value.", "Send true or false.")
PARAMETER_NOT_DECIMAL = refusal_kind(
    "parameter_invalid_decimal", "A parameter is not a decimal number that can be kept exactly.", "Send a plain decimal such as 12.5."
)
PARAMETER_NOT_TIMESTAMP = refusal_kind(
    "parameter_invalid_timestamp",
    "A parameter is not a time in whole seconds since 1970, up to the end of 2261.",
    "Send seconds, such as 1767225600.",
)
PARAMETER_NOT_A_CHOICE = refusal_kind("parameter_invalid_choice", "A parameter is none of its choices.", "Send one of the choices named.")
PARAMETER_NOT_TEXT = refusal_kind("parameter_invalid_text", "An object or a list stands where a text belongs.", "Send a text.")
PARAMETER_TOO_LONG = refusal_kind("parameter_too_long", "A text is longer than its parameter allows.", "Shorten it.")
PARAMETER_NOT_OBJECT = refusal_kind("parameter_invalid_object", "Something else stands where an object belongs.", "Send name[inner]=value.")
PARAMETER_NOT_LIST = refusal_kind("parameter_invalid_list", "Something else stands where a list belongs.", "Send name[0]=value.")
PARAMETER_TOO_MANY = refusal_kind("parameter_too_many", "A list or a map has more entries than can be taken.", "Send fewer.")
METADATA_INVALID = refusal_kind(
    "metadata_invalid",
    "Metadata has more than 50 keys, a key of more than 40 characters or with brackets, or a value of more than 500 characters.",
    "Keep within these limits.",
)
PARAMETER_UNSUPPORTED = refusal_kind(
    "parameter_unsupported",
    "The wire contract knows the parameter, and this version does not support it.",
    "Leave it out; docs/api.md lists what is.",
)
OPERATION_UNSUPPORTED = refusal_kind(
    "operation_unsupported", "The wire contract knows the operation, and this version does not support it.", "docs/api.md lists what is."
)
URL_UNKNOWN = refusal_kind("url_unknown", "There is nothing at this path.", "Correct the path.")
METHOD_NOT_ALLOWED = refusal_kind(
    "method_not_allowed", "The path exists, but not for this method.", "Send it with one of the methods of the Allow header."
)
CONTENT_TYPE_UNSUPPORTED = refusal_kind(
    "content_type_unsupported",
    "The body is of a type that the operation does not read.",
    "Send application/x-www-form-urlencoded to /v1, and application/json to /v2 and /ext.",
)
BODY_TOO_LARGE = refusal_kind("body_too_large", "The body of the request has more bytes than are read.", "Send less in one request.")
BODY_LATE = refusal_kind("body_late", "The body of the request did not arrive in time.", "Send it again, at once.")
API_KEY_MISSING = refusal_kind(
    "api_key_missing", "The request carries no API key.", "Send it as the user name of Basic authentication, or as Bearer token."
)
API_KEY_INVALID = refusal_kind("api_key_invalid", "The API key is none of this service.", "Correct it, or make one with `farthing serve --api-key`.")
API_KEY_EXPIRED = refusal_kind("api_key_expired", "The API key is not valid any more: it has expired or was revoked.", "Use another key.")
SESSION_EXPIRED = refusal_kind("session_expired", "The session of the meter event stream is over.", "Create a new session, and send it again.")
PERMISSION_MISSING = refusal_kind("permission_missing", "The API key may not do this.", "Use a key whose permissions name the resource.")
ACCOUNT_FORBIDDEN = refusal_kind(
    "account_forbidden",
    "The key may not act for the account that the Stripe-Account header names.",
    "Leave the header out, or name the key's own account.",
)
RATE_LIMITED = refusal_kind("rate_limit", "A key makes more requests than it may.", "Wait, then send it again; make fewer at once.")
SERVER_BUSY = refusal_kind(
    "server_busy", "More requests are waiting than can be worked on; nothing of this one was done.", "Send it again a little later."
)
DEADLINE_EXCEEDED = refusal_kind(
    "deadline_exceeded",
    "The request was not answered in time; a part that was begun may still be finished.",
    "Send it again with the same Idempotency-Key: what was finished is answered, and not done twice.",
)
SERVER_ERROR = refusal_kind(
    "server_error",
    "Something failed that has no name here, which is a mistake in Farthing; what the request would have changed is as before.",
    "Send it again; if it fails again, report the Request-Id, which the service's log explains.",
)
IDEMPOTENCY_KEY_REUSED = refusal_kind(
    "idempotency_key_reused", "The idempotency key was used for another request.", "Send a new key with each request that is not a repetition."
)
IDEMPOTENCY_KEY_IN_USE = refusal_kind(
    "idempotency_key_in_use", "A request with this idempotency key is being worked on.", "Wait for its answer, then send the same again."
)
LIMIT_OUT_OF_RANGE = refusal_kind("limit_out_of_range", "A page has from 1 to 100 entries.", "Send a limit from 1 to 100.")
SEARCH_MALFORMED = refusal_kind(
    "search_malformed",
    "A search query cannot be read.",
    'Write clauses such as name~"pro" AND active:"true"; docs/api.md has the grammar.',
)
SEARCH_FIELD_UNKNOWN = refusal_kind(
    "search_field_unknown", "A search query asks for a field that cannot be searched by.", "Use one of the fields named."
)
SEARCH_PAGE_UNKNOWN = refusal_kind("search_page_unknown", "The page of a search is none that it gave.", "Send next_page of the page before, or none.")
EXPAND_INVALID = refusal_kind("expand_invalid", "A field that is asked to be expanded cannot be.", "Send paths of at most four fields that hold ids.")
ID_INVALID = refusal_kind("id_invalid", "An id in the path is not percent-encoded UTF-8.", "Send the id as it was given out.")
EVENT_TYPES_INVALID = refusal_kind(
    "event_types_invalid",
    "The types of events that are asked for are none, too many, or no group.",
    'Send up to 20 types, or a group such as "product.*".',
)
ADDRESS_UNUSABLE = refusal_kind(
    "address_unusable", "The service cannot listen at the address and port.", "Send another --host or --port, or stop what listens there."
)
