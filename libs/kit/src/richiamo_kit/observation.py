"""What does a service without pages tell its watchers? `/healthz`, `/readyz` and `/metrics` on a port of its own."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from nats.aio.client import Client
from psycopg_pool import AsyncConnectionPool

from richiamo_kit import health
from richiamo_kit.health import Check, Health
from richiamo_kit.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_CHECKED_WITHIN = 3.0


def observed(settings: Settings, checks: Health) -> Callable[[], Awaitable[None]]:
    """A part of a service: answers watchers until cancelled, on `observe_port`; does nothing when that is unset.

    The part raises `OSError` when somebody else listens there.
    """

    async def part() -> None:
        if settings.observe_port is None:
            await asyncio.Event().wait()
            return
        loop = asyncio.get_running_loop()
        server = make_server(
            settings.observe_host, settings.observe_port, _Answers(checks, loop), _Server, _QuietHandler
        )
        threading.Thread(target=server.serve_forever, name="observation", daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(server.shutdown)
            server.server_close()

    return part


def log_is_there(client: Client) -> Check:
    """A check of the connection to NATS."""

    async def check() -> str | None:
        return None if client.is_connected else "NATS is not connected"

    return check


def database_is_there(pool: AsyncConnectionPool) -> Check:
    """A check that PostgreSQL answers."""

    async def check() -> str | None:
        async with asyncio.timeout(2), pool.connection() as connection:
            await connection.execute("SELECT 1")
        return None

    return check


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a question: a slow watcher keeps nobody waiting."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name.
        """Watchers ask every few seconds; that is no news."""


class _Answers:
    """The WSGI application. Checks run on the service's own event loop: a loop that hangs is not ready."""

    def __init__(self, checks: Health, loop: asyncio.AbstractEventLoop) -> None:
        self._checks = checks
        self._loop = loop

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, body, content_type = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, method: str, path: str) -> tuple[str, bytes, str]:
        if method not in {"GET", "HEAD"}:
            return _as_json("405 Method Not Allowed", {"title": "Only GET is answered here."})
        match path:
            case "/healthz":
                return _as_json("200 OK", health.live()[1])
            case "/readyz":
                return self._ready()
            case "/metrics":
                body, content_type = health.measured()
                return "200 OK", body, content_type
            case _:
                return _as_json("404 Not Found", {"title": "There are /healthz, /readyz and /metrics."})

    def _ready(self) -> tuple[str, bytes, str]:
        asked = asyncio.run_coroutine_threadsafe(self._checks.ready(), self._loop)
        try:
            status, body = asked.result(_CHECKED_WITHIN)
        except TimeoutError:
            asked.cancel()
            status, body = 503, {"ready": False, "missing": {"loop": "the service does not answer itself"}}
        return _as_json("200 OK" if status == 200 else "503 Service Unavailable", body)


def _as_json(status: str, body: object) -> tuple[str, bytes, str]:
    return status, json.dumps(body).encode(), "application/json"
