SELECT lineage, effective_start, effective_end, revision, id, document FROM price_versions
WHERE %(lineages)s::text[] IS NULL OR lineage = ANY (%(lineages)s::text[]) ORDER BY revision
