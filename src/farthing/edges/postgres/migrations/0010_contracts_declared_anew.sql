-- A contract that is declared anew: the whole document again, known from a revision on. `contracts` keeps what it said first; the last
-- declaration holds. While nothing was billed anything may differ, afterwards the end only (core/contract/declare.py).
CREATE TABLE contract_declarations (
    account      integer NOT NULL,
    mode         mode    NOT NULL,
    contract     text    NOT NULL,
    revision     bigint  NOT NULL,
    customer     text    NOT NULL,
    currency     text    NOT NULL,
    active_start bigint  NOT NULL,
    active_end   bigint  NOT NULL,
    document     jsonb   NOT NULL,
    agreement    jsonb   NOT NULL,                   -- what it says is agreed; amendments since are in contract_versions
    PRIMARY KEY (account, mode, revision),
    CHECK (active_start < active_end),
    FOREIGN KEY (account, mode, contract) REFERENCES contracts,
    FOREIGN KEY (account, mode, customer) REFERENCES customers
);
CREATE INDEX ON contract_declarations (account, mode, contract, revision);
CALL protect('contract_declarations', '{insert}', true);
