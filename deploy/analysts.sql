-- The roles to which analysts belong (docs/bi.md). As a superuser; harmless when repeated.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo_bi') THEN
    CREATE ROLE richiamo_bi NOLOGIN CONNECTION LIMIT 10;
    ALTER ROLE richiamo_bi SET statement_timeout = '60s';
    ALTER ROLE richiamo_bi SET idle_in_transaction_session_timeout = '60s';
    ALTER ROLE richiamo_bi SET default_transaction_read_only = on;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo_bi_numbers') THEN
    CREATE ROLE richiamo_bi_numbers NOLOGIN;
  END IF;
END
$$;
