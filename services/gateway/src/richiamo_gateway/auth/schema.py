"""Where are credentials and sessions kept? In the schema `gateway`: not a view, it is backed up."""

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateSchema

_LOCK = 0x52474154
"""The advisory lock that lets one gateway at a time set up the schema."""

_TIME = DateTime(timezone=True)

metadata = MetaData(schema="gateway")

credential = Table(
    "credential",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("changed_at", _TIME, nullable=False),
    comment="argon2id hashes of passwords; they are never in the log",
)

session = Table(
    "session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="sha256 of the token; the token is kept nowhere"),
    Column("username", Text, nullable=False, index=True),
    Column("created_at", _TIME, nullable=False),
    Column("used_at", _TIME, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    Column("device", Text, nullable=False, server_default="", comment="what the browser or program calls itself"),
)

desk = Table(
    "desk",
    metadata,
    Column("username", Text, primary_key=True),
    Column("home", Text, nullable=False, comment="the extension to go back to; empty: none of one's own"),
    comment="who works at another extension than their own, until they log out",
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="sha256; the token is kept nowhere"),
    Column("username", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("scopes", JSONB, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("used_at", _TIME),
    comment="what scripts present in place of a log-in",
)

failed_login = Table(
    "failed_login",
    metadata,
    Column("username", Text, nullable=False),
    Column("at", _TIME, nullable=False),
    Index("failed_login_username", "username", "at"),
)

identity = Table(
    "identity",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="the provider's own, unchanging name of the person"),
    Column("username", Text, nullable=False, unique=True),
    PrimaryKeyConstraint("issuer", "subject"),
    comment="which account of an identity provider is which user",
)

sign_on = Table(
    "sign_on",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("next", Text, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    comment="single sign-ons that went to the provider and have not come back",
)

answered = Table(
    "answered",
    metadata,
    Column("username", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("at", _TIME, nullable=False),
    PrimaryKeyConstraint("username", "key"),
    comment="answers of the gateway's own commands, by idempotency key",
)


async def prepare(engine: AsyncEngine) -> None:
    """Creates what is missing; safe when several gateways start at once."""
    async with engine.begin() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        await connection.execute(CreateSchema("gateway", if_not_exists=True))
        await connection.run_sync(metadata.create_all)
        # A table of an earlier version has no such column.
        await connection.execute(
            text("ALTER TABLE gateway.session ADD COLUMN IF NOT EXISTS device text NOT NULL DEFAULT ''")
        )
