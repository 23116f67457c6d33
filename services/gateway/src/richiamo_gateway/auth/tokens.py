"""Which programs may act for a person, and how far? API tokens: long-lived, with scopes, shown once, revocable."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_gateway import problem
from richiamo_gateway.auth.schema import api_token
from richiamo_gateway.auth.user import User
from richiamo_kit.clock import Clock
from richiamo_kit.log_view import SiteView

PREFIX = "rct_"
"""Tells a token from a session, and lets scanners of repositories find one that leaked."""
SCOPES = ("read", "operate")
MOST = 20
"""Tokens of one user."""
_USED_EVERY = timedelta(minutes=1)

Scope = Literal["read", "operate"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bearer:
    """The person a token stands for, with the rights they have now, and what the token may be used for."""

    user: User
    scopes: frozenset[str]

    def check(self, method: str, path: str) -> None:
        """Raises the problem 403 `scope-missing` for what the token's scopes do not cover.

        `read` covers every GET, `operate` every command of the worklist. Neither covers what an account is made of:
        passwords, users, settings and tokens are changed by people who are logged in.
        """
        wanted = "read" if method in {"GET", "HEAD"} else "operate"
        personal = any(part in path for part in ("/session", "/tokens", "/users", "/settings", "/account"))
        if wanted not in self.scopes or (personal and wanted == "operate"):
            raise problem.scope_missing("log-in" if personal and wanted == "operate" else wanted)


class Tokens:
    """Issues, finds and revokes API tokens; only the sha256 of one is kept."""

    def __init__(self, engine: AsyncEngine, site: SiteView, clock: Clock) -> None:
        self._engine = engine
        self._site = site
        self._clock = clock

    async def issue(self, user: User, name: str, scopes: Sequence[Scope]) -> tuple[str, dict[str, Any]]:
        """A new token of this user, shown here and never again, and what is kept of it.

        Raises the problem 409 `too-many` beyond 20 tokens.
        """
        token = PREFIX + secrets.token_urlsafe(32)
        kept = {
            "id": secrets.token_hex(8),
            "username": user.username,
            "name": name,
            "scopes": sorted(set(scopes)),
            "created_at": self._clock.now(),
        }
        own = select(func.count()).select_from(api_token).where(api_token.c.username == user.username)
        async with self._engine.begin() as connection:
            if int(await connection.scalar(own) or 0) >= MOST:
                raise problem.conflict("too-many", f"A user has at most {MOST} tokens.")
            await connection.execute(insert(api_token).values(**kept, token_hash=_hash(token)))
        _log.info("token_issued", username=user.username, token_id=kept["id"], scopes=kept["scopes"])
        return token, _shown({**kept, "used_at": None})

    async def of(self, username: str) -> list[dict[str, Any]]:
        """What is kept of a user's tokens, oldest first."""
        mine = select(api_token).where(api_token.c.username == username)
        async with self._engine.connect() as connection:
            rows = await connection.execute(mine.order_by(api_token.c.created_at, api_token.c.id))
            return [_shown(dict(row)) for row in rows.mappings()]

    async def revoke(self, username: str, token_id: str) -> None:
        """Ends a token at once; raises 404 when the user has none of this id."""
        mine = (api_token.c.id == token_id) & (api_token.c.username == username)
        async with self._engine.begin() as connection:
            if await connection.scalar(delete(api_token).where(mine).returning(api_token.c.id)) is None:
                raise problem.not_found("You have no such token.")
        _log.info("token_revoked", username=username, token_id=token_id)

    async def bearer_of(self, token: str) -> Bearer | None:
        """Who stands behind a token; None for one that is unknown, revoked, or of somebody who left."""
        ours = api_token.c.token_hash == _hash(token)
        now = self._clock.now()
        async with self._engine.begin() as connection:
            row = (await connection.execute(select(api_token).where(ours))).one_or_none()
            if row is None:
                return None
            if row.used_at is None or now - row.used_at > _USED_EVERY:
                await connection.execute(update(api_token).where(ours).values(used_at=now))
        operator = self._site.operators.get(row.username)
        if operator is None or not operator.active:
            return None
        return Bearer(User.of(operator), frozenset(row.scopes))


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: kept[name] for name in ("id", "name", "scopes")}
    for name in ("created_at", "used_at"):
        instant: datetime | None = kept[name]
        shown[name] = instant.isoformat() if instant else None
    return shown


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
