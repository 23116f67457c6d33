"""What does the gateway's port answer? Puts API, pages, health and errors into one application."""

import asyncio
import contextlib
import importlib.util
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api import (
    audit,
    callers,
    changes,
    reports,
    session,
    sessions,
    settings,
    tokens,
    users,
    workbooks,
    worklist,
)
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.built import STATIC, Built
from richiamo_gateway.context import Gateway
from richiamo_gateway.protection import Protection
from richiamo_kit import health, metrics, tracing
from richiamo_kit.errors import Unavailable
from richiamo_kit.traced_requests import Traced

API = "/api/v1"
_LOG_END_SECONDS = 1.0

_DESCRIPTION = """
Recall every customer whose call was lost.

Log in with `POST /api/v1/session` and send the token as `Authorization: Bearer`. Errors are
`application/problem+json` (RFC 9457). Commands take an `Idempotency-Key` and answer the log position of their
effect; reads take it as `Min-Position`, and then answer from data at least as new.
"""


def _operation_id(route: APIRoute) -> str:
    return route.name


def _api() -> APIRouter:
    router = APIRouter(prefix=API)
    for part in (session, sessions, tokens, users, settings, worklist, callers, reports, workbooks, audit, changes):
        router.include_router(part.router)
    return router


def _observation(checks: health.Health) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> Response:
        status, body = health.live()
        return JSONResponse(body, status)

    @router.get("/readyz")
    async def ready() -> Response:
        status, body = await checks.ready()
        return JSONResponse(body, status)

    @router.get("/metrics")
    async def measured(gateway: GatewayOf) -> Response:
        with contextlib.suppress(Unavailable, TimeoutError):
            # Without the log the last position stands; that it is away is told by `/readyz`.
            async with asyncio.timeout(_LOG_END_SECONDS):
                metrics.LOG_POSITION.set(await gateway.log_end())
        body, content_type = health.measured()
        return Response(body, media_type=content_type)

    return router


def make_app(gateway: Gateway, checks: health.Health) -> FastAPI:
    """The application; `app.state.gateway` is what its routes work with."""
    app = FastAPI(
        title="Richiamo",
        version="1",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=f"{API}/openapi.json",
        # The built-in pages load their scripts from a CDN.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    app.state.gateway = gateway
    app.include_router(_observation(checks))
    app.include_router(_api())
    _include_pages(app)
    problem.install(app)
    if tracing.on():
        app.add_middleware(Traced)
    # Event streams pass as they are. Nothing secret stands beside what somebody else could put into a page (BREACH):
    # foreign requests are refused by their headers, not by a mark in the page.
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)
    app.add_middleware(Protection)
    _describe(app)
    return app


def _include_pages(app: FastAPI) -> None:
    """Adds the pages; `pages.error_page`, when there, shows errors to browsers, `problem_title` names them in their language."""
    if STATIC.is_dir():
        app.mount("/static", Built(), name="static")
    if importlib.util.find_spec("richiamo_gateway.pages") is None:
        return
    pages = importlib.import_module("richiamo_gateway.pages")
    app.include_router(pages.router, include_in_schema=False)
    app.state.error_page = getattr(pages, "error_page", None)
    app.state.problem_title = getattr(pages, "problem_title", None)


def _describe(app: FastAPI) -> None:
    """Completes the OpenAPI document: the two ways to carry a session, and the media type of errors."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()
        document.setdefault("components", {})["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "description": "The token of `POST /session`"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "richiamo"},
        }
        document["security"] = [{"bearer": []}, {"cookie": []}]
        for path, operations in document["paths"].items():
            for method, operation in cast("dict[str, dict[str, Any]]", operations).items():
                if path == f"{API}/session" and method == "post":
                    operation["security"] = []
                _as_problems(operation["responses"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document.


def _as_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status >= "400":
            schema = {"$ref": "#/components/schemas/ProblemDetail"}
            response["content"] = {problem.MEDIA_TYPE: {"schema": schema}}
