-- Where COPY puts facts, for COPY cannot write through row-level security. One for each connection, empty after each transaction.
CREATE TEMPORARY TABLE staged_facts (
    ordinal    integer NOT NULL,
    hash       uuid,
    identifier text COLLATE "C",
    target     text COLLATE "C",
    event_name text NOT NULL,
    customer   text,
    at         bigint,
    payload    jsonb
) ON COMMIT DELETE ROWS
