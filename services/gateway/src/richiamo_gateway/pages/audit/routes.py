"""Who did what, and when? The page of the audit trail: filters in the address, a hundred rows at a time."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from richiamo_gateway.api.audit import SECONDS
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.auth.user import Role
from richiamo_gateway.pages.audit.told import KINDS, line
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.list_address import Chip
from richiamo_gateway.pages.rendering import formats_for, language_for, render

router = APIRouter()

_PATH = "/audit"
_ROWS = 100
_LABELS = {"who": N_("Who"), "what": N_("What"), "from": N_("From"), "to": N_("To"), "caller": N_("Number")}
_FOR_ADMINISTRATORS = {"operator_changed", "settings_changed"}


@router.get(_PATH)
async def page(request: Request, gateway: GatewayOf, user: Supervisor) -> Response:
    """Decisions of people and timers, newest first; what cannot be read in the address is left out."""
    values = _read(request)
    after = request.query_params.get("after", "")
    after = after if after.isascii() and after.isdigit() and len(after) < 19 else ""
    question: dict[str, Any] = {**values, "limit": _ROWS, "after": int(after) if after else None}
    answer = await gateway.ask("richiamo.reporting.audit", user, timeout=SECONDS, **question)
    language = language_for(request, user)
    formats = formats_for(request, language)
    kinds = {name: text for name, text in KINDS.items() if user.may(Role.ADMIN) or name not in _FOR_ADMINISTRATORS}
    shown = {**values, "what": language(KINDS[values["what"]])} if "what" in values else values
    chips = [
        Chip(
            language(_LABELS[name]),
            formats.short_day(value) if name in {"from", "to"} else value,
            _address({other: one for other, one in values.items() if other != name}),
        )
        for name, value in shown.items()
    ]
    return render(
        request,
        user,
        "audit/page.html",
        lines=[line(item, language) for item in answer["items"]],
        total=answer["total"],
        people=[*answer["people"], "system"],
        kinds=kinds,
        values=values,
        chips=chips,
        path_of_all=_PATH,
        first=_address(values) if after else None,
        next=_address({**values, "after": answer["next"]}) if answer["next"] else None,
        workbook=f"/api/v1/audit.xlsx?{urlencode(values)}" if values else "/api/v1/audit.xlsx",
    )


def _read(request: Request) -> dict[str, str]:
    given = {name: request.query_params.get(name, "").strip()[:100] for name in _LABELS}
    if given["what"] not in KINDS:
        given["what"] = ""
    for edge in ("from", "to"):
        if not _is_day(given[edge]):
            given[edge] = ""
    if given["from"] and given["to"] and given["from"] > given["to"]:
        given["from"], given["to"] = given["to"], given["from"]
    return {name: value for name, value in given.items() if value}


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text)) and len(text) == len("2026-01-31")
    except ValueError:
        return False


def _address(values: dict[str, str]) -> str:
    return f"{_PATH}?{urlencode(values)}" if values else _PATH
