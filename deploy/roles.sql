-- As a superuser, once: psql -v password="'...'" -f roles.sql
CREATE ROLE richiamo LOGIN PASSWORD :password;
CREATE DATABASE richiamo OWNER richiamo ENCODING 'UTF8' TEMPLATE template0;
-- So that nothing of an erased person stays in the write-ahead log; set wal_recycle = off as well.
GRANT pg_checkpoint TO richiamo;
\connect richiamo
GRANT EXECUTE ON FUNCTION pg_switch_wal() TO richiamo;
