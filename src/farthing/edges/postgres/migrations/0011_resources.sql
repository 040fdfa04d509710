-- What the API keeps and shows: its resources, the names and numbers that they take, API keys, and the answers to requests.

-- A resource. `document` is what the API shows of it, `hidden` what it must never show. Lists are in the order of (created, place),
-- newest first.
--
-- The fields that lists are asked by most stand beside the document as columns, cut to what an index takes. An index over the document
-- itself would be of no use: under row-level security an index serves only conditions whose operators are leakproof, and those of JSONB
-- are not (`=` of text is).
CREATE TABLE resources (
    account             integer NOT NULL,
    mode                mode    NOT NULL,
    kind                text    NOT NULL CHECK (kind <> ''),
    id                  text    NOT NULL CHECK (id <> ''),
    created             bigint  NOT NULL,                 -- whole seconds, as documents have them
    place               bigint  GENERATED ALWAYS AS IDENTITY,
    document            jsonb   NOT NULL,
    hidden              jsonb   NOT NULL DEFAULT '{}',
    deleted             boolean NOT NULL DEFAULT false,
    clock               text,                             -- the test clock that it lives by; none: the wall clock
    due_at              bigint,                           -- UTC microseconds: from then on there is work to do
    customer            text    GENERATED ALWAYS AS (left(document #>> '{customer}', 200)) STORED,
    subscription        text    GENERATED ALWAYS AS (left(document #>> '{subscription}', 200)) STORED,
    parent_subscription text    GENERATED ALWAYS AS (left(document #>> '{parent,subscription_details,subscription}', 200)) STORED,
    invoice             text    GENERATED ALWAYS AS (left(document #>> '{invoice}', 200)) STORED,
    payment_intent      text    GENERATED ALWAYS AS (left(document #>> '{payment_intent}', 200)) STORED,
    product             text    GENERATED ALWAYS AS (left(document #>> '{product}', 200)) STORED,
    email               text    GENERATED ALWAYS AS (left(document #>> '{email}', 200)) STORED,
    lookup_key          text    GENERATED ALWAYS AS (left(document #>> '{lookup_key}', 200)) STORED,
    type                text    GENERATED ALWAYS AS (left(document #>> '{type}', 200)) STORED,
    PRIMARY KEY (account, mode, kind, id)
);
CREATE INDEX resources_listed ON resources (account, mode, kind, created, place) WHERE NOT deleted;
CREATE INDEX resources_by_customer ON resources (account, mode, kind, customer, created, place)
    WHERE NOT deleted AND customer IS NOT NULL;
CREATE INDEX resources_by_subscription ON resources (account, mode, kind, subscription, created, place)
    WHERE NOT deleted AND subscription IS NOT NULL;
CREATE INDEX resources_by_parent_subscription ON resources (account, mode, kind, parent_subscription, created, place)
    WHERE NOT deleted AND parent_subscription IS NOT NULL;
CREATE INDEX resources_by_invoice ON resources (account, mode, kind, invoice, created, place)
    WHERE NOT deleted AND invoice IS NOT NULL;
CREATE INDEX resources_by_payment_intent ON resources (account, mode, kind, payment_intent, created, place)
    WHERE NOT deleted AND payment_intent IS NOT NULL;
CREATE INDEX resources_by_product ON resources (account, mode, kind, product, created, place)
    WHERE NOT deleted AND product IS NOT NULL;
CREATE INDEX resources_by_email ON resources (account, mode, kind, email, created, place)
    WHERE NOT deleted AND email IS NOT NULL;
CREATE INDEX resources_by_lookup_key ON resources (account, mode, kind, lookup_key, created, place)
    WHERE NOT deleted AND lookup_key IS NOT NULL;
CREATE INDEX resources_by_type ON resources (account, mode, kind, type, created, place)
    WHERE NOT deleted AND type IS NOT NULL;
CREATE INDEX resources_due ON resources (account, mode, kind, due_at, place) WHERE NOT deleted AND due_at IS NOT NULL AND clock IS NULL;
CREATE INDEX resources_due_by_clock ON resources (account, mode, kind, clock, due_at, place)
    WHERE NOT deleted AND due_at IS NOT NULL AND clock IS NOT NULL;
CALL protect('resources', '{insert,"update (document, hidden, deleted, clock, due_at)"}', false);

-- What must be unique: a name within a scope has one owner.
CREATE TABLE claims (
    account integer NOT NULL,
    mode    mode    NOT NULL,
    scope   text    NOT NULL,
    name    text    NOT NULL,
    owner   text    NOT NULL,
    PRIMARY KEY (account, mode, scope, name)
);
CALL protect('claims', '{insert,delete}', false);

-- Numbers without a gap: the row stays locked until the transaction that takes a number ends.
CREATE TABLE series (
    account integer NOT NULL,
    mode    mode    NOT NULL,
    name    text    NOT NULL,
    head    bigint  NOT NULL CHECK (head > 0),
    PRIMARY KEY (account, mode, name)
);
CREATE TRIGGER refuse_step_back BEFORE UPDATE ON series FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
CALL protect('series', '{insert,"update (head)"}', false);

-- API keys, of which only the hash is kept. The hash is unique over all accounts: it is what tells whose a key is.
CREATE TABLE api_keys (
    account     integer NOT NULL REFERENCES accounts,
    mode        mode    NOT NULL,
    id          text    NOT NULL,
    hash        bytea   NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    kind        text    NOT NULL CHECK (kind IN ('secret', 'restricted', 'publishable')),
    shown       text    NOT NULL,                    -- its prefix and last four characters
    permissions jsonb   NOT NULL,                    -- resource → "read" or "write"
    created_at  bigint  NOT NULL,                    -- UTC microseconds
    expires_at  bigint,
    revoked_at  bigint,
    PRIMARY KEY (account, mode, id)
);
CALL protect('api_keys', '{insert,"update (revoked_at)"}', false);

-- The key of a hash, with its account and mode: what the service asks before it knows which rows it may see. Nothing else of another
-- account can be asked, and this only by who has the key.
CREATE FUNCTION find_api_key(hash bytea)
RETURNS TABLE (account text, mode mode, id text, kind text, shown text, permissions jsonb, created_at bigint, expires_at bigint, revoked_at bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT a.name, k.mode, k.id, k.kind, k.shown, k.permissions, k.created_at, k.expires_at, k.revoked_at
    FROM api_keys k JOIN accounts a ON a.id = k.account WHERE k.hash = find_api_key.hash
$$;

-- Answers to requests that carried an idempotency key. There is no row for a request that is being worked on: an advisory lock, which
-- goes with its transaction, says so. Work and answer become durable together.
CREATE TABLE idempotency (
    account    integer  NOT NULL,
    mode       mode     NOT NULL,
    key        text     NOT NULL,
    request    bytea    NOT NULL,                    -- a hash of all that makes it this request
    status     smallint NOT NULL,
    headers    jsonb    NOT NULL,
    body       bytea    NOT NULL,
    created_at bigint   NOT NULL,                    -- UTC microseconds
    PRIMARY KEY (account, mode, key)
);
CREATE INDEX ON idempotency (account, mode, created_at);
CALL protect('idempotency', '{insert,delete}', false);
