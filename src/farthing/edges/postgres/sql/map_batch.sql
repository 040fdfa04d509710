-- The last statement of an append: take the head, and give the batch its place in the log.
WITH moved AS (
    UPDATE log_heads SET head = head + %(facts)s
    WHERE account = (SELECT current_account()) AND mode = (SELECT current_mode()) RETURNING account, mode, head
), mapped AS (
    INSERT INTO event_batches (account, mode, batch, first_position, facts, recorded_at)
    SELECT account, mode, %(batch)s, head - %(facts)s + 1, %(facts)s,
           coalesce(timestamptz 'epoch' + %(recorded_at)s::bigint * interval '1 microsecond', clock_timestamp())
    FROM moved
)
SELECT head FROM moved
