-- Customers, meters, prices, contracts and grants, as versions. Every write takes the next revision; `catalogue_heads` holds the
-- last one, and its row is locked from the first write of a transaction to the commit, so that revisions become visible in order.

CREATE TABLE catalogue_heads (
    account integer NOT NULL REFERENCES accounts,
    mode    mode    NOT NULL,
    head    bigint  NOT NULL DEFAULT 0 CHECK (head >= 0),
    PRIMARY KEY (account, mode)
);
CREATE TRIGGER refuse_step_back BEFORE UPDATE ON catalogue_heads FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
CALL protect('catalogue_heads', '{update (head)}', false);

-- A customer. Personal data will stand in the vault: `vault_token` is what the row will carry in its place. `market` decides
-- currencies, tax and documents once markets are in use; `parent` is who is invoiced together with it.
CREATE TABLE customers (
    account     integer NOT NULL,
    mode        mode    NOT NULL,
    id          text    NOT NULL CHECK (id <> ''),
    vault_token text,
    market      text,
    parent      text,
    PRIMARY KEY (account, mode, id),
    UNIQUE (account, mode, vault_token),
    FOREIGN KEY (account, mode, market) REFERENCES markets,
    FOREIGN KEY (account, mode, parent) REFERENCES customers
);
CALL protect('customers', '{insert}', false);

CREATE TABLE customer_versions (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    customer text    NOT NULL,
    revision bigint  NOT NULL,
    document jsonb   NOT NULL,
    PRIMARY KEY (account, mode, revision),
    FOREIGN KEY (account, mode, customer) REFERENCES customers
);
CREATE INDEX ON customer_versions (account, mode, customer, revision);
CALL protect('customer_versions', '{insert}', true);

-- One data key for each customer, wrapped by a key kept elsewhere. Erasure destroys `wrapped_key`: what the vault holds of the
-- customer is unreadable from then on, while documents and their digests, which hold tokens only, stay as they are.
CREATE TABLE customer_keys (
    account     integer NOT NULL,
    mode        mode    NOT NULL,
    customer    text    NOT NULL,
    wrapped_key bytea,
    wrapped_by  text    NOT NULL,                    -- which key wraps it, for rotation
    erased_at   bigint,                              -- UTC microseconds
    PRIMARY KEY (account, mode, customer),
    CHECK ((wrapped_key IS NULL) = (erased_at IS NOT NULL)),
    FOREIGN KEY (account, mode, customer) REFERENCES customers
);
CALL protect('customer_keys', '{}', false);

-- Personal and payment data behind tokens, encrypted with the customer's key.
CREATE TABLE vault_entries (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    token      text    NOT NULL CHECK (token <> ''),
    customer   text    NOT NULL,
    kind       text    NOT NULL,                     -- 'person', 'payment_method'
    ciphertext bytea   NOT NULL,
    PRIMARY KEY (account, mode, token),
    FOREIGN KEY (account, mode, customer) REFERENCES customer_keys
);
CALL protect('vault_entries', '{}', false);

-- Who gets a share of revenue (marketplaces), and the share: an exact fraction of the net, by price lineage ('' is all).
CREATE TABLE payees (
    account     integer NOT NULL REFERENCES accounts,
    mode        mode    NOT NULL,
    id          text    NOT NULL CHECK (id <> ''),
    vault_token text,                                -- where the money goes
    PRIMARY KEY (account, mode, id)
);
CALL protect('payees', '{}', false);

CREATE TABLE revenue_shares (
    account     integer   NOT NULL,
    mode        mode      NOT NULL,
    payee       text      NOT NULL,
    lineage     text      NOT NULL DEFAULT '',
    numerator   bigint    NOT NULL CHECK (numerator >= 0),
    denominator bigint    NOT NULL CHECK (denominator > 0 AND numerator <= denominator),
    effective   int8range NOT NULL,
    PRIMARY KEY (account, mode, payee, lineage, effective),
    FOREIGN KEY (account, mode, payee) REFERENCES payees
);
CALL protect('revenue_shares', '{}', false);

-- A meter never changes; a change is a new meter.
CREATE TABLE meters (
    account    integer NOT NULL REFERENCES accounts,
    mode       mode    NOT NULL,
    id         text    NOT NULL CHECK (id <> ''),
    revision   bigint  NOT NULL,
    event_name text    NOT NULL,
    document   jsonb   NOT NULL,
    PRIMARY KEY (account, mode, id),
    UNIQUE (account, mode, revision)
);
CALL protect('meters', '{insert}', true);

