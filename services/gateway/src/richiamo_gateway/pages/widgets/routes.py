"""How does one look at boards, and change one's own? Plain forms; the script only spares the reload."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from richiamo_gateway import problem
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.boards.board import SIZES, Board, BoardId, Widget
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.as_of import PARAMETER, as_of
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.missed_calls.routes import known_queues
from richiamo_gateway.pages.rendering import formats_for, language_for, render
from richiamo_gateway.pages.widgets.content import shown
from richiamo_gateway.pages.widgets.gallery import PIECES, SUGGESTIONS
from richiamo_kit.errors import Problem

router = APIRouter(prefix="/widgets")

_PERIODS = (1, 7, 14, 31, 92)
_SECTIONS = (
    ("summary", N_("To recall")),
    ("day", N_("Report of today")),
    ("dashboard", N_("Dashboard")),
    ("code_caller", N_("Answered and missed")),
    ("historical", N_("Over time")),
)


@router.get("")
async def first(request: Request, gateway: GatewayOf, user: CurrentUser) -> Response:
    """One's first board; who has none is offered some to begin with."""
    boards = await gateway.boards.seen_by(user.username)
    if boards and "new" not in request.query_params:
        past = urlencode({PARAMETER: at}) if (at := as_of(request)) else ""
        return RedirectResponse(f"/widgets/{boards[0].id}" + (f"?{past}" if past else ""), 303)
    offered = {name: one for name, one in SUGGESTIONS.items() if user.may(one.role)}
    language = language_for(request, user)
    named = {what: piece.words(language).name for what, piece in PIECES.items()}
    return render(request, user, "widgets/first.html", boards=boards, offered=offered, named=named)


@router.post("")
async def create(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    title: Annotated[str, Form(max_length=200)] = "",
    suggestion: Annotated[str, Form(max_length=50)] = "",
) -> Response:
    """A new board, empty or as suggested."""
    language = language_for(request, user)
    begun = Board(id=BoardId(uuid4().hex), owner=user.username, title=language(N_("New board")))
    offered = SUGGESTIONS.get(suggestion)
    if offered is not None and user.may(offered.role):
        begun = replace(begun, title=language(offered.title), widgets=offered.widgets())
    begun = begun.titled(title)
    await gateway.boards.add(begun)
    return RedirectResponse(f"/widgets/{begun.id}" + ("" if begun.widgets else "/gallery"), 303)


@router.get("/{board_id}")
async def page(
    request: Request, gateway: GatewayOf, user: CurrentUser, board_id: str, *, edit: bool = False, kiosk: bool = False
) -> Response:
    """A board: `?edit=1` with the means to change it, `?kiosk=1` for a screen on the wall."""
    boards = await gateway.boards.seen_by(user.username)
    board = _of(boards, board_id)
    language = language_for(request, user)
    mine = board.owner == user.username
    at = as_of(request)
    return render(
        request,
        user,
        "widgets/page.html",
        boards=boards,
        board=board,
        mine=mine,
        owner=gateway.site.operators.name_of(board.owner),
        edit=edit and mine and not kiosk and at is None,
        kiosk=kiosk,
        may_publish=user.may(Role.SUPERVISOR),
        widgets=await shown(gateway, user, board.widgets, language, formats_for(request, language), as_of=at),
        sizes=SIZES,
        periods=_PERIODS,
        queues=known_queues(gateway, user, []),
    )


@router.get("/{board_id}/gallery")
async def gallery(request: Request, gateway: GatewayOf, user: CurrentUser, board_id: str) -> Response:
    """Everything that can be put on a board, each as it would show now."""
    board = _own(_of(await gateway.boards.seen_by(user.username), board_id), user)
    language = language_for(request, user)
    pieces = [Widget(id=what, what=what, size=piece.size) for what, piece in PIECES.items() if user.may(piece.role)]
    previews = await shown(gateway, user, pieces, language, formats_for(request, language), as_of=as_of(request))
    sections = [(label, [one for one in previews if one.piece.source == source]) for source, label in _SECTIONS]
    return render(request, user, "widgets/gallery.html", board=board, sections=[part for part in sections if part[1]])


