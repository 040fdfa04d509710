-- What the worker asks before it knows whose rows it may see: which accounts and modes have something to do. It learns their names and
-- nothing else of them.

-- Those with work due by an instant on rows of some kinds, on the wall clock.
CREATE FUNCTION accounts_with_due_work(kinds text[], up_to bigint) RETURNS TABLE (account text, mode mode)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT a.name, m.mode FROM accounts a CROSS JOIN unnest(enum_range(NULL::mode)) AS m (mode)
    WHERE EXISTS (
        SELECT FROM unnest(kinds) AS k (kind) JOIN LATERAL (
            SELECT FROM resources r
            WHERE r.account = a.id AND r.mode = m.mode AND r.kind = k.kind AND NOT r.deleted AND r.clock IS NULL AND r.due_at <= up_to LIMIT 1
        ) due ON true)
    ORDER BY a.id, m.mode
$$;

-- Those with answers to requests that were begun at or before an instant.
CREATE FUNCTION accounts_with_answers(up_to bigint) RETURNS TABLE (account text, mode mode)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT a.name, m.mode FROM accounts a CROSS JOIN unnest(enum_range(NULL::mode)) AS m (mode)
    WHERE EXISTS (SELECT FROM idempotency i WHERE i.account = a.id AND i.mode = m.mode AND i.created_at <= up_to)
    ORDER BY a.id, m.mode
$$;
