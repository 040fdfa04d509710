-- Whether a document without lines would repeat one: its place in the contract's series is taken.
SELECT EXISTS (SELECT FROM documents
               WHERE contract = %(contract)s AND kind = %(kind)s AND period_start = %(start)s AND period_end = %(end)s)
