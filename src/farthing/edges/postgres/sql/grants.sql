SELECT id, currency, remaining, applies, priority FROM grants WHERE customer = %(customer)s ORDER BY priority, id COLLATE "C"
