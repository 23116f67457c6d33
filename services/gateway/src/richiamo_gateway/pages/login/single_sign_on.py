"""How does one come in with the company's own account? To the identity provider, and back with its answer."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from richiamo_gateway import problem
from richiamo_gateway.auth import access
from richiamo_gateway.context import gateway_of
from richiamo_gateway.pages.login.desk import on_the_way
from richiamo_gateway.pages.login.routes import HOME, form_again, own_path
from richiamo_kit.errors import Problem, Unavailable

if TYPE_CHECKING:
    from richiamo_gateway.auth.oidc.sign_on import SignOn

router = APIRouter()

_CALLBACK = "/login/oidc/callback"


def _sign_on(request: Request) -> "SignOn":
    sign_on = gateway_of(request).sign_on
    if sign_on is None:
        raise problem.not_found("Single sign-on is not set up here.")
    return sign_on


def _redirect_uri(request: Request) -> str:
    base = gateway_of(request).settings.public_url or str(request.base_url)
    return base.rstrip("/") + _CALLBACK


def _cookie(request: Request) -> str:
    return f"{access.cookie_name(request)}-sign-on"


@router.get("/login/oidc")
async def leave(request: Request, next: str = HOME) -> Response:  # noqa: A002 - a parameter's name
    """Sends the browser to the identity provider."""
    try:
        leaving = await _sign_on(request).leave(own_path(next), _redirect_uri(request))
    except Unavailable:
        return form_again(request, "sign-on-away", HTTPStatus.SERVICE_UNAVAILABLE, wanted=own_path(next))
    response = RedirectResponse(leaving.address, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        _cookie(request),
        leaving.state,
        max_age=leaving.lifetime_seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.get(_CALLBACK)
async def come_back(request: Request, state: str = "", code: str = "") -> Response:
    """Opens the session for whom the provider vouches; its refusal is told on the log-in page."""
    sign_on = _sign_on(request)
    response: Response
    try:
        if not code or not state or state != request.cookies.get(_cookie(request)):
            raise Problem(401, "sign-on-failed", "The identity provider let nobody in.")
        arrived = await sign_on.arrive(state, code, _redirect_uri(request))
        page = await on_the_way(gateway_of(request), arrived.signed_in.user, own_path(arrived.next))
    except Unavailable:
        response = form_again(request, "sign-on-away", HTTPStatus.SERVICE_UNAVAILABLE)
    except Problem as refusal:
        if refusal.status != HTTPStatus.UNAUTHORIZED:
            raise
        failure = "sign-on-deactivated" if refusal.type == "wrong-credentials" else refusal.type
        response = form_again(request, failure, HTTPStatus.UNAUTHORIZED)
    else:
        response = RedirectResponse(page, HTTPStatus.SEE_OTHER)
        access.remember(request, response, arrived.signed_in)
    response.delete_cookie(_cookie(request), path="/", httponly=True, samesite="lax")
    return response
