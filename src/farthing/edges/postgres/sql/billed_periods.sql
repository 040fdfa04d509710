SELECT DISTINCT period_start, period_end FROM documents WHERE contract = %(contract)s ORDER BY 1, 2
