-- Take every staged fact, or fail as a whole with unique_violation when one of them is known or another writer brings it right now.
-- Plain inserts: ON CONFLICT would look up every identifier twice. In order of identifier, so that two writers of the same ones
-- wait for each other and never in a circle.
WITH batch AS MATERIALIZED (
    SELECT nextval('event_batch_numbers') AS number, current_account() AS account, current_mode() AS mode
), ids AS (
    INSERT INTO event_ids (account, mode, batch, ordinal, hash, identifier)
    SELECT (SELECT account FROM batch), (SELECT mode FROM batch), (SELECT number FROM batch), ordinal, hash, identifier
    FROM staged_facts WHERE identifier IS NOT NULL ORDER BY identifier
), facts AS (
    INSERT INTO events (account, mode, batch, ordinal, at, identifier, target, event_name, customer, payload)
    SELECT (SELECT account FROM batch), (SELECT mode FROM batch), (SELECT number FROM batch),
           ordinal, at, identifier, target, event_name, customer, payload
    FROM staged_facts
)
SELECT number FROM batch
