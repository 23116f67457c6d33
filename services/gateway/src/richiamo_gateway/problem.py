"""How is an error told? One shape for all of them: `application/problem+json` (RFC 9457).

Below `/api` always as JSON; elsewhere a page, when the pages offer one (`app.state.error_page`).
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from richiamo_kit.errors import Problem, Rejected, StreamMoved, Unavailable

MEDIA_TYPE = "application/problem+json"
TYPE_ROOT = "/problems/"
"""Problem types are relative references, which RFC 9457 allows: no deployment has to own a domain."""

ErrorPage = Callable[[Request, Problem], Awaitable[Response]]
Title = Callable[[Request, Problem], str]

_log = structlog.get_logger(__name__)

_BY_STATUS = {
    404: ("not-found", "Nothing is kept under this address."),
    405: ("method-not-allowed", "This address does not take that method."),
    413: ("too-large", "The body is too large."),
    415: ("unsupported-media-type", "The body has a form that is not read here."),
}


def not_logged_in() -> Problem:
    """Nobody, or nobody any more, stands behind this request."""
    return Problem(401, "not-logged-in", "Log in first.", "The session is missing, has ended or was closed.")


def forbidden(role: str) -> Problem:
    """The person is known but lacks the right."""
    return Problem(403, "not-allowed", "You may not do this.", f"This needs the role {role}.", needs=role)


def scope_missing(scope: str) -> Problem:
    """The token was not made for this."""
    return Problem(403, "scope-missing", "This token may not do this.", f"It needs the scope {scope}.", scope=scope)


def not_found(what: str) -> Problem:
    return Problem(404, "not-found", "There is no such thing.", what)


def invalid(title: str, errors: Mapping[str, str]) -> Problem:
    """A body or parameter that cannot be taken; `errors` maps each field to a sentence."""
    detail = " ".join(f"{field}: {sentence}" for field, sentence in errors.items())
    listed = [{"field": field, "message": sentence} for field, sentence in errors.items()]
    return Problem(422, "invalid", title, detail, errors=listed)


def conflict(kind: str, title: str, detail: str = "", **extra: Any) -> Problem:
    return Problem(409, kind, title, detail, **extra)


def body_of(problem: Problem, instance: str) -> dict[str, Any]:
    """The members of RFC 9457, then the problem's own."""
    kind = problem.type or "unexpected"
    return {
        "type": kind if "/" in kind or ":" in kind else f"{TYPE_ROOT}{kind}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        **problem.extra,
    }


def as_json(request: Request, problem: Problem) -> JSONResponse:
    headers: dict[str, str] = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after"])
    if "allow" in problem.extra:
        headers["Allow"] = str(problem.extra["allow"])
    body = body_of(problem, request.url.path)
    named = cast("Title | None", getattr(request.app.state, "problem_title", None)) if "app" in request.scope else None
    if named is not None:
        body["title"] = named(request, problem)
    return JSONResponse(
        body,
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def login_address(request: Request) -> str:
    """Where a browser without a session is sent; it comes back to what it asked for."""
    wanted = request.url.path
    if request.url.query:
        wanted += f"?{request.url.query}"
    return "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}"


async def respond(request: Request, problem: Problem) -> Response:
    """The answer for a problem: JSON for programs, a page or the login for browsers."""
    wants_page = "text/html" in request.headers.get("accept", "")
    if request.url.path.startswith("/api/") or not wants_page:
        return as_json(request, problem)
    if problem.status == HTTPStatus.UNAUTHORIZED and request.method in {"GET", "HEAD"}:
        return RedirectResponse(login_address(request), status_code=HTTPStatus.SEE_OTHER)
    page = cast("ErrorPage | None", getattr(request.app.state, "error_page", None))
    return await page(request, problem) if page is not None else as_json(request, problem)


async def _problem(request: Request, error: Exception) -> Response:
    return await respond(request, cast("Problem", error))


async def _http(request: Request, error: Exception) -> Response:
    told = cast("HTTPException", error)
    kind, title = _BY_STATUS.get(told.status_code, ("http", str(told.detail)))
    extra = {"allow": told.headers["Allow"]} if told.headers and "Allow" in told.headers else {}
    return await respond(request, Problem(told.status_code, kind, title, "", **extra))


async def _validation(request: Request, error: Exception) -> Response:
    errors: dict[str, str] = {}
    for found in cast("RequestValidationError", error).errors():
        place = [str(part) for part in found["loc"]]
        name = ".".join(place[1:]) or place[0]
        errors.setdefault(name, _sentence(str(found["msg"])))
    return await respond(request, invalid("The request is not complete or not right.", errors))


def _sentence(message: str) -> str:
    """Pydantic's message as a sentence."""
    text = message.removeprefix("Value error, ").strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


async def _rejected(request: Request, error: Exception) -> Response:
    return await respond(request, cast("Rejected", error).as_problem())


async def _moved(request: Request, error: Exception) -> Response:
    _log.warning("stream_moved_to_the_end", error=str(error))
    title = "Somebody else changed this at the same moment. Try again."
    return await respond(request, Problem(409, "changed-meanwhile", title))


async def _unavailable(request: Request, error: Exception) -> Response:
    title = "A part of Richiamo does not answer at the moment."
    problem = Problem(503, "unavailable", title, str(error), retry_after=1)
    return await respond(request, problem)


async def _database_away(request: Request, error: Exception) -> Response:
    _log.warning("database_away", path=request.url.path, reason=str(error).splitlines()[0])
    title = "A part of Richiamo does not answer at the moment."
    problem = Problem(503, "unavailable", title, "PostgreSQL does not answer. Try again in a moment.", retry_after=1)
    return await respond(request, problem)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("request_failed", path=request.url.path, exc_info=error)
    title = "Something went wrong in Richiamo."
    return await respond(request, Problem(500, "unexpected", title))


def install(app: FastAPI) -> None:
    """Maps every error to its answer, once, here."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(PoolExhausted, _database_away)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(StreamMoved, _moved)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(Exception, _unexpected)
