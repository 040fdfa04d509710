-- A new account, with what both of its modes begin with. Only the owner may call it.
CREATE FUNCTION create_account(name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    created integer;
    its_mode mode;
BEGIN
    INSERT INTO accounts (name) VALUES (create_account.name) RETURNING id INTO created;
    FOREACH its_mode IN ARRAY enum_range(NULL::mode) LOOP
        INSERT INTO log_heads (account, mode) VALUES (created, its_mode);
        INSERT INTO catalogue_heads (account, mode) VALUES (created, its_mode);
        INSERT INTO document_heads (account, mode) VALUES (created, its_mode);
        INSERT INTO seller_entities (account, mode, id, name) VALUES (created, its_mode, 'default', create_account.name);
        INSERT INTO books (account, mode, seller_entity) VALUES (created, its_mode, 'default');
        INSERT INTO number_series (account, mode, seller_entity, series, prefix)
        VALUES (created, its_mode, 'default', 'invoice', 'INV-'), (created, its_mode, 'default', 'credit_note', 'CN-');
    END LOOP;
    RETURN created;
END
$$;
REVOKE EXECUTE ON FUNCTION create_account FROM PUBLIC;

-- The number of an account: what the service asks before it knows which rows it may see.
CREATE FUNCTION find_account(name text) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    RETURN (SELECT a.id FROM accounts a WHERE a.name = find_account.name);
