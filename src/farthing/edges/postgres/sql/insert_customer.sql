WITH added AS (
    INSERT INTO customers (account, mode, id) VALUES (current_account(), current_mode(), %(customer)s) ON CONFLICT DO NOTHING
)
INSERT INTO customer_versions (account, mode, customer, revision, document)
VALUES (current_account(), current_mode(), %(customer)s, %(revision)s, %(document)s)
