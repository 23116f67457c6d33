# The image of PostgreSQL runs this when it makes the database, and an administrator after an upgrade: harmless when
# repeated. No service is a superuser, and each comes as itself.
psql -v ON_ERROR_STOP=1 -q -U "${POSTGRES_USER:-postgres}" -d postgres -f /etc/richiamo/roles.sql
for user in ops ingest queue callback-tracker reporting gateway; do
    echo "ALTER ROLE richiamo_$(echo "$user" | tr - _) PASSWORD '$(cat "/run/secrets/postgres_password_$user")';"
done | psql -v ON_ERROR_STOP=1 -q -U "${POSTGRES_USER:-postgres}" -d richiamo
