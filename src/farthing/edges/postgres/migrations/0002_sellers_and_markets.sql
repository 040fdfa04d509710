-- Who sells, where, and under which numbers. A market is data, not code: opening one adds rows here.

-- The legal entity that issues documents and keeps books. Every account begins with one, 'default', for each mode.
CREATE TABLE seller_entities (
    account integer NOT NULL REFERENCES accounts,
    mode    mode    NOT NULL,
    id      text    NOT NULL CHECK (id <> ''),
    name    text    NOT NULL,
    country text    NOT NULL DEFAULT '',             -- ISO 3166 alpha-2, '' while unknown
    PRIMARY KEY (account, mode, id)
);
CALL protect('seller_entities', '{}', false);

-- A market: where a seller entity sells, in which languages and document format, and which legal texts go on its documents.
CREATE TABLE markets (
    account         integer NOT NULL,
    mode            mode    NOT NULL,
    id              text    NOT NULL CHECK (id <> ''),
    seller_entity   text    NOT NULL,
    countries       text[]  NOT NULL DEFAULT '{}',
    languages       text[]  NOT NULL DEFAULT '{}',
    document_format text    NOT NULL DEFAULT '',     -- such as an e-invoice profile
    payment_methods text[]  NOT NULL DEFAULT '{}',
    legal_texts     jsonb   NOT NULL DEFAULT '{}',   -- by language
    PRIMARY KEY (account, mode, id),
    FOREIGN KEY (account, mode, seller_entity) REFERENCES seller_entities
);
CALL protect('markets', '{}', false);

-- The currencies that a market sells in; its rounding where it differs from the minor unit (such as cash rounding to 5).
CREATE TABLE market_currencies (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    market   text    NOT NULL,
    currency text    NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    round_to integer NOT NULL DEFAULT 1 CHECK (round_to > 0),
    PRIMARY KEY (account, mode, market, currency),
    FOREIGN KEY (account, mode, market) REFERENCES markets
);
CALL protect('market_currencies', '{}', false);

-- Where a seller entity is registered for tax, and when: decides what is taxed, and what is printed on documents.
CREATE TABLE tax_registrations (
    account       integer NOT NULL,
    mode          mode    NOT NULL,
    seller_entity text    NOT NULL,
    jurisdiction  text    NOT NULL,
    number        text    NOT NULL,
    valid         int8range NOT NULL,                -- instants in UTC microseconds, half-open
    PRIMARY KEY (account, mode, seller_entity, jurisdiction, number),
    FOREIGN KEY (account, mode, seller_entity) REFERENCES seller_entities
);
CALL protect('tax_registrations', '{}', false);

-- Gapless document numbers: one counter for each seller entity, series and mode. `head` is the last number given, moved by the last
-- statement of the transaction that finalises, so that a rollback leaves no gap and a lock is held for the length of a commit.
CREATE TABLE number_series (
    account       integer NOT NULL,
    mode          mode    NOT NULL,
    seller_entity text    NOT NULL,
    series        text    NOT NULL,                  -- the kind of document: 'invoice', 'credit_note'
    prefix        text    NOT NULL,
    head          bigint  NOT NULL DEFAULT 0 CHECK (head >= 0),
    PRIMARY KEY (account, mode, seller_entity, series),
    UNIQUE (account, mode, seller_entity, prefix),   -- or two series could give one number
    FOREIGN KEY (account, mode, seller_entity) REFERENCES seller_entities
);
CREATE TRIGGER refuse_step_back BEFORE UPDATE ON number_series FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
CALL protect('number_series', '{update (head)}', false);
