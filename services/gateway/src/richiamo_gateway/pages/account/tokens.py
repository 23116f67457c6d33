"""Which programs act for me? Tokens made, shown once, and revoked on the page of one's account."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.auth.tokens import Scope
from richiamo_gateway.pages.account.routes import PATH, account_page, back
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.rendering import language_for
from richiamo_gateway.plain_text import is_plain
from richiamo_kit.errors import Problem

router = APIRouter(prefix=f"{PATH}/tokens")

_LONGEST_NAME = 80
_NO_NAME = N_("Write what it is for, in at most 80 characters.")
_NO_SCOPE = N_("Choose at least one.")
_NO_ROOM = N_("There are as many tokens as one user can have: revoke one first.")


@router.post("")
async def issue(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    name: Annotated[str, Form(max_length=1000)] = "",
    scope: Annotated[list[Scope] | None, Form()] = None,
) -> Response:
    """Makes a token and shows it, this once: the answer is the page itself, for the token is kept nowhere."""
    language = language_for(request, user)
    wanted, scopes = name.strip(), scope or []
    wrong = {}
    if not 1 <= len(wanted) <= _LONGEST_NAME or not is_plain(wanted):
        wrong["name"] = language(_NO_NAME)
    if not scopes:
        wrong["scope"] = language(_NO_SCOPE)
    typed = {"name": wanted, "scopes": scopes}
    if wrong:
        return await account_page(request, gateway, user, status=422, wrong=wrong, typed=typed)
    try:
        token, kept = await gateway.tokens.issue(user, wanted, scopes)
    except Problem as refused:
        if refused.type != "too-many":
            raise
        wrong = {"name": language(_NO_ROOM)}
        return await account_page(request, gateway, user, status=refused.status, wrong=wrong, typed=typed)
    return await account_page(request, gateway, user, status=201, issued={"token": token, "name": kept["name"]})


@router.post("/{token_id}/revoke")
async def revoke(gateway: GatewayOf, user: CurrentUser, token_id: str) -> Response:
    """Ends a token of one's own at once."""
    await gateway.tokens.revoke(user.username, token_id)
    return back("token")