-- A price version over a span of effect. Spans may overlap: the later revision holds. One version may hold over several spans.
CREATE TABLE price_versions (
    account         integer NOT NULL REFERENCES accounts,
    mode            mode    NOT NULL,
    revision        bigint  NOT NULL,
    lineage         text    NOT NULL CHECK (lineage <> ''),
    id              text    NOT NULL CHECK (id <> ''),
    effective_start bigint  NOT NULL,
    effective_end   bigint  NOT NULL,
    document        jsonb   NOT NULL,
    PRIMARY KEY (account, mode, revision),
    UNIQUE (account, mode, id, effective_start, effective_end),
    CHECK (effective_start < effective_end)
);
CREATE INDEX ON price_versions (account, mode, lineage, revision);
CALL protect('price_versions', '{insert}', true);

-- What of a contract never changes. `document` also holds billing and term.
CREATE TABLE contracts (
    account       integer NOT NULL,
    mode          mode    NOT NULL,
    id            text    NOT NULL CHECK (id <> ''),
    customer      text    NOT NULL,
    seller_entity text    NOT NULL DEFAULT 'default',
    currency      text    NOT NULL,
    active_start  bigint  NOT NULL,
    active_end    bigint  NOT NULL,
    document      jsonb   NOT NULL,
    PRIMARY KEY (account, mode, id),
    CHECK (active_start < active_end),
    FOREIGN KEY (account, mode, customer) REFERENCES customers,
    FOREIGN KEY (account, mode, seller_entity) REFERENCES seller_entities
);
CREATE INDEX ON contracts (account, mode, customer);
CALL protect('contracts', '{insert}', true);

CREATE TABLE contract_versions (
    account         integer NOT NULL,
    mode            mode    NOT NULL,
    contract        text    NOT NULL,
    revision        bigint  NOT NULL,
    effective_start bigint  NOT NULL,
    effective_end   bigint  NOT NULL,
    agreement       jsonb   NOT NULL,
    PRIMARY KEY (account, mode, revision),
    CHECK (effective_start < effective_end),
    FOREIGN KEY (account, mode, contract) REFERENCES contracts
);
CREATE INDEX ON contract_versions (account, mode, contract, revision);
CALL protect('contract_versions', '{insert}', true);

-- A credit granted to a customer. The database holds that no more is used than was granted, whatever runs at once.
CREATE TABLE grants (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    id         text    NOT NULL CHECK (id <> ''),
    customer   text    NOT NULL,
    currency   text    NOT NULL,
    applies    text    NOT NULL CHECK (applies IN ('before_tax', 'after_tax')),
    priority   integer NOT NULL,
    amount     bigint  NOT NULL CHECK (amount >= 0),
    remaining  bigint  NOT NULL,
    expires_at bigint,                               -- UTC microseconds; NULL never
    PRIMARY KEY (account, mode, id),
    CONSTRAINT grant_covers_its_use CHECK (remaining >= 0 AND remaining <= amount),
    FOREIGN KEY (account, mode, customer) REFERENCES customers
);
CREATE INDEX ON grants (account, mode, customer);
CALL protect('grants', '{insert,update (remaining)}', false);

-- Limits on spend or quantity: what is reserved before use is committed or released after it.
CREATE TABLE limits (
    account   integer NOT NULL,
    mode      mode    NOT NULL,
    id        text    NOT NULL CHECK (id <> ''),
    customer  text    NOT NULL,
    unit      text    NOT NULL,                      -- a currency, or a meter's id
    amount    numeric NOT NULL CHECK (amount >= 0),
    reserved  numeric NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    committed numeric NOT NULL DEFAULT 0 CHECK (committed >= 0),
    PRIMARY KEY (account, mode, id),
    CHECK (reserved + committed <= amount),
    FOREIGN KEY (account, mode, customer) REFERENCES customers
);
CALL protect('limits', '{}', false);

CREATE TABLE limit_reservations (
    account    integer NOT NULL,
    mode       mode    NOT NULL,
    id         text    NOT NULL CHECK (id <> ''),    -- given by the one who reserves: a retry reserves once
    limit_id   text    NOT NULL,
    amount     numeric NOT NULL CHECK (amount > 0),
    state      text    NOT NULL CHECK (state IN ('reserved', 'committed', 'released')),
    expires_at bigint  NOT NULL,                     -- UTC microseconds, after which it is released
    trace_id   text,
    PRIMARY KEY (account, mode, id),
    FOREIGN KEY (account, mode, limit_id) REFERENCES limits
);
CALL protect('limit_reservations', '{}', false);
