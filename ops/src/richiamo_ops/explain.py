"""Why is a request or a figure what it is? Asked of the log and the reports, told in any language of the site."""

import asyncio
from datetime import date, datetime
from typing import Any

from rich.console import Console

from richiamo_events import figures, subjects
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, CallId
from richiamo_events.settings import Rules
from richiamo_ingest import call_index
from richiamo_kit import database, further_languages
from richiamo_kit.errors import Problem
from richiamo_kit.settings import Settings
from richiamo_ops.asking import asking
from richiamo_ops.explaining.phrases import say
from richiamo_ops.explaining.request import Explainer
from richiamo_ops.site import Site, reached, settings_now

_REPORTS = ("dashboard", "day", "code-caller", "historical")


def explain(
    what: str,
    *,
    day: date | None = None,
    figure: str | None = None,
    queue: tuple[str, ...] = (),
    language: str = "en",
) -> int:
    """Tell which events and rules made a request, or a figure of a report, what it is.

    Example: richiamo explain main:1511212918.0 --language it

    Example: richiamo explain dashboard --day 2026-11-20 --figure unanswered

    Parameters
    ----------
    what
        A request, by its id or that of any of its calls; or dashboard, day, code-caller or historical.
    day
        The day of a report's figure.
    figure
        The figure: unanswered, total, backlog_recalled, ...
    queue
        Only these queues.
    language
        it, en, or one whose file is in RICHIAMO_LANGUAGES_DIR.
    """
    languages = ("it", "en", *further_languages.add(Settings().languages_dir))
    if language not in languages:
        raise Problem(400, "no-such-language", f"There is no language {language}; there are: {', '.join(languages)}.")
    if what in _REPORTS:
        if day is None or figure is None:
            raise Problem(400, "which-figure", "Say which figure: --day 2026-11-20 --figure unanswered.")
        return asyncio.run(_figure(what, day, figure, queue, language))
    return asyncio.run(_request(what, language))


async def _request(text: str, language: str) -> int:
    call = CallId.parse(text if ":" in text else f"main:{text}")
    console = Console(highlight=False, soft_wrap=True)
    async with reached("explain") as site:
        caller = await _caller_of(site, call)
        zone = (await settings_now(site)).zone
        changes = [
            event
            for subject in (subjects.SETTINGS, subjects.OPERATORS)
            async for event in site.store.read(subject=subject)
        ]
        explainer = Explainer(Rules.initial(site.defaults), sorted(changes, key=lambda one: one.position), language)
        steps, state = explainer.steps(caller, await _events_of(site, caller))
        for step in steps:
            at = step.at.astimezone(zone)
            console.print(f"{at:%d/%m/%Y %H:%M:%S}  {step.what}", markup=False)
            for word in step.therefore:
                console.print(f"                     -> {word}", markup=False)
            recorded = step.recorded_at.astimezone(zone)
            if (recorded - at).total_seconds() >= _LATE:
                late = say("recorded", language, at=f"{recorded:%d/%m/%Y %H:%M:%S}")
                console.print(f"                     ({late})", markup=False)
        console.print(explainer.conclusion(state, call), markup=False)
    return 0


_LATE = 60
"""Seconds after which it is said that an event came late."""


async def _events_of(site: Site, caller: CallerId) -> list[Recorded]:
    events = [event async for event in site.store.read(subject=subjects.caller(caller))]
    shared = site.store.read(subject=subjects.elsewhere(caller))
    return events + [event async for event in shared if getattr(event.data, "caller", None) == caller]


async def _caller_of(site: Site, call: CallId) -> CallerId:
    """Whose call it is, by the index of calls."""
    async with await database.connect(site.database_url, application="richiamo-explain") as connection:
        found = await connection.execute(
            f"SELECT caller_id FROM {call_index.SCHEMA}.calls_v1 WHERE pbx = %s AND unique_id = %s",  # noqa: S608
            (call.pbx, call.unique_id),
        )
        row = await found.fetchone()
    if row is None:
        raise Problem(404, "no-such-request", f"The log holds no call {call}.")
    if row[0] is None:
        raise Problem(404, "withheld", f"Call {call} withheld its number: it is counted and belongs to no request.")
    return CallerId(row[0])


async def _figure(report: str, day: date, figure: str, queues: tuple[str, ...], language: str) -> int:
    console = Console(highlight=False, soft_wrap=True)
    section = "backlog" if figure.startswith("backlog") else report
    name = figure.removeprefix("backlog_").removeprefix("backlog.")
    if not figures.known(name, section):
        raise Problem(404, "no-such-figure", f"The report {report} has no figure {figure}.")
    words = further_languages.figure(name, language, section)
    asked: dict[str, Any] = {"report": report, "figure": figure, "queue": list(queues), "limit": 1000}
    asked |= {"day": day.isoformat()} if report == "day" else {"from": day.isoformat(), "to": day.isoformat()}
    async with reached("explain") as site, asking(site) as ask:
        answer = await ask("richiamo.reporting.requests", asked)
    console.print(
        say("figure", language, name=words.name, day=f"{day:%d/%m/%Y}", definition=words.definition), markup=False
    )
    console.print(say("behind", language, count=answer["total"]), markup=False)
    for item in answer["items"]:
        console.print(f"- {_behind(item, language)}", markup=False)
    if answer["items"]:
        console.print(say("ask_more", language))
    return 0


def _behind(item: dict[str, Any], language: str) -> str:
    values = {
        "request": item["request_id"],
        "queue": item["queue"] or say("no_queue", language),
        "opened": _shown(item["first_call"]),
        "tried": item["recalled"],
        "outcome": say(f"how_{item['closed_by'] or item['outcome']}", language),
    }
    if item["closed_at"] is None:
        return say("behind_open", language, **values)
    return say("behind_closed", language, closed=_shown(item["closed_at"]), **values)


def _shown(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%d/%m/%Y %H:%M:%S")
