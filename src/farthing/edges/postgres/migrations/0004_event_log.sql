-- The log of usage facts, append-only.
--
-- Writers work side by side. Each puts its facts in under (batch, ordinal), and its transaction's last statement takes the row of
-- log_heads and maps the batch to its first position: position = first_position + ordinal, dense from 1. The lock is held until
-- the commit is durable, so whoever reads a head finds every fact at or below it, and none is ever added there.
-- (Transaction ids would not do: they do not survive dump and restore.)

CREATE TABLE log_heads (
    account integer NOT NULL REFERENCES accounts,
    mode    mode    NOT NULL,
    head    bigint  NOT NULL DEFAULT 0 CHECK (head >= 0),
    PRIMARY KEY (account, mode)
);
CREATE TRIGGER refuse_step_back BEFORE UPDATE ON log_heads FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
CALL protect('log_heads', '{update (head)}', false);

CREATE SEQUENCE event_batch_numbers;
REVOKE ALL ON SEQUENCE event_batch_numbers FROM PUBLIC;
GRANT USAGE ON SEQUENCE event_batch_numbers TO farthing_service;

CREATE TABLE event_batches (
    account        integer     NOT NULL REFERENCES accounts,
    mode           mode        NOT NULL,
    batch          bigint      NOT NULL,
    first_position bigint      NOT NULL CHECK (first_position > 0),
    facts          integer     NOT NULL CHECK (facts > 0),
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when we learned it; decides nothing
    PRIMARY KEY (batch),
    UNIQUE (account, mode, first_position)
);
CALL protect('event_batches', '{insert}', true);

-- A fact: an event (identifier, no target), a replacement (both), or a cancellation (target, no identifier).
-- No foreign keys and no index but its place and a BRIN: it takes billions of rows, and everything unique is held by the registries.
CREATE TABLE events (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    batch      bigint  NOT NULL,
    at         bigint,                               -- UTC microseconds
    ordinal    integer NOT NULL,
    identifier text    COLLATE "C",
    target     text    COLLATE "C",
    event_name text    NOT NULL,
    customer   text,
    payload    jsonb,                                -- properties; every value is text
    trace_id   text,                                 -- of the request that brought it
    PRIMARY KEY (batch, ordinal),
    CHECK (CASE WHEN identifier IS NULL THEN target IS NOT NULL AND num_nonnulls(at, customer, payload) = 0
                ELSE num_nulls(at, customer, payload) = 0 END)
);
-- Usage arrives roughly in order of time: a billing period is a few block ranges.
CREATE INDEX events_at ON events USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
CALL protect('events', '{insert}', true);

-- The id registry: each identifier once, for as long as its event may be billed (its own table: one partitioned by time could not
-- hold an id unique). `hash` tells the same content sent again from other content. Never smaller than what it guards.
CREATE TABLE event_ids (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    batch      bigint  NOT NULL,
    ordinal    integer NOT NULL,
    hash       uuid    NOT NULL,                     -- 16 bytes of SHA-256, see rows.py
    identifier text    COLLATE "C" NOT NULL,
    PRIMARY KEY (account, mode, identifier)
);
CALL protect('event_ids', '{insert}', true);

-- Which event a fact cancels, each once.
CREATE TABLE event_cancels (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    target     text    COLLATE "C" NOT NULL,
    event_name text    NOT NULL,
    batch      bigint  NOT NULL,
    ordinal    integer NOT NULL,
    PRIMARY KEY (account, mode, target, event_name)
);
CALL protect('event_cancels', '{insert}', true);

-- The one replacement of a target.
CREATE TABLE event_replacements (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    target     text    COLLATE "C" NOT NULL,
    identifier text    COLLATE "C" NOT NULL,
    batch      bigint  NOT NULL,
    ordinal    integer NOT NULL,
    PRIMARY KEY (account, mode, target)
);
CALL protect('event_replacements', '{insert}', true);

-- Facts that were refused because of what the log holds, each once: other content under a taken identifier, a second replacement, a
-- cancellation that names another kind of event. Nothing that was sent is lost without a trace.
CREATE TABLE refused_facts (
    account     integer     NOT NULL,
    mode        mode        NOT NULL,
    code        text        NOT NULL,
    subject     text        NOT NULL,                -- the identifier sent, or the target of a cancellation
    hash        uuid        NOT NULL,
    document    jsonb       NOT NULL,                -- the fact as it was sent
    message     text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    trace_id    text,
    PRIMARY KEY (account, mode, code, subject, hash)
);
CALL protect('refused_facts', '{insert}', true);

-- How far a source of events (a file) has been loaded; moves in the transaction of its facts.
CREATE TABLE source_checkpoints (
    account integer NOT NULL REFERENCES accounts,
    mode    mode    NOT NULL,
    source  text    NOT NULL,
    mark    text    NOT NULL,
    PRIMARY KEY (account, mode, source)
);
CALL protect('source_checkpoints', '{insert,update (mark)}', false);
