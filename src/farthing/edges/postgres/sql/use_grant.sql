WITH used AS (
    UPDATE grants SET remaining = remaining - %(amount)s WHERE id = %(grant)s RETURNING account, mode, id
)
INSERT INTO grant_uses (account, mode, document, grant_id, amount) SELECT account, mode, %(entry)s, id, %(amount)s FROM used
