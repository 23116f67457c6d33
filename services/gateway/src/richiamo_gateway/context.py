"""What does a route of the gateway need? Everything with a life of its own, in one value.

`app.state.gateway` holds it; routes take it with `Depends(gateway_of)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from richiamo_gateway.auth.sessions import Sessions
from richiamo_gateway.auth.user import User
from richiamo_gateway.live import Live
from richiamo_gateway.people import People
from richiamo_gateway.settings import GatewaySettings
from richiamo_gateway.site_rules import SiteRules
from richiamo_kit.clock import Clock
from richiamo_kit.log_view import SiteView
from starlette.requests import HTTPConnection


class Inside(Protocol):
    """The other services, by request and reply."""

    async def ask(
        self, subject: str, payload: Mapping[str, Any], timeout: float = 5.0
    ) -> dict[str, Any]:
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
    people: People
    rules: SiteRules
    live: Live
    clock: Clock
    settings: GatewaySettings

    async def ask(
        self, subject: str, user: User, *, timeout: float = 5.0, **payload: Any
    ) -> dict[str, Any]:
        """Asks another service in the name of `user`; payload values that are None are left out.

        Example: `await gateway.ask("richiamo.queue.requests", user, view="recall", limit=100)`.
        """
        asked = {name: value for name, value in payload.items() if value is not None}
        return await self.inside.ask(subject, {"user": user.payload(), **asked}, timeout)


def gateway_of(connection: HTTPConnection) -> Gateway:
    """The running gateway of a request; a FastAPI dependency."""
    return cast(Gateway, connection.app.state.gateway)
