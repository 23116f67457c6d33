"""What does a widget show just now? Each report is asked once a page, however many widgets stand on it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, assert_never

from richiamo_events.figures import Words
from richiamo_gateway.auth.user import User
from richiamo_gateway.boards.board import Widget
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.dashboard.routes import ON_BACKLOG, OUTCOMES
from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_, Language
from richiamo_gateway.pages.widgets.gallery import PIECES, Piece
from richiamo_kit.further_languages import figure

_PATIENCE_SECONDS = 30.0

_ANSWERED = ("answered_calls", N_("Answered"), "served")
_MISSED = ("missed_calls", N_("Missed"), "unhandled")
_SETTLED = ("recalled", N_("Settled"), "recalled")
_NOT_YET = ("not_yet", N_("Not yet"), "unhandled")
_CALLS = ("missed_calls", N_("Missed calls"), "served")
Column = tuple[str, str, str]
"""The member of a row, its label, and the colour of its series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A widget ready for its template; exactly one of `value` and `rows` says something."""

    widget: Widget
    piece: Piece
    words: Words
    value: str = ""
    where: str = ""
    """The queue and days it is about, in words."""
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    chart: Mapping[str, Any] | None = None
    """What the script draws: labels, and series with name, colour and values; the rows are the same in words."""
    withheld: bool = False
    """Whether this person may not see it."""


def question(widget: Widget, piece: Piece, today: date) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Subject and payload; widgets with the same question share the answer."""
    start = today - timedelta(days=widget.days - 1)
    period = (("from", start.isoformat()), ("to", today.isoformat()))
    queue = (("queue", (widget.queue,)),) if widget.queue else ()
    match piece.source:
        case "summary":
            return "richiamo.queue.summary", ()
        case "day":
            return "richiamo.reporting.day", (("day", today.isoformat()),)
        case "historical":
            return "richiamo.reporting.historical", period
        case "dashboard" | "code_caller":
            return f"richiamo.reporting.{piece.source}", period + queue
        case _:
            assert_never(piece.source)


async def shown(
    gateway: Gateway,
    user: User,
    widgets: Iterable[Widget],
    language: Language,
    formats: Formats,
    *,
    as_of: str | None = None,
) -> list[Shown]:
    """Every widget with what its report says now, or said `as_of` an instant.

    A piece that is no more in the gallery is left out.
    """
    today = formats.now.astimezone(formats.zone).date()
    pieces = [(widget, PIECES[widget.what]) for widget in widgets if widget.what in PIECES]
    asked = {question(widget, piece, today) for widget, piece in pieces if user.may(piece.role)}

    async def answer(subject: str, payload: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in payload}
        return await gateway.ask(subject, user, timeout=_PATIENCE_SECONDS, **plain, as_of=as_of)

    order = sorted(asked, key=repr)
    answers = dict(zip(order, await asyncio.gather(*(answer(*one) for one in order)), strict=True))
    return [
        _shown(widget, piece, answers[question(widget, piece, today)], language, formats)
        if user.may(piece.role)
        else Shown(widget=widget, piece=piece, words=piece.words(language), withheld=True)
        for widget, piece in pieces
    ]


def _shown(widget: Widget, piece: Piece, answer: Mapping[str, Any], language: Language, formats: Formats) -> Shown:
    where = _where(widget, piece, language)
    if piece.kind == "figure":
        values = answer if piece.source == "summary" else answer[piece.part]
        value = _value(piece.name, values[piece.name], formats)
        return Shown(widget=widget, piece=piece, words=piece.words(language), value=value, where=where)
    first, columns, rows = _rows(piece, answer, language, formats)
    told = [[label, *(formats.count(row[name]) for name, _, _ in columns)] for label, row in rows]
    chart = None
    if piece.kind == "chart":
        chart = {
            "form": "donut" if piece.name == "donut" else "columns",
            "labels": [label for label, _ in rows],
            "series": [
                {"name": language(label), "colour": colour, "values": [row[name] for _, row in rows]}
                for name, label, colour in columns
            ],
        }
    heads = [first, *(language(label) for _, label, _ in columns)]
    return Shown(
        widget=widget, piece=piece, words=piece.words(language), where=where, heads=heads, rows=told, chart=chart
    )


def _rows(
    piece: Piece, answer: Mapping[str, Any], language: Language, formats: Formats
) -> tuple[str, Sequence[Column], list[tuple[str, Mapping[str, int]]]]:
    """The first head, the columns, and the rows with their labels."""
    columns: Sequence[Column]
    by_queue: list[tuple[str, Mapping[str, int]]]
    match piece.source, piece.name:
        case "dashboard", _:
            names = ON_BACKLOG if piece.part == "backlog" else OUTCOMES
            columns = [(name, figure(name, language.code).name, name) for name in names]
            return language(N_("Day")), columns, [(formats.short_day(day["day"]), day) for day in answer[piece.part]]
        case "historical", name:
            columns = [_CALLS] if name == "calls" else [_SETTLED, _NOT_YET]
            return language(N_("Day")), columns, [(formats.short_day(day["day"]), day) for day in answer["days"]]
        case _, "columns":
            days: dict[str, dict[str, int]] = {}
            for queue in answer["queues"]:
                for day in queue["days"]:
                    _add(days.setdefault(day["day"], {"answered_calls": 0, "missed_calls": 0}), day)
            return (
                language(N_("Day")),
                [_ANSWERED, _MISSED],
                [(formats.short_day(day), sums) for day, sums in days.items()],
            )
        case _:
            by_queue = [
                (queue["queue"] or language(N_("No queue")), _summed(queue["days"])) for queue in answer["queues"]
            ]
            if piece.name == "donut":
                by_queue = [(language(N_("Calls")), _summed([sums for _, sums in by_queue]))]
            return language(N_("Queue")), [_ANSWERED, _MISSED], by_queue


def _summed(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums = {"answered_calls": 0, "missed_calls": 0}
    for row in rows:
        _add(sums, row)
    return sums


def _add(sums: dict[str, int], row: Mapping[str, int]) -> None:
    for name in sums:
        sums[name] += row[name]


def _value(name: str, value: object, formats: Formats) -> str:
    if name.endswith("_pct"):
        return formats.share(value)
    return formats.duration(value) if "seconds" in name else formats.count(value)


def _where(widget: Widget, piece: Piece, language: Language) -> str:
    parts = []
    if piece.source == "day":
        parts.append(language(N_("backlog") if piece.part == "backlog" else N_("today")))
    if piece.has_period:
        parts.append(
            language(N_("today")) if widget.days == 1 else language(N_("last %(days)s days"), days=widget.days)
        )
    if piece.has_queue and widget.queue:
        parts.append(widget.queue)
    return " · ".join(parts)
