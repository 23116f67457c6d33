"""What does every request and answer pass? Refusal of foreign sites, security headers, a measurement."""

import time
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from richiamo_gateway import problem
from richiamo_kit import metrics
from richiamo_kit.errors import Problem

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_LARGEST_BODY = 2 * 1024 * 1024
"""A flush of 20,000 callers is under 1 MB."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

_log = structlog.get_logger(__name__)


def from_elsewhere(method: str, headers: Headers) -> bool:
    """Whether a browser sent this from a page of another site.

    Browsers say so in `Sec-Fetch-Site`, older ones in `Origin`; scripts send neither and carry no cookie that
    somebody else could use. Reading is always allowed: the answer stays with the browser.
    """
    if method in _SAFE_METHODS or headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


class Protection:
    """The outermost layer, in plain ASGI so that streams pass without being held back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what must not go further, and marks every answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # Whatever is shown belongs to one person at one moment; a built file says itself how long it holds.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refused = _refused(scope, headers)
        if refused is not None:
            await problem.as_json(Request(scope), refused)(scope, receive, marked)
        else:
            await self._app(scope, receive, marked)
        if status != 200 or not scope["path"].endswith(("/changes", "/live")):
            # A stream's duration says nothing about how long anybody waited.
            metrics.REQUEST_SECONDS.labels("gateway", scope["method"], str(status)).observe(time.perf_counter() - began)


def _refused(scope: Scope, headers: Headers) -> Problem | None:
    if from_elsewhere(scope["method"], headers):
        _log.warning("request_from_elsewhere", origin=headers.get("origin"), site=headers.get("sec-fetch-site"))
        return Problem(403, "foreign-origin", "This request came from another site.")
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        return Problem(422, "invalid", "The address holds a character that no text has.")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST_BODY:
        return Problem(413, "too-large", "The body is too large.", f"At most {_LARGEST_BODY} bytes are taken.")
    return None
