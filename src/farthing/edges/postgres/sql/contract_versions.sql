SELECT effective_start, effective_end, revision, agreement FROM contract_versions WHERE contract = %(id)s ORDER BY revision
