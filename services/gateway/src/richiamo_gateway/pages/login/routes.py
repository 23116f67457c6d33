"""How does one come in, and go? A form that works without script; the session is a cookie."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from richiamo_gateway.auth import access
from richiamo_gateway.context import gateway_of
from richiamo_gateway.pages.rendering import render
from richiamo_kit.errors import Problem

router = APIRouter()

HOME = "/"
_FAILURES: dict[int, str] = {409: "desk", 422: "extension", 429: "many"}


def own_path(text: str) -> str:
    """A path of this site to go to; anything that could lead elsewhere becomes the home page."""
    parts = urlsplit(text)
    local = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if local and not parts.netloc and not parts.scheme else HOME


@router.get("/login")
async def form(request: Request, next: str = HOME, ended: bool = False) -> Response:  # noqa: A002 - a parameter's name
    """The log-in; whoever has a session goes straight on."""
    if await access.optional_user(request) is not None:
        return RedirectResponse(own_path(next), 303)
    return form_again(request, "ended" if ended else "", HTTPStatus.OK, wanted=own_path(next))


def form_again(
    request: Request,
    failure: str,
    status: int,
    *,
    wanted: str = HOME,
    username: str = "",
    extension: str = "",
    holder: str = "",
) -> Response:
    """The form, with what went wrong: `ended`, `many`, or the type of the problem; `holder` works at the extension."""
    sign_on = gateway_of(request).sign_on
    return render(
        request,
        None,
        "login/page.html",
        status=status,
        next=wanted,
        username=username,
        extension=extension,
        holder=holder,
        failure=failure,
        sign_on=None if sign_on is None else sign_on.name,
    )


@router.post("/login")
async def enter(
    request: Request,
    username: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=4000)] = HOME,  # noqa: A002 - a field's name
    extension: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Opens a session, or shows the form again with the name kept."""
    try:
        signed_in = await access.sign_in(request, username.strip(), password, extension.strip())
    except Problem as problem:
        if problem.status not in {401, 409, 422, 429}:
            raise
        failure = _FAILURES.get(problem.status, "wrong")
        page = form_again(
            request,
            failure,
            problem.status,
            wanted=own_path(next),
            username=username,
            extension=extension,
            holder=str(problem.extra.get("name", "")),
        )
        if "retry_after" in problem.extra:
            page.headers["Retry-After"] = str(problem.extra["retry_after"])
        return page
    response = RedirectResponse(own_path(next), 303)
    access.remember(request, response, signed_in)
    return response


@router.post("/logout")
async def leave(request: Request) -> Response:
    """Ends the session; what was reserved goes back to everybody."""
    await access.sign_out(request)
    response = RedirectResponse("/login", 303)
    access.forget(request, response)
    return response
