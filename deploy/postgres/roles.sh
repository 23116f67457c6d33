# The image of PostgreSQL runs this once, when it makes the database: the services' role is no superuser.
psql -v ON_ERROR_STOP=1 -v password="'$(cat /run/secrets/postgres_password)'" -U postgres -d postgres -f /etc/richiamo/roles.sql
