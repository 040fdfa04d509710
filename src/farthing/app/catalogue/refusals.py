"""Refusals of the catalogue's resources."""

from farthing.core.base.refusal import refusal_kind

ID_UNUSABLE = refusal_kind(
    "id_unusable",
    "An id that the sender chose has other characters than letters, digits, - _ and ., or is the name of a path.",
    "Send 1 to 200 of these characters, or no id.",
)
COUPON_DISCOUNT_MISSING = refusal_kind("coupon_discount_missing", "A coupon takes nothing off.", "Send percent_off, or amount_off with its currency.")
COUPON_CURRENCY_MISSING = refusal_kind("coupon_currency_missing", "A coupon's amount has no currency.", "Send currency with amount_off.")
COUPON_MONTHS_MISSING = refusal_kind(
    "coupon_months_missing", "A coupon repeats, and it is not said for how many months.", "Send duration_in_months with duration=repeating."
)
PERCENTAGE_OUT_OF_RANGE = refusal_kind(
    "percentage_out_of_range", "A percentage is not within what its field takes.", "Send one within the bounds named, such as 12.5."
)
REDEEM_BY_OUT_OF_RANGE = refusal_kind(
    "redeem_by_out_of_range", "The time up to which a coupon can be redeemed is past, or more than five years ahead.", "Send a time in between."
)
COUPON_EXPIRED = refusal_kind(
    "coupon_expired", "The coupon cannot be redeemed any more: its time is over, or it was redeemed as often as it may be.", "Use another coupon."
)
COUNTRY_UNKNOWN = refusal_kind("country_unknown", "A country is not two letters.", 'Send an ISO 3166-1 code such as "DE".')
TEXTS_TOO_MANY = refusal_kind("texts_too_many", "A list of a product has more entries than it may.", "Send fewer.")
STATEMENT_DESCRIPTOR_INVALID = refusal_kind(
    "statement_descriptor_invalid",
    "What is to stand on a customer's statement has no letter, or one of < > \\ \" ' * in it.",
    "Send up to 22 plain characters with a letter.",
)
URL_INVALID = refusal_kind("url_invalid", "A text is no address of a page.", "Send an address that begins with http:// or https://.")
TAX_CODE_UNKNOWN = refusal_kind("tax_code_unknown", "A tax code is not in the form that they have.", "Send txcd_ and eight digits.")
PRICE_OF_OTHER_PRODUCT = refusal_kind("price_of_other_product", "A price belongs to another product.", "Send a price of this product.")
PRODUCT_HAS_PRICES = refusal_kind(
    "product_has_prices", "A product that has prices cannot be deleted: bills name them.", "Set active to false instead."
)
PRICE_METER_MISSING = refusal_kind("price_meter_missing", "A metered price has no meter.", "Send recurring[meter], the id of a billing meter.")
PRICE_METER_INACTIVE = refusal_kind("price_meter_inactive", "The meter of a price is not active.", "Reactivate the meter, or name another.")
PRICE_METER_NEEDED = refusal_kind(
    "price_meter_needed",
    "A price looks at single events, and is not metered.",
    "Send recurring[usage_type]=metered with recurring[meter].",
)
PRICE_INTERVAL_TOO_LONG = refusal_kind(
    "price_interval_too_long", "A price recurs less than once in three years.", "Send an interval of at most three years, 36 months or 156 weeks."
)
PRICE_CURRENCY_FIXED = refusal_kind(
    "price_currency_fixed",
    "What a price is in a currency never changes, and is never taken away: bills are made from it.",
    "Make a new price, and set active to false on this one.",
)
PRICE_TAX_BEHAVIOR_FIXED = refusal_kind(
    "price_tax_behavior_fixed", "It is settled whether a price contains taxes, and it never changes.", "Make a new price."
)
PRICE_PRODUCT_MISSING = refusal_kind("price_product_missing", "A price is of no product.", "Send product, the id of one, or product_data.")
LOOKUP_KEY_TAKEN = refusal_kind(
    "lookup_key_taken", "Another price has the lookup key.", "Send another, or transfer_lookup_key=true to take it from that price."
)
PROMOTION_CODE_MALFORMED = refusal_kind(
    "promotion_code_malformed", "A promotion code has other characters than it may.", "Send 1 to 500 letters, digits and dashes, or no code."
)
PROMOTION_CODE_TAKEN = refusal_kind(
    "promotion_code_taken", "Another active promotion code is the same, regardless of case.", "Send another code, or deactivate that one."
)
PROMOTION_CODE_BEYOND_COUPON = refusal_kind(
    "promotion_code_beyond_coupon",
    "A promotion code could be redeemed more often, or longer, than its coupon, or its time is past.",
    "Stay within what the coupon allows.",
)
PROMOTION_CODE_UNUSABLE = refusal_kind(
    "promotion_code_unusable",
    "The promotion code is not active: it was switched off, its time is over, it was redeemed as often as it may be, or its coupon was.",
    "Use another code.",
)
PROMOTION_CODE_OTHER_CUSTOMER = refusal_kind(
    "promotion_code_other_customer", "The promotion code is for another customer.", "Use a code that is for this customer, or for all."
)
PROMOTION_CODE_FIRST_TIME = refusal_kind(
    "promotion_code_first_time", "The promotion code is for customers who have not bought anything yet.", "Use another code."
)
PROMOTION_CODE_MINIMUM = refusal_kind(
    "promotion_code_minimum", "The promotion code asks for a minimum amount that is not reached.", "Use it where more is bought."
)
