-- The books: balanced double entries. What the database refuses, it refuses to everyone: an entry out of balance, a leg added to an
-- entry later, a booking into a closed accounting period, any change.

-- The chart of accounts. The migrator copies it from core/ledger/accounts.py, which alone knows the accounts.
CREATE TABLE chart_of_accounts (
    code    text PRIMARY KEY,
    name    text NOT NULL,
    type    text NOT NULL CHECK (type IN ('asset', 'liability', 'revenue', 'expense')),
    subject text NOT NULL
);
REVOKE ALL ON chart_of_accounts FROM PUBLIC, farthing_service;
GRANT SELECT ON chart_of_accounts TO farthing_service;

-- The books of a seller entity. Accounting periods are calendar months of their time zone, written 2025-01; all through
-- `closed_through` are closed ('' is none) and none is ever reopened.
CREATE TABLE books (
    account        integer NOT NULL,
    mode           mode    NOT NULL,
    seller_entity  text    NOT NULL,
    time_zone      text    NOT NULL DEFAULT 'UTC',
    closed_through text    COLLATE "C" NOT NULL DEFAULT '' CHECK (closed_through ~ '^(\d{4}-(0[1-9]|1[0-2]))?$'),
    PRIMARY KEY (account, mode, seller_entity),
    FOREIGN KEY (account, mode, seller_entity) REFERENCES seller_entities
);
CALL protect('books', '{}', false);

-- Closing an accounting period: the only way in which books.closed_through moves.
CREATE TABLE period_closings (
    account       integer     NOT NULL,
    mode          mode        NOT NULL,
    seller_entity text        NOT NULL,
    period        text        COLLATE "C" NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    trace_id      text,
    PRIMARY KEY (account, mode, seller_entity, period),
    FOREIGN KEY (account, mode, seller_entity) REFERENCES books
);
CALL protect('period_closings', '{insert}', true);

CREATE FUNCTION close_period() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE books SET closed_through = NEW.period
    WHERE account = NEW.account AND mode = NEW.mode AND seller_entity = NEW.seller_entity AND closed_through < NEW.period;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the books are closed through % already', NEW.period USING ERRCODE = 'FT003';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER close_period AFTER INSERT ON period_closings FOR EACH ROW EXECUTE FUNCTION close_period();

-- An entry, and its legs. Both are put in by one statement; `legs` counts the postings, so that none can be added later.
CREATE TABLE entries (
    account       integer NOT NULL,
    mode          mode    NOT NULL,
    entry         text    NOT NULL CHECK (entry <> ''),  -- the document, payment … that it books
    seller_entity text    NOT NULL,
    kind          text    NOT NULL,                  -- 'invoice', 'credit_note', …
    legs          integer NOT NULL CONSTRAINT entry_has_two_legs CHECK (legs >= 2),
    trace_id      text,
    PRIMARY KEY (account, mode, entry)
);
CALL protect('entries', '{insert}', true);

CREATE TABLE postings (
    account        integer NOT NULL,
    mode           mode    NOT NULL,
    entry          text    NOT NULL,
    leg            integer NOT NULL CHECK (leg > 0),
    ledger_account text    NOT NULL,
    subject        text    NOT NULL,                 -- the item, tax rate or grant that the account is kept apart by, or ''
    amount         bigint  NOT NULL CONSTRAINT posting_is_not_zero CHECK (amount <> 0),  -- minor units, debit positive, credit negative
    currency       text    NOT NULL,
    period         text    COLLATE "C" NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
    customer       text    NOT NULL,
    contract       text    NOT NULL,
    payee          text,                             -- whose share the leg is, where there is one
    memo           text    NOT NULL,
    PRIMARY KEY (account, mode, entry, leg)
);
CALL protect('postings', '{insert}', true);

-- Both checks run once a statement, over what it put in (a trigger for each row would cost several times the insert), and as the
-- owner, for they must see and lock rows whatever the session's settings are.
CREATE FUNCTION check_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    wrong text;
BEGIN
    SELECT format('entry %s has no legs', n.entry) INTO wrong FROM new_entries n
    WHERE NOT EXISTS (SELECT FROM postings p WHERE (p.account, p.mode, p.entry) = (n.account, n.mode, n.entry)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'FT002', HINT = 'Insert an entry and its postings in one statement.';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_entries AFTER INSERT ON entries
    REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION check_entries();

CREATE FUNCTION check_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    wrong text;
BEGIN
    -- Locked, so that no period closes between this check and the commit.
    PERFORM FROM books b
    WHERE EXISTS (SELECT FROM new_postings n JOIN entries e USING (account, mode, entry)
                  WHERE (b.account, b.mode, b.seller_entity) = (e.account, e.mode, e.seller_entity))
    ORDER BY b.account, b.mode, b.seller_entity FOR SHARE;

    -- All legs of an entry, 1 … legs, come in one statement: a leg more would repeat one, which the key refuses.
    SELECT format('entry %s states %s legs and was given %s', n.entry, coalesce(e.legs, 0), count(*)) INTO wrong
    FROM new_postings n LEFT JOIN entries e USING (account, mode, entry)
    GROUP BY n.account, n.mode, n.entry, e.legs
    HAVING count(*) IS DISTINCT FROM e.legs OR max(n.leg) <> e.legs LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'FT002', HINT = 'Insert an entry and its postings in one statement.';
    END IF;

    SELECT format('entry %s is out of balance by %s minor units of %s', n.entry, sum(n.amount), n.currency) INTO wrong
    FROM new_postings n GROUP BY n.account, n.mode, n.entry, n.currency HAVING sum(n.amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'FT002';
    END IF;

    SELECT format('entry %s posts to %s, which is not in the chart of accounts', n.entry, n.ledger_account) INTO wrong
    FROM new_postings n WHERE NOT EXISTS (SELECT FROM chart_of_accounts c WHERE c.code = n.ledger_account) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'FT004';
    END IF;

    SELECT format('entry %s books into %s, but its books are %s', n.entry, n.period, coalesce('closed through ' || b.closed_through, 'missing'))
    INTO wrong FROM new_postings n JOIN entries e USING (account, mode, entry)
    LEFT JOIN books b ON (b.account, b.mode, b.seller_entity) = (e.account, e.mode, e.seller_entity)
    WHERE b.closed_through IS NULL OR n.period <= b.closed_through LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'FT003';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_postings AFTER INSERT ON postings
    REFERENCING NEW TABLE AS new_postings FOR EACH STATEMENT EXECUTE FUNCTION check_postings();
