"""Where are credentials and sessions kept? In the schema `gateway`: not a view, it is backed up."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

DDL = """
create schema if not exists gateway;

create table if not exists gateway.credential (
    username      text primary key,
    password_hash text not null,
    changed_at    timestamptz not null
);
comment on table gateway.credential is 'argon2id hashes of passwords; they are never in the log';

create table if not exists gateway.session (
    token_hash bytea primary key,
    username   text not null,
    created_at timestamptz not null,
    used_at    timestamptz not null,
    expires_at timestamptz not null
);
comment on column gateway.session.token_hash is 'sha256 of the token; the token itself is kept nowhere';
create index if not exists session_username on gateway.session (username);

create table if not exists gateway.failed_login (
    username text not null,
    at       timestamptz not null
);
create index if not exists failed_login_username on gateway.failed_login (username, at);

create table if not exists gateway.answered (
    username    text not null,
    key         text not null,
    fingerprint text not null,
    status      integer not null,
    body        jsonb not null,
    at          timestamptz not null,
    primary key (username, key)
);
comment on table gateway.answered is 'answers of the gateway''s own commands, by idempotency key';
"""

_LOCK = 0x52474154
"""The advisory lock that lets one gateway at a time set up the schema."""


async def prepare(connection: AsyncConnection[TupleRow]) -> None:
    """Creates what is missing; safe when several gateways start at once."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        for statement in DDL.split(";\n"):
            if statement.strip():
                await connection.execute(statement.encode())
