"""Which request was it? A span for each that an HTTP edge answers, named after its route, never after its address."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.trace import StatusCode

from richiamo_kit import tracing

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WATCHERS = frozenset({"/healthz", "/readyz", "/metrics"})
_STREAMS = ("/changes", "/live")


class Traced:
    """An ASGI application whose requests are traced; a trace that the sender began goes on.

    Not those of watchers, files, and streams, which last as long as a page is open: what these send has its own spans.
    """

    def __init__(self, app: _App) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http" or not _is_told(scope["path"]):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        with tracing.entrance(method, tracing.SpanKind.SERVER, cause=_cause(scope)) as span:
            span.set_attribute("http.request.method", method)

            async def noted(message: _Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, noted)
            finally:
                if route := _route(scope):
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)


def _is_told(path: str) -> bool:
    return path not in _WATCHERS and not path.endswith(_STREAMS) and not path.startswith("/static/")


def _route(scope: _Message) -> str:
    """The template that the routing found on the way, such as `/callers/{caller_id}`; empty for an address of nothing.

    FastAPI keeps it beside the route, with the prefixes of the routers around it.
    """
    found = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(found, "path", "")


def _cause(scope: _Message) -> str:
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"]
    return sent[0] if len(sent) == 1 else ""
