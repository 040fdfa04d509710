-- Money that moves. Here as schema, so that documents, ledger and migration have something to point at.

-- A payment, or a refund (below zero). Where it stands is in payment_events: it may be authorised, settle days later, fail, or be
-- reversed after it settled.
CREATE TABLE payments (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    id       text    NOT NULL CHECK (id <> ''),
    customer text    NOT NULL,
    payee    text,                                   -- paid out to, where it is a payout
    method   text    NOT NULL,                       -- a vault token
    amount   bigint  NOT NULL CHECK (amount <> 0),   -- minor units
    currency text    NOT NULL,
    trace_id text,
    PRIMARY KEY (account, mode, id),
    FOREIGN KEY (account, mode, customer) REFERENCES customers,
    FOREIGN KEY (account, mode, payee) REFERENCES payees
);
CALL protect('payments', '{}', true);

CREATE TABLE payment_events (
    account integer NOT NULL,
    mode    mode    NOT NULL,
    payment text    NOT NULL,
    id      text    NOT NULL,                        -- the provider's: the same notification counts once
    kind    text    NOT NULL CHECK (kind IN ('authorised', 'pending', 'settled', 'failed', 'reversed', 'disputed')),
    at      bigint  NOT NULL,                        -- UTC microseconds
    amount  bigint  NOT NULL,                        -- minor units; partial settlements and reversals are less than the payment
    PRIMARY KEY (account, mode, payment, id),
    FOREIGN KEY (account, mode, payment) REFERENCES payments
);
CALL protect('payment_events', '{}', true);

-- Which payment pays how much of which document: one payment may pay several documents, and several may pay one.
CREATE TABLE payment_allocations (
    account  integer NOT NULL,
    mode     mode    NOT NULL,
    payment  text    NOT NULL,
    document text    NOT NULL,
    id       text    NOT NULL,
    amount   bigint  NOT NULL CHECK (amount <> 0),   -- minor units; a reversal takes back
    PRIMARY KEY (account, mode, payment, document, id),
    FOREIGN KEY (account, mode, payment) REFERENCES payments,
    FOREIGN KEY (account, mode, document) REFERENCES documents
);
CALL protect('payment_allocations', '{}', true);
