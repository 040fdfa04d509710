-- Drafts, which come and go, and finalised documents, which never change.
--
-- A line stands once, in a row of its own. Where a document's content is exactly its lines and something around them, `content` is what
-- is around them and `lines_apart` is true: an altered line is then an altered document, which its digest shows.

CREATE TABLE drafts (
    account     integer NOT NULL,
    mode        mode    NOT NULL,
    id          text    NOT NULL CHECK (id <> ''),
    contract    text    NOT NULL,
    kind        text    NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    lines_apart boolean NOT NULL,
    content     jsonb   NOT NULL,
    digest      text    NOT NULL,
    pins        jsonb   NOT NULL,
    created     bigint  GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (account, mode, id),
    FOREIGN KEY (account, mode, contract) REFERENCES contracts
);
CREATE INDEX ON drafts (account, mode, contract);
CALL protect('drafts', '{insert,delete}', false);

CREATE TABLE draft_lines (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    document text    NOT NULL,
    n        integer NOT NULL CHECK (n > 0),
    id       text    NOT NULL,
    content  jsonb   NOT NULL,
    PRIMARY KEY (account, mode, document, n),
    UNIQUE (account, mode, id),
    FOREIGN KEY (account, mode, document) REFERENCES drafts ON DELETE CASCADE
);
CALL protect('draft_lines', '{insert}', false);

-- A finalised document. `content` is what `digest` is over, `pins` what it was computed from. `ordinal` counts the documents of one
-- contract, kind and period (part-invoices, corrections). Its number stands in document_numbers: given last, and this row is never
-- touched again.
CREATE TABLE documents (
    account       integer NOT NULL,
    mode          mode    NOT NULL,
    id            text    NOT NULL CHECK (id <> ''),
    contract      text    NOT NULL,
    kind          text    NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    seller_entity text    NOT NULL,
    period_start  bigint  NOT NULL,
    period_end    bigint  NOT NULL,
    ordinal       integer NOT NULL CHECK (ordinal >= 0),
    lines_apart   boolean NOT NULL,
    content       jsonb   NOT NULL,
    digest        text    NOT NULL,
    pins          jsonb   NOT NULL,
    trace_id      text,                              -- of the request that made it final
    PRIMARY KEY (account, mode, id),
    CONSTRAINT one_document_per_place UNIQUE (account, mode, contract, kind, period_start, period_end, ordinal),
    CHECK (period_start < period_end)
);
CALL protect('documents', '{insert}', true);

-- Lines, found by charge key. No foreign key to documents: it would double the time of a billing run, and both are written together.
CREATE TABLE document_lines (
    account          integer NOT NULL,
    mode             mode    NOT NULL,
    document         text    NOT NULL,
    n                integer NOT NULL CHECK (n > 0), -- from 1, in the order of the document
    id               text    NOT NULL,
    contract         text    NOT NULL,
    key_hash         uuid    NOT NULL,               -- 16 bytes of SHA-256 over the charge key's text
    amount           bigint  NOT NULL,               -- minor units, as in `content`
    content          jsonb   NOT NULL,
    tax_category     text,                           -- such as the codes of EN 16931: S, Z, E, AE, K, G, O
    exemption_reason text,
    trace_id         text,
    PRIMARY KEY (account, mode, document, n),
    UNIQUE (account, mode, id)
);
CREATE INDEX ON document_lines (account, mode, contract, key_hash);
CALL protect('document_lines', '{insert}', true);

-- The order of finalisation, dense within account and mode.
CREATE TABLE document_heads (
    account integer NOT NULL REFERENCES accounts,
    mode    mode    NOT NULL,
    head    bigint  NOT NULL DEFAULT 0 CHECK (head >= 0),
    PRIMARY KEY (account, mode)
);
CREATE TRIGGER refuse_step_back BEFORE UPDATE ON document_heads FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
CALL protect('document_heads', '{update (head)}', false);

-- The number of each document: gapless within its series, and never given again, not even after a void.
CREATE TABLE document_numbers (
    account       integer NOT NULL,
    mode          mode    NOT NULL,
    document      text    NOT NULL,
    seller_entity text    NOT NULL,
    series        text    NOT NULL,
    series_number bigint  NOT NULL CHECK (series_number > 0),
    number        text    NOT NULL,                  -- as it is printed
    sequence      bigint  NOT NULL CHECK (sequence > 0),
    PRIMARY KEY (account, mode, document),
    UNIQUE (account, mode, seller_entity, series, series_number),
    UNIQUE (account, mode, seller_entity, number),
    UNIQUE (account, mode, sequence)
);
CALL protect('document_numbers', '{insert}', true);

-- A void is a fact of its own. It says whether what the document billed is pending again or given up.
CREATE TABLE document_voids (
    account     integer NOT NULL,
    mode        mode    NOT NULL,
    document    text    NOT NULL,
    disposition text    NOT NULL CHECK (disposition IN ('reissue', 'waive')),
    trace_id    text,
    PRIMARY KEY (account, mode, document),
    FOREIGN KEY (account, mode, document) REFERENCES documents
);
CALL protect('document_voids', '{}', true);

-- What was given up on purpose, by charge key.
CREATE TABLE waivers (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    id       bigint  GENERATED ALWAYS AS IDENTITY,
    contract text    NOT NULL,
    key_text text    NOT NULL,
    key_hash uuid    NOT NULL,
    amount   bigint  NOT NULL,                       -- minor units
    reason   text    NOT NULL,
    trace_id text,
    PRIMARY KEY (account, mode, id),
    FOREIGN KEY (account, mode, contract) REFERENCES contracts
);
CREATE INDEX ON waivers (account, mode, contract, key_hash);
CALL protect('waivers', '{insert}', true);

-- What a document used of a grant, below zero where a correction refilled it.
CREATE TABLE grant_uses (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    document text    NOT NULL,
    grant_id text    NOT NULL,
    amount   bigint  NOT NULL,                       -- minor units
    PRIMARY KEY (account, mode, document, grant_id),
    FOREIGN KEY (account, mode, grant_id) REFERENCES grants
);
CALL protect('grant_uses', '{insert}', true);

-- A migration from elsewhere: what was billed there by charge key, and what customers owed or had as credit on the day.
CREATE TABLE migrated_totals (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    contract text    NOT NULL,
    key_hash uuid    NOT NULL,
    key_text text    NOT NULL,
    quantity text    NOT NULL,                       -- exact: a decimal, or "n/d"
    exact    text    NOT NULL,
    amount   bigint  NOT NULL,                       -- minor units
    discount bigint  NOT NULL DEFAULT 0,
    source   text    NOT NULL,                       -- which system, which document there
    PRIMARY KEY (account, mode, contract, key_hash, source),
    FOREIGN KEY (account, mode, contract) REFERENCES contracts
);
CALL protect('migrated_totals', '{}', true);

CREATE TABLE opening_balances (
    account        integer NOT NULL,
    mode           mode    NOT NULL,
    customer       text    NOT NULL,
    currency       text    NOT NULL,
    ledger_account text    NOT NULL,                 -- receivable, customer_credits, …
    amount         bigint  NOT NULL,                 -- minor units, debit positive
    as_of          bigint  NOT NULL,                 -- UTC microseconds
    source         text    NOT NULL,
    PRIMARY KEY (account, mode, customer, currency, ledger_account, source),
    FOREIGN KEY (account, mode, customer) REFERENCES customers
);
CALL protect('opening_balances', '{}', true);
