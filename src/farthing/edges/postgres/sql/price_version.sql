SELECT revision, document, lineage, effective_start, effective_end FROM price_versions WHERE id = %(id)s ORDER BY revision
