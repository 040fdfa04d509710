SELECT key_text, sum(amount)::bigint FROM waivers WHERE contract = %(contract)s GROUP BY key_text ORDER BY min(id)
