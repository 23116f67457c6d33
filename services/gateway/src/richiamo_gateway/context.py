"""What does a route of the gateway need? Everything with a life of its own, in one value.

`app.state.gateway` holds it; routes take it as `GatewayOf` of `api/parameters.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import structlog
from starlette.requests import HTTPConnection

from richiamo_gateway.api.commands import Answered
from richiamo_gateway.auth.desks import Desks
from richiamo_gateway.auth.sessions import Sessions
from richiamo_gateway.auth.tokens import Tokens
from richiamo_gateway.auth.user import User
from richiamo_gateway.boards.storage import Boards
from richiamo_gateway.live import Live
from richiamo_gateway.looks.storage import Looks
from richiamo_gateway.people import People
from richiamo_gateway.settings import GatewaySettings
from richiamo_gateway.site_rules import SiteRules
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.log_view import SiteView

if TYPE_CHECKING:
    from richiamo_gateway.auth.oidc.sign_on import SignOn

_log = structlog.get_logger(__name__)
T = TypeVar("T")

_A_MOMENT_SECONDS = 2.0
_DATABASE_SECONDS = 8.0
_PATIENCE_SECONDS = 60.0


class Inside(Protocol):
    """The other services, by request and reply."""

    async def ask(self, subject: str, payload: Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]:
        """The answer of whichever service listens on `subject`.

        Raises `Problem` when the service refuses and `Unavailable` when none answers in time (seconds).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The running gateway."""

    inside: Inside
    site: SiteView
    sessions: Sessions
    tokens: Tokens
    people: People
    desks: Desks
    rules: SiteRules
    answered: Answered
    live: Live
    clock: Clock
    settings: GatewaySettings
    boards: Boards
    looks: Looks
    log_end: Callable[[], Awaitable[int]]
    """The position of the newest event; raises `Unavailable`."""
    sign_on: "SignOn | None" = None
    """Single sign-on, when an identity provider is set up."""
    background: set[asyncio.Task[Any]] = field(default_factory=set)
    """What goes on after its answer was given; ended with the process."""

    async def ask(self, subject: str, user: User, *, timeout: float = 5.0, **payload: Any) -> dict[str, Any]:
        """Asks another service in the name of `user`; payload values that are None are left out.

        Example: `await gateway.ask("richiamo.queue.requests", user, view="recall", limit=100)`.
        """
        asked = {name: value for name, value in payload.items() if value is not None}
        return await self.inside.ask(subject, {"user": user.payload(), **asked}, timeout)

    async def from_database(self, asking: Coroutine[Any, Any, T], *, within: float = _DATABASE_SECONDS) -> T:
        """What the question answers; raises `Unavailable` when PostgreSQL is there but does not answer `within` seconds.

        psycopg cannot be interrupted while the server is frozen: the question is then left to end by itself, cancelled.
        """
        task = asyncio.create_task(asking)
        try:
            await asyncio.wait({task}, timeout=within)
            if task.done():
                return task.result()
        finally:
            if not task.done():
                self.background.add(task)
                task.add_done_callback(self.background.discard)
                task.cancel()
        raise Unavailable("PostgreSQL does not answer. Try again in a moment.")

    async def hand_back(self, username: str, *, by: User, why: str) -> None:
        """Asks the queue service to release all that `username` has reserved; why: logout or deactivated.

        Waits a moment for the answer, so that others can reserve at once, and goes on asking for a minute. When none
        comes, nothing is lost: reservations end by themselves (`domain.md` rule 8).
        """
        asking = asyncio.create_task(self._hand_back(username, by, why), name=f"hand back {username}")
        self.background.add(asking)
        asking.add_done_callback(self.background.discard)
        await asyncio.wait({asking}, timeout=_A_MOMENT_SECONDS)

    async def _hand_back(self, username: str, by: User, why: str) -> None:
        try:
            await self.ask("richiamo.queue.hand_back", by, username=username, why=why, timeout=_PATIENCE_SECONDS)
        except (Unavailable, Problem) as error:
            _log.warning("reservations_not_handed_back", username=username, why=why, error=str(error))


def gateway_of(connection: HTTPConnection) -> Gateway:
    """The running gateway of a request; a FastAPI dependency."""
    return cast("Gateway", connection.app.state.gateway)
