"""Which programs act for me? Tokens for scripts, which need no password and can do no more than they were made for."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import JSONResponse

from richiamo_gateway.api.models import PROBLEMS
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.auth.tokens import Scope
from richiamo_gateway.plain_text import Plain

router = APIRouter(prefix="/tokens", tags=["tokens"], responses=PROBLEMS)


class NewToken(BaseModel):
    """What the token is for, and what it may be used for."""

    name: Annotated[Plain, Field(min_length=1, max_length=80)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=2)] = ["read"]


class TokenShown(BaseModel):
    """What is kept of a token."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: AwareDatetime
    used_at: AwareDatetime | None


class TokenList(BaseModel):
    """One's own tokens, oldest first."""

    items: list[TokenShown]


class TokenIssued(TokenShown):
    """The same, with the token itself: it is shown this once."""

    token: str


@router.get("", response_model=TokenList)
async def list_tokens(gateway: GatewayOf, user: CurrentUser) -> JSONResponse:
    """One's own tokens, without themselves: these are kept nowhere."""
    return JSONResponse({"items": await gateway.tokens.of(user.username)})


@router.post("", status_code=201, response_model=TokenIssued)
async def issue_token(gateway: GatewayOf, user: CurrentUser, new: NewToken) -> JSONResponse:
    """Makes a token to be sent as `Authorization: Bearer`.

    `read` covers every GET, `operate` the commands of the worklist; both only as far as one's own role goes, and never
    users, settings, passwords or tokens.
    """
    token, kept = await gateway.tokens.issue(user, new.name, new.scopes)
    return JSONResponse({**kept, "token": token}, 201, headers={"Cache-Control": "no-store"})


@router.delete("/{token_id}", status_code=204)
async def revoke_token(
    gateway: GatewayOf, user: CurrentUser, token_id: Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
) -> Response:
    """Ends a token at once."""
    await gateway.tokens.revoke(user.username, token_id)
    return Response(status_code=204)
