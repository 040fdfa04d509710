SELECT revision, document FROM customer_versions WHERE customer = %(customer)s ORDER BY revision DESC LIMIT 1
