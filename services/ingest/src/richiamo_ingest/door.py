"""What happens to a request before a route sees it? Who may not report calls is turned away, what breaks is told.

Plain ASGI: the lost call waits on the line meanwhile, and Starlette's own way to wrap an application costs a task and
two streams a request.
"""

import structlog
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from richiamo_ingest.access import Access, Entry
from richiamo_kit import metrics
from richiamo_kit.errors import Problem

_log = structlog.get_logger(__name__)
_OBSERVED = frozenset({"/healthz", "/readyz", "/metrics"})


class Door:
    """The application with `access` before it; the observation of the service is open to all."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OBSERVED:
            await self._app(scope, receive, send)
            return
        sender = scope["client"][0] if scope.get("client") else None
        entry = self._access.enter(_joined(Headers(scope=scope)), sender)
        if entry is not Entry.IN:
            await _turned_away(entry, sender)(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            if begun:
                raise
            _log.exception("request_failed", path=scope["path"])
            answer = problem_answer(Problem(503, "unavailable", "This could not be kept; send it again"))
            answer.headers["Retry-After"] = "5"
            await answer(scope, receive, send)


def problem_answer(problem: Problem) -> Response:
    """The answer that tells a problem (RFC 9457)."""
    return JSONResponse(problem.as_json(), status_code=problem.status, media_type="application/problem+json")


def _joined(headers: Headers) -> dict[str, str]:
    """Every header once: one that was sent twice holds both, so that nobody slips one in before the proxy's."""
    return {name: ", ".join(headers.getlist(name)) for name in headers}


def _turned_away(entry: Entry, sender: str | None) -> Response:
    metrics.WRONG_CREDENTIALS.labels("ingest").inc()
    _log.warning("sender_turned_away", sender=sender, why=entry.name.lower())
    if entry is Entry.WRONG_ADDRESS:
        return problem_answer(Problem(403, "wrong-address", "No calls are taken from this address"))
    if entry is Entry.TOO_MANY_TRIES:
        answer = problem_answer(Problem(429, "too-many-tries", "Too many wrong passwords", "Try again in a minute."))
        answer.headers["Retry-After"] = "60"
        return answer
    answer = problem_answer(Problem(401, "wrong-credentials", "User or password are wrong"))
    answer.headers["WWW-Authenticate"] = 'Basic realm="Richiamo", charset="UTF-8"'
    return answer
