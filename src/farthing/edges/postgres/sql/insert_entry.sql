-- An entry with all its legs, in one statement: the database checks that they balance, and refuses any leg that comes later.
WITH legs AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(legs)s) AS leg (
        leg integer, account text, subject text, amount bigint, currency text, period text, customer text, contract text, memo text)
), entry AS (
    INSERT INTO entries (account, mode, entry, seller_entity, kind, legs)
    SELECT d.account, d.mode, %(entry)s, d.seller_entity, %(kind)s, (SELECT count(*) FROM legs) FROM documents d WHERE d.id = %(document)s
)
INSERT INTO postings (account, mode, entry, leg, ledger_account, subject, amount, currency, period, customer, contract, memo)
SELECT current_account(), current_mode(), %(entry)s, leg, account, subject, amount, currency, period, customer, contract, memo FROM legs
