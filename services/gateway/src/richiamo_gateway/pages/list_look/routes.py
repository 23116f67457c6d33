"""How does one change the look of a list? Plain forms, each leading back to the list."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from richiamo_gateway import problem
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.auth.user import User
from richiamo_gateway.looks.look import LONGEST_NAME, MOST_VIEWS, View
from richiamo_gateway.pages.list_look.columns import columns_of
from richiamo_gateway.plain_text import Plain

router = APIRouter(prefix="/lists")

Path = Annotated[str, Form(max_length=100)]
Query = Annotated[Plain, Form(max_length=4000)]
Name = Annotated[Plain, Form(min_length=1, max_length=LONGEST_NAME)]


@router.post("/look")
async def change(
    *,
    gateway: GatewayOf,
    user: CurrentUser,
    path: Path,
    query: Query = "",
    density: Annotated[str, Form(max_length=20)] = "",
    column: Annotated[list[str] | None, Form(max_length=20)] = None,
) -> Response:
    """Keeps which columns of a list are shown, and how dense all lists are."""
    hidden = [name for name in _columns(path, user) if name not in (column or ())]
    await gateway.looks.change(user.username, lambda look: look.dense(density).hiding(path, hidden))
    return _back(path, query)


@router.post("/views")
async def keep(gateway: GatewayOf, user: CurrentUser, path: Path, name: Name, query: Query = "") -> Response:
    """Keeps filter, order and columns of a list under a name; what had the name before is replaced."""
    _columns(path, user)
    view = View(name, query)
    after = await gateway.looks.change(user.username, lambda look: look.naming(path, view))
    if view.query not in {one.query for one in after.of(path).views}:
        raise problem.conflict("too-many-views", f"A list has at most {MOST_VIEWS} views, each with a name.")
    return _back(path, query)


@router.post("/views/remove")
async def remove(gateway: GatewayOf, user: CurrentUser, path: Path, name: Name, query: Query = "") -> Response:
    """Forgets a view."""
    _columns(path, user)
    await gateway.looks.change(user.username, lambda look: look.forgetting(path, name))
    return _back(path, query)


def _columns(path: str, user: User) -> list[str]:
    columns = columns_of(path, user)
    if columns is None:
        raise problem.not_found("There is no such list.")
    return list(columns)


def _back(path: str, query: str) -> Response:
    """To the list, whose path is one of ours; the query is read and written anew."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return RedirectResponse(f"{path}?{urlencode(pairs)}" if pairs else path, 303)
