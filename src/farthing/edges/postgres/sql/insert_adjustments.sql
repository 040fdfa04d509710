-- Cancellations and replacements among the staged facts, each once (unique_violation like insert_facts).
WITH cancels AS (
    INSERT INTO event_cancels (account, mode, target, event_name, batch, ordinal)
    SELECT (SELECT current_account()), (SELECT current_mode()), target, event_name, %(batch)s, ordinal
    FROM staged_facts WHERE identifier IS NULL ORDER BY target, event_name
)
INSERT INTO event_replacements (account, mode, target, identifier, batch, ordinal)
SELECT (SELECT current_account()), (SELECT current_mode()), target, identifier, %(batch)s, ordinal
FROM staged_facts WHERE identifier IS NOT NULL AND target IS NOT NULL ORDER BY target
