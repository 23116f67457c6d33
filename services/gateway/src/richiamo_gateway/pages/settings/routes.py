"""By which rules does the site work? One form for all settings, what to paste into the PBX, and who changed what."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from richiamo_events.language import SettingsChanged
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Admin
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.language import Language
from richiamo_gateway.pages.rendering import language_for, render
from richiamo_gateway.pages.settings.fields import SECTIONS, SETTINGS
from richiamo_gateway.pages.settings.values import read, same_lines, sentence, told, written
from richiamo_kit.errors import Problem

router = APIRouter()

_MOST_CHANGES = 200
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that somebody changed."""

    at: str
    who: str
    label: str
    before: str
    after: str


@router.get("/settings")
async def page(request: Request, gateway: GatewayOf, user: Admin, saved: int | None = None) -> Response:
    """The settings in force."""
    language = language_for(request, user)
    now = gateway.rules.current.values()
    shown = {name: written(setting, now[name], language) for name, setting in SETTINGS.items()}
    return _render(request, gateway, user, shown, shown=shown, wrong={}, saved=saved)


@router.post("/settings")
async def save(request: Request, gateway: GatewayOf, user: Admin) -> Response:
    """Saves at once what differs from what the page had shown; what others changed meanwhile stays theirs."""
    form = await request.form()
    language = language_for(request, user)
    typed = {name: same_lines(str(form.get(name) or "")) for name in SETTINGS}
    shown = {name: same_lines(str(form.get(f"was-{name}") or "")) for name in SETTINGS}
    changes = {name: read(setting, typed[name]) for name, setting in SETTINGS.items() if typed[name] != shown[name]}
    try:
        await gateway.rules.change(changes, by=user.username, key=None)
    except Problem as refused:
        if refused.type != "invalid":
            raise
        names = [one["field"] for one in cast("list[dict[str, str]]", refused.extra["errors"])]
        wrong = {name: sentence(SETTINGS[name], language) for name in names}
        return _render(request, gateway, user, typed, shown=shown, wrong=wrong, status=refused.status)
    return RedirectResponse(f"/settings?saved={len(changes)}", 303)


def history(gateway: Gateway, language: Language) -> list[Change]:
    """Every change, the newest first, each with the value before it."""
    changes: list[Change] = []
    settings = gateway.site.rules.at(_BEGINNING)
    for event in gateway.site.history:
        if not isinstance(event.data, SettingsChanged):
            continue
        before = settings.values()
        settings = settings.with_values(event.data.values)
        after = settings.values()
        actor = event.actor.removeprefix("user:")
        person = gateway.site.operators.get(actor)
        changes.extend(
            Change(
                at=event.recorded_at.isoformat(),
                who=person.name if person else actor,
                label=language(SETTINGS[name].label) if name in SETTINGS else name,
                before=told(SETTINGS.get(name), before[name], language),
                after=told(SETTINGS.get(name), after[name], language),
            )
            for name in event.data.values
            if name in after
        )
    return changes[: -_MOST_CHANGES - 1 : -1]


def ingest_address(request: Request, gateway: Gateway) -> str:
    """Where the PBX reaches Richiamo: behind a proxy with TLS its host, else the port of ingest."""
    host = request.url.hostname or "127.0.0.1"
    shown_host = f"[{host}]" if ":" in host else host
    if request.url.scheme == "https":
        return f"https://{shown_host}"
    return f"http://{shown_host}:{gateway.settings.ingest_port}"


def _render(
    request: Request,
    gateway: Gateway,
    user: User,
    typed: dict[str, str],
    *,
    shown: dict[str, str],
    wrong: dict[str, str],
    **context: Any,
) -> Response:
    return render(
        request,
        user,
        "settings/page.html",
        sections=SECTIONS,
        labels={name: setting.label for name, setting in SETTINGS.items()},
        typed=typed,
        shown=shown,
        wrong=wrong,
        changes=history(gateway, language_for(request, user)),
        ingest=ingest_address(request, gateway),
        **{"saved": None, **context},
    )
