"""What are the pages made of? Four pages of components; nothing on them does anything."""

import re
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.boards.board import Widget
from richiamo_gateway.looks.look import Look, View
from richiamo_gateway.pages.caller_list.filters import COUNTS, DAYS, read_filters
from richiamo_gateway.pages.dashboard.routes import OUTCOMES
from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_, Language
from richiamo_gateway.pages.list_look.shown import look_shown
from richiamo_gateway.pages.missed_calls.history import OUTCOMES as REASONS
from richiamo_gateway.pages.missed_calls.history import told
from richiamo_gateway.pages.periods import read_period
from richiamo_gateway.pages.rendering import PAGES, formats_for, language_for, render
from richiamo_gateway.pages.style_guide import samples
from richiamo_gateway.pages.widgets.content import Shown
from richiamo_gateway.pages.widgets.gallery import PIECES

router = APIRouter()

PATH = "/style-guide"
PARTS = {"basics": N_("Basics"), "lists": N_("Lists"), "figures": N_("Figures"), "widgets": N_("Widgets")}
_COLOURS = ("bg", "surface", "line", "edge", "text", "muted", "accent", "ok", "soon", "off", "bad", *OUTCOMES)
_WIDGETS = ("summary.now.requests", "day.today.mean_bill_seconds")


@router.get(PATH)
async def first(request: Request, gateway: GatewayOf, user: CurrentUser) -> Response:
    """The basics: colours, signs, buttons, fields, messages."""
    return await page(request, gateway, user, "basics")


@router.get(f"{PATH}/{{part}}")
async def page(
    request: Request, gateway: GatewayOf, user: CurrentUser, part: Literal["basics", "lists", "figures", "widgets"]
) -> Response:
    """A part of the guide, in the language of whoever reads it."""
    language = language_for(request, user)
    formats = formats_for(request, language)
    at = samples.Instant(gateway.clock.now().astimezone(gateway.site.settings.zone))
    contents: dict[str, Any] = {
        "basics": _basics,
        "lists": _lists,
        "figures": _figures,
        "widgets": _widgets,
    }[part](request, at, language, formats)
    return render(request, user, f"style_guide/{part}.html", part=part, parts=PARTS, base=PATH, **contents)


def _basics(_request: Request, at: samples.Instant, language: Language, _formats: Formats) -> dict[str, Any]:
    sprite = (PAGES / "layout" / "sprite.html").read_text(encoding="utf-8")
    return {
        "colours": _COLOURS,
        "icons": re.findall(r'<symbol id="i-([a-z]+)"', sprite),
        "wrong": {"wrong_line": language(N_("Write a name of at most 100 characters."))},
        "choices": {"a": "Anna Bianchi", "b": "Bruno Verdi"},
        "sessions": samples.sessions(at),
        "tokens": samples.tokens(at),
        "issued": {"name": "CRM", "token": "rct_" + "x" * 43, "sample": "yes"},
        "note": {
            "version": "1",
            "text": "<b>Chiede di Marta</b>",
            "by": "anna",
            "by_name": "Anna",
            "at": at.ago(hours=1),
        },
        "entries": [told(item, language, "anna") for item in samples.timeline(at)],
    }


def _lists(request: Request, at: samples.Instant, language: Language, formats: Formats) -> dict[str, Any]:
    filters = read_filters("/flush", request.query_params)
    example = read_filters(
        "/flush", type(request.query_params)("recalled_min=2&last_call_from=2026-01-31&sort=-calls&after=x&page=3")
    )
    look = Look().naming("/flush", View(language(N_("Called often")), "sort=-calls&hide=none")).dense("compact")
    return {
        "filters": filters,
        "example": example,
        "chips": example.chips(formats),
        "counts": COUNTS,
        "days": DAYS,
        "look": look_shown(look, "/flush", request.query_params),
        "requests": samples.requests(at),
        "cards": samples.cards(at),
        "calling": {**samples.cards(at)[1], "calling_since": at.ago(minutes=2), "link": f"{PATH}/lists"},
        "customers": samples.customers(at),
        "reasons": REASONS,
    }


def _figures(request: Request, at: samples.Instant, _language: Language, formats: Formats) -> dict[str, Any]:
    today = at.now.date()
    days = samples.days(today)
    period = read_period(f"{PATH}/figures", type(request.query_params)("from=2026-01-01&queue=Vendite"), today)
    totals = {name: sum(day[name] for day in days) for name in ("total", *OUTCOMES)}
    return {
        "period": period,
        "chips": period.chips(formats),
        "today": today,
        "figure_days": days,
        "totals": totals,
        "before": {**totals, "recalled": 0, "served": totals["served"] + 7},
        "outcomes": OUTCOMES,
        "restated": samples.restated(at, days[0]["day"]),
    }


def _widgets(_request: Request, at: samples.Instant, language: Language, formats: Formats) -> dict[str, Any]:
    days = samples.days(at.now.date())
    labels = [formats.short_day(day["day"]) for day in days]
    series = [
        {"name": language(label), "colour": name, "values": [day[name] for day in days]}
        for name, label in (("recalled", N_("Settled")), ("unhandled", N_("Not yet")))
    ]
    rows = [[label, *(formats.count(one["values"][nth]) for one in series)] for nth, label in enumerate(labels)]
    heads = [language(N_("Day")), *(one["name"] for one in series)]
    chart, donut = _piece("chart", "historical"), _piece("chart", "code_caller")
    table = _piece("table", "dashboard")

    def shown(what: str, **more: Any) -> Shown:
        piece = PIECES[what]
        return Shown(
            widget=Widget(id=f"sample-{what}", what=what, size="S"), piece=piece, words=piece.words(language), **more
        )

    whole = [{**one, "values": [sum(one["values"])]} for one in series]
    return {
        "widgets": [
            shown(_WIDGETS[0], value="37"),
            shown(_WIDGETS[1], value=formats.duration(185)),
            shown(table, heads=heads, rows=rows),
            shown(chart, heads=heads, rows=rows, chart={"form": "columns", "labels": labels, "series": series}),
            shown(donut, heads=heads, rows=rows[:1], chart={"form": "donut", "labels": labels[:1], "series": whole}),
            shown(table, withheld=True),
            shown(table, heads=heads, where=formats.short_day(at.now.date())),
        ]
    }


def _piece(kind: str, source: str) -> str:
    return next(what for what, piece in PIECES.items() if piece.kind == kind and piece.source == source)
