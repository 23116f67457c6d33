"""Whom can I call back, and whom did I reserve? The operators' page, its live stream, and a customer's history."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from richiamo_gateway import sse
from richiamo_gateway.api.parameters import CallerIdOf, GatewayOf
from richiamo_gateway.auth.access import CurrentUser, optional_user
from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.list_look.shown import look_shown
from richiamo_gateway.pages.missed_calls.filters import COLUMNS, DAYS, ROWS, TEXTS, read_filters
from richiamo_gateway.pages.missed_calls.history import OUTCOMES, told, undoable
from richiamo_gateway.pages.missed_calls.rows import row_encoder
from richiamo_gateway.pages.rendering import formats_for, language_for, render

router = APIRouter()

_MOST_OWN = 1000
_SUBJECT = "richiamo.queue.requests"


def by_caller(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One card a caller; reserving covers all its requests (`domain.md`, Caller)."""
    cards: dict[str, dict[str, Any]] = {}
    for item in items:
        card = cards.setdefault(item["caller_id"], {**item, "requests": []})
        card["requests"].append(item)
    for card in cards.values():
        card["calls"] = sum(one["calls"] for one in card["requests"])
        card["recalled"] = max(one["recalled"] for one in card["requests"])
        oldest = min(card["requests"], key=lambda one: str(one["first_call"]))
        card |= {name: oldest[name] for name in ("first_call", "overdue_at", "overdue")}
        newest = max(card["requests"], key=lambda one: str(one["last_call"]))
        card |= {name: newest[name] for name in ("last_call", "availability")}
        card["last_recall"] = max((one["last_recall"] for one in card["requests"] if one["last_recall"]), default=None)
        card["queues"] = list(dict.fromkeys(one["queue"] for one in card["requests"] if one["queue"]))
    return list(cards.values())


def known_queues(gateway: Gateway, user: User, items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names to propose in the filter: one's own queues, else all that any user or row names."""
    if user.queues:
        return sorted(user.queues)
    named = {queue for one in gateway.site.operators.by_name.values() for queue in one.queues}
    named |= {item["queue"] for item in items if item["queue"]}
    return sorted(named)


@router.get("/missed-calls")
async def page(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    min_position: Annotated[int | None, Header(ge=0)] = None,
) -> Response:
    """Both panels; the scripts read it again with `Min-Position` and take the parts that changed."""
    filters = read_filters("/missed-calls", request.query_params)
    then: dict[str, Any] = {"as_of": as_of(request), "min_position": min_position}
    listed, mine, calling, summary, look = await asyncio.gather(
        gateway.ask(_SUBJECT, user, view="recall", **filters.question, **then),
        gateway.ask(_SUBJECT, user, view="mine", limit=_MOST_OWN, sort="reserved_at", **then),
        gateway.ask(_SUBJECT, user, view="calling", limit=_MOST_OWN, sort="reserved_at", **then),
        gateway.ask("richiamo.queue.summary", user, **then),
        gateway.looks.of(user.username),
    )
    callers = by_caller(calling["items"])
    noted = (
        await gateway.ask("richiamo.queue.notes", user, caller_ids=[one["caller_id"] for one in callers])
        if callers
        else {"items": []}
    )
    formats = formats_for(request, language_for(request, user))
    start = (filters.page - 1) * ROWS
    return render(
        request,
        user,
        "missed_calls/page.html",
        filters=filters,
        look=look_shown(look, filters.path, request.query_params),
        chips=filters.chips(formats),
        texts=TEXTS,
        days=DAYS,
        columns=COLUMNS,
        queues=known_queues(gateway, user, listed["items"]),
        items=listed["items"],
        total=listed["total"],
        shown_from=start + 1,
        shown_to=start + len(listed["items"]),
        next=filters.following(listed["next"]) if listed["next"] else None,
        mine=by_caller(mine["items"]),
        calling=callers,
        notes={note["caller_id"]: note["text"] for note in noted["items"]},
        summary=summary,
        reasons=OUTCOMES,
        position=min(part["position"] for part in (listed, mine, calling, summary)),
        minutes=gateway.site.settings.availability_minutes,
        open_today=gateway.site.settings.opening.on(gateway.clock.now().astimezone(gateway.site.settings.zone)),
    )


@router.get("/live")
async def live(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int | None, Query(ge=0)] = None,
) -> StreamingResponse:
    """What changed, as rows ready to be shown; a heartbeat that scripts can see every few seconds."""

    async def still_there() -> User | None:
        return await optional_user(request)

    language = language_for(request, user)
    encode = row_encoder(language.code, lambda: formats_for(request, language))
    subscription = gateway.live.subscribe(user, sse.last_event_id(last_event_id, after))
    return sse.stream(subscription, encode, still_there, heartbeat=b"event: beat\ndata: .\n\n")


@router.get("/callers/{caller_id}")
async def details(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    caller_id: CallerIdOf,
    min_position: Annotated[int | None, Header(ge=0)] = None,
) -> Response:
    """Every call from and to a customer, and who did what, in order; the panel shows its main part."""
    then: dict[str, Any] = {"as_of": as_of(request), "min_position": min_position}
    answer, rows = await asyncio.gather(
        gateway.ask("richiamo.queue.timeline", user, caller_id=caller_id, **then),
        gateway.ask("richiamo.queue.rows", user, caller_ids=[caller_id], **then),
    )
    language = language_for(request, user)
    may_undo = undoable(answer["items"]) if user.may(Role.SUPERVISOR) else frozenset[str]()
    return render(
        request,
        user,
        "missed_calls/details.html",
        caller_id=caller_id,
        number=answer["number"],
        note=answer["note"],
        entries=[told(item, language, user.username, may_undo) for item in answer["items"]],
        open_requests=[item for item in rows["items"] if user.sees(item["queue"])],
    )
