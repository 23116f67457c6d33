-- Makes Richiamo's database and roles. As a superuser: psql -v ON_ERROR_STOP=1 -f roles.sql
-- Then each role needs a password: ALTER ROLE richiamo_queue PASSWORD '...'. Set wal_recycle = off as well.
SELECT 'CREATE DATABASE richiamo ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'richiamo') \gexec
\connect richiamo
-- One role a service and richiamo_ops for commands, each schema with its owner. As a superuser; harmless when repeated.
-- What a single role owned in an earlier version is handed over; that role, richiamo, works on as a member of ops.
SET client_min_messages = warning;
-- Else a function of the same name, in a schema that a service made, could run with a superuser's rights.
SET search_path = pg_catalog;
DO $$
DECLARE
  one record;
  held record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo_ops') THEN
    CREATE ROLE richiamo_ops LOGIN;
  END IF;
  ALTER ROLE richiamo_ops SET search_path = pg_catalog;
  FOR one IN SELECT * FROM (VALUES
      ('richiamo_ingest', 'view_calls'),
      ('richiamo_queue', 'view_worklist'),
      ('richiamo_queue', 'queue'),
      ('richiamo_queue', 'bi_numbers'),
      ('richiamo_callback_tracker', 'view_tracker'),
      ('richiamo_callback_tracker', 'tracker'),
      ('richiamo_reporting', 'view_reporting'),
      ('richiamo_reporting', 'view_audit'),
      ('richiamo_reporting', 'bi'),
      ('richiamo_gateway', 'gateway')
    ) AS owns (service, schema)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one.service) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', one.service);
    END IF;
    EXECUTE format('ALTER ROLE %I SET search_path = pg_catalog', one.service);
    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), one.service);
    EXECUTE format('GRANT %I TO richiamo_ops', one.service);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', one.schema, one.service);
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = one.schema AND nspowner <> to_regrole(one.service)) THEN
      EXECUTE format('ALTER SCHEMA %I OWNER TO %I', one.schema, one.service);
    END IF;
    FOR held IN
      SELECT oid::regclass AS name FROM pg_class
      WHERE relnamespace = to_regnamespace(one.schema) AND relkind IN ('r', 'v') AND relowner <> to_regrole(one.service)
    LOOP
      EXECUTE format('ALTER TABLE %s OWNER TO %I', held.name, one.service);
    END LOOP;
  END LOOP;
  -- What a killed rebuild, check or what-if of an earlier version left, for the next one to drop.
  FOR one IN
    SELECT nspname AS schema FROM pg_namespace
    WHERE nspname ~ '^(view_.*_(next|old|check)|what_if_.*)$' AND pg_get_userbyid(nspowner) = 'richiamo'
  LOOP
    EXECUTE format('ALTER SCHEMA %I OWNER TO richiamo_ops', one.schema);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo' AND NOT rolsuper) THEN
    GRANT richiamo_ops TO richiamo;
  END IF;
END
$$;
-- So that nothing of an erased person stays: it waits for whoever still sees it, and removes the log of writes.
GRANT pg_checkpoint, pg_read_all_stats TO richiamo_queue;
GRANT EXECUTE ON FUNCTION pg_switch_wal() TO richiamo_queue;
