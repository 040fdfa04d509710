-- Whether a contract was declared anew after a revision.
SELECT FROM contract_declarations WHERE contract = %(contract)s AND revision > %(revision)s LIMIT 1
