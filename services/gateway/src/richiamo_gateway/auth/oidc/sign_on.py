"""How does an account of the identity provider become a session here? Every step may be left, and none is taken twice."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_gateway.auth.oidc.person import Person, person
from richiamo_gateway.auth.oidc.provider import Provider, Try
from richiamo_gateway.auth.oidc.settings import OidcSettings
from richiamo_gateway.auth.schema import identity, sign_on
from richiamo_gateway.auth.sessions import Sessions, SignedIn
from richiamo_gateway.people import People
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem
from richiamo_kit.log_view import SiteView

_WITHIN = timedelta(minutes=10)
"""How long somebody may take at the provider."""
_ACTOR = "single-sign-on"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and what it must bring back in a cookie."""

    address: str
    state: str
    lifetime_seconds: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A session for who came back, and the page they had wanted."""

    signed_in: SignedIn
    next: str


class SignOn:
    """Single sign-on with one identity provider."""

    def __init__(
        self,
        settings: OidcSettings,
        engine: AsyncEngine,
        *,
        site: SiteView,
        people: People,
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._site = site
        self._people = people
        self._sessions = sessions
        self._clock = clock
        self._provider = Provider(
            settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret(), settings.oidc_scope
        )
        self.name = settings.oidc_name

    async def leave(self, wanted: str, redirect_uri: str) -> Leaving:
        """Begins: remembers what must come back. Raises `Unavailable` when the provider does not answer."""
        started = Try(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        address = await self._provider.where_to_log_in(started, redirect_uri)
        now = self._clock.now()
        kept = {"nonce": started.nonce, "verifier": started.verifier, "next": wanted, "expires_at": now + _WITHIN}
        async with self._engine.begin() as connection:
            await connection.execute(delete(sign_on).where(sign_on.c.expires_at < now))
            await connection.execute(insert(sign_on).values(state_hash=_hash(started.state), **kept))
        return Leaving(address, started.state, int(_WITHIN.total_seconds()))

    async def arrive(self, state: str, code: str, redirect_uri: str) -> Arrived:
        """Ends: `state` is the one that the browser's cookie and the provider's answer agree on, and counts once.

        Raises the problems `sign-on-failed`, `sign-on-nameless`, `sign-on-no-role`, `sign-on-name-taken` and
        `wrong-credentials` (401; the last: deactivated), and `Unavailable`.
        """
        ours = sign_on.c.state_hash == _hash(state)
        columns = (sign_on.c.nonce, sign_on.c.verifier, sign_on.c.next, sign_on.c.expires_at)
        async with self._engine.begin() as connection:
            row = (await connection.execute(delete(sign_on).where(ours).returning(*columns))).one_or_none()
        if row is None or row.expires_at < self._clock.now():
            raise Problem(401, "sign-on-failed", "This log-in took too long or was used before.", "Try once more.")
        claims = await self._provider.claims_for(code, Try(state, row.nonce, row.verifier), redirect_uri)
        arrived = person(
            claims,
            username_claim=self._settings.oidc_username_claim,
            roles_claim=self._settings.oidc_roles_claim,
            roles=self._settings.oidc_roles,
        )
        username = await self._username_of(arrived)
        return Arrived(await self._sessions.opened_for(username), row.next)

    async def _username_of(self, arrived: Person) -> str:
        """The user of this account, made or changed as the provider says; queues and extension are left alone."""
        linked = await self._linked(arrived.subject)
        username = linked or arrived.username
        known = self._site.operators.get(username)
        if linked is None:
            # The link comes first: a user who was made but not linked would be taken for somebody else's.
            if known is not None and not self._settings.oidc_links_existing:
                raise _name_taken(username)
            await self._link(arrived.subject, username)
        fields = {"name": arrived.name, "role": arrived.role}
        if known is None:
            await self._create(arrived, username, fields)
        elif known.active and (known.name, known.role) != (arrived.name, arrived.role):
            await self._change(username, fields)
        return username

    async def _create(self, arrived: Person, username: str, fields: dict[str, str]) -> None:
        key = f"{self._settings.oidc_issuer} {arrived.subject}"
        try:
            await self._people.create({"username": username, **fields}, by=_ACTOR, key=key, with_password=False)
        except Problem as problem:
            async with self._engine.begin() as connection:
                await connection.execute(delete(identity).where(identity.c.username == username))
            if problem.type == "username-taken":
                raise _name_taken(username) from problem
            detail = "Its user name is none that Richiamo can take. Ask your administrator."
            raise Problem(401, "sign-on-nameless", "Your account's user name cannot be used.", detail) from problem

    async def _change(self, username: str, fields: dict[str, str]) -> None:
        try:
            await self._people.change(username, fields, by=_ACTOR, key=None)
        except Problem as problem:
            if problem.type != "last-admin":
                raise
            _log.warning("last_admin_kept", username=username)

    async def _linked(self, subject: str) -> str | None:
        ours = (identity.c.issuer == self._settings.oidc_issuer) & (identity.c.subject == subject)
        async with self._engine.connect() as connection:
            username: str | None = await connection.scalar(select(identity.c.username).where(ours))
        return username

    async def _link(self, subject: str, username: str) -> None:
        row = {"issuer": self._settings.oidc_issuer, "subject": subject, "username": username}
        async with self._engine.begin() as connection:
            made = await connection.execute(upsert(identity).values(**row).on_conflict_do_nothing())
        if made.rowcount == 0 and await self._linked(subject) != username:
            raise _name_taken(username)


def _name_taken(username: str) -> Problem:
    title = f"The user name {username} belongs to somebody who was made in Richiamo."
    return Problem(401, "sign-on-name-taken", title, "Ask your administrator to link the two.")


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
