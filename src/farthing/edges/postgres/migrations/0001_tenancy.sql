-- Tenancy: accounts, modes, and what every later table is protected by.
--
-- The owner (who runs the migrations) owns everything. The service works as farthing_service, which owns nothing, is no superuser
-- and cannot bypass row-level security; the migrator creates that role. What it may do with a table is granted by protect() alone.

CREATE TYPE mode AS ENUM ('test', 'live');

-- The account and mode of a session are settings. Unset, or set to what is no account, no row is visible and none can be written.
CREATE FUNCTION current_account() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('farthing.account', true), '')::integer;

CREATE FUNCTION current_mode() RETURNS mode LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('farthing.mode', true), '')::mode;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows never change', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'FT001', HINT = 'Record a new fact that corrects the old one.';
END
$$;

-- Put a table under row-level security and grant the service what `writes` names ('insert', 'update (column, …)', 'delete').
-- With `immutable`, UPDATE, DELETE and TRUNCATE are refused to everyone, the owner included. A test holds that every table of the
-- schema that has an account went through here.
CREATE PROCEDURE protect(protected regclass, writes text[], immutable boolean) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    -- Subqueries, so that the settings are read once a statement and not once a row.
    EXECUTE format('CREATE POLICY own_rows ON %s USING (account = (SELECT current_account()) AND mode = (SELECT current_mode()))', protected);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, farthing_service', protected);
    EXECUTE format('GRANT %s ON %s TO farthing_service', array_to_string(ARRAY['select'] || writes, ', '), protected);
    -- Until the first ANALYZE, the planner would take account and mode for selective and any index on them for as good as the right one.
    PERFORM pg_restore_attribute_stats(
        'schemaname', n.nspname::text, 'relname', c.relname::text, 'attname', column_name, 'inherited', false,
        'null_frac', 0::real, 'avg_width', 4, 'n_distinct', 1::real)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest(ARRAY['account', 'mode']) AS column_name
    WHERE c.oid = protected;
    IF immutable THEN
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %s EXECUTE FUNCTION refuse_change()', protected);
    END IF;
END
$$;
REVOKE EXECUTE ON PROCEDURE protect FROM PUBLIC;

-- One row for each business that uses this database. `id` is what every other row carries: an integer, as it is on billions of rows.
CREATE TABLE accounts (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON accounts USING (id = (SELECT current_account()));
REVOKE ALL ON accounts FROM PUBLIC, farthing_service;
GRANT SELECT ON accounts TO farthing_service;

-- A head only ever moves forward: what it counts was shown to readers as complete.
CREATE FUNCTION refuse_step_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.head < OLD.head THEN
        RAISE EXCEPTION '% cannot go back from % to %', TG_TABLE_NAME, OLD.head, NEW.head USING ERRCODE = 'FT001';
    END IF;
    RETURN NEW;
END
$$;