@router.post("/{board_id}/add")
async def add(
    gateway: GatewayOf, user: CurrentUser, board_id: str, what: Annotated[str, Form(max_length=100)]
) -> Response:
    """One more widget, at the end."""
    piece = PIECES.get(what)
    if piece is None or not user.may(piece.role):
        raise problem.not_found("There is no such widget.")
    widget = Widget(id=f"w{uuid4().hex[:8]}", what=what, size=piece.size)
    return await _changed(gateway, user, board_id, lambda board: board.added(widget), focus=widget.id)


@router.post("/{board_id}/title")
async def title(
    gateway: GatewayOf, user: CurrentUser, board_id: str, title: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    return await _changed(gateway, user, board_id, lambda board: board.titled(title))


@router.post("/{board_id}/publish")
async def publish(
    gateway: GatewayOf, user: CurrentUser, board_id: str, published: Annotated[str, Form(max_length=3)] = ""
) -> Response:
    """Shows a board to everybody, or no more; each sees of it what their role may see."""
    if not user.may(Role.SUPERVISOR):
        raise problem.forbidden("supervisor")
    return await _changed(gateway, user, board_id, lambda board: replace(board, published=published == "yes"))


@router.post("/{board_id}/delete")
async def delete(gateway: GatewayOf, user: CurrentUser, board_id: str) -> Response:
    _own(_of(await gateway.boards.seen_by(user.username), board_id), user)
    await gateway.boards.remove(BoardId(board_id), user.username)
    return RedirectResponse("/widgets", 303)


@router.post("/{board_id}/{widget}/move")
async def move(
    gateway: GatewayOf, user: CurrentUser, board_id: str, widget: str, to: Annotated[int, Form(ge=-1, le=1000)]
) -> Response:
    """To a place, counted from 0 without the widget itself."""
    return await _changed(gateway, user, board_id, lambda board: board.moved(widget, to), focus=widget)


@router.post("/{board_id}/{widget}/size")
async def resize(
    gateway: GatewayOf, user: CurrentUser, board_id: str, widget: str, size: Annotated[str, Form(max_length=1)]
) -> Response:
    return await _changed(gateway, user, board_id, lambda board: board.sized(widget, size), focus=widget)


@router.post("/{board_id}/{widget}/filter")
async def filtered(
    gateway: GatewayOf,
    user: CurrentUser,
    board_id: str,
    widget: str,
    *,
    queue: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[int, Form()] = 7,
) -> Response:
    return await _changed(
        gateway, user, board_id, lambda board: board.filtered(widget, queue=queue, days=days), focus=widget
    )


@router.post("/{board_id}/{widget}/remove")
async def remove(gateway: GatewayOf, user: CurrentUser, board_id: str, widget: str) -> Response:
    return await _changed(gateway, user, board_id, lambda board: board.without(widget))


async def _changed(
    gateway: Gateway, user: User, board_id: str, how: Callable[[Board], Board], focus: str = ""
) -> Response:
    """Changes one's own board and goes back to it, still being changed. Raises the problems 404 and `not-yours` (403)."""
    if await gateway.boards.change(BoardId(board_id), user.username, how) is None:
        _own(_of(await gateway.boards.seen_by(user.username), board_id), user)
    return RedirectResponse(f"/widgets/{board_id}?edit=1" + (f"#{focus}" if focus else ""), 303)


def _of(boards: Sequence[Board], board_id: str) -> Board:
    found = next((one for one in boards if one.id == board_id), None)
    if found is None:
        raise problem.not_found("There is no such board, or nobody shows it to you.")
    return found


def _own(board: Board, user: User) -> Board:
    if board.owner != user.username:
        raise Problem(403, "not-yours", "This board is somebody else's.", "Only its owner can change it.")
    return board
