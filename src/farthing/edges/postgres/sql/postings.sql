-- The legs of a document's entry, as documents of their own, in order.
SELECT jsonb_build_object('account', p.ledger_account, 'subject', p.subject, 'amount', p.amount, 'currency', p.currency, 'entry', e.kind,
                          'period', p.period, 'customer', p.customer, 'contract', p.contract, 'memo', p.memo)
FROM postings p JOIN entries e USING (account, mode, entry)
WHERE p.entry = %(entry)s ORDER BY p.leg
