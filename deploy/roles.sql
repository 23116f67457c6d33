-- As a superuser, once: psql -v password="'...'" -f roles.sql
CREATE ROLE richiamo LOGIN PASSWORD :password;
CREATE DATABASE richiamo OWNER richiamo ENCODING 'UTF8' TEMPLATE template0;
