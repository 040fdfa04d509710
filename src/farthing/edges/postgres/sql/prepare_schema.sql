-- What the migrations stand on. The service may use the schema; what in it, each migration says.
CREATE SCHEMA IF NOT EXISTS farthing;
GRANT USAGE ON SCHEMA farthing TO farthing_service;
CREATE TABLE IF NOT EXISTS farthing.schema_migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON farthing.schema_migrations TO farthing_service;
