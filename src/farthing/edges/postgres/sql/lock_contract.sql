-- Drafts and finalisations of one contract take turns: they depend on what was issued before.
SELECT pg_advisory_xact_lock(hashtextextended(format('%%s %%s %%s', current_account(), current_mode(), %(contract)s::text), 0)),
       EXISTS (SELECT FROM contracts WHERE id = %(contract)s)
