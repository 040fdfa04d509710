SELECT customer, currency, amount, applies, priority FROM grants WHERE id = %(id)s
