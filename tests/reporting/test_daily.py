"""Do the sums of the days say what the facts say, for any choice of queues, through a move of the site to another zone?"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from richiamo_events import subjects
from richiamo_events.envelope import Recorded
from richiamo_events.language import SettingsChanged
from richiamo_events.settings import SiteSettings
from richiamo_reporting.code_caller.query import code_caller
from richiamo_reporting.daily.cells import SUMS
from richiamo_reporting.daily.query import Part, parts
from richiamo_reporting.dashboard.query import dashboard
from richiamo_reporting.frame import snapshot
from richiamo_reporting.historical.query import historical
from richiamo_reporting.questions import Question, read
from tests.reporting.conftest import View
from tests.reporting.log import instant
from tests.reporting.months import QUEUES, ZONES, Month, months
from tests.reporting.naive import World
from tests.reporting.test_dashboard import a_monday
from tests.reporting.test_figures import PATIENT, asked, only

pytestmark = pytest.mark.servers

FEWER = settings(PATIENT, max_examples=30)


async def of_the_facts(view: View, question: Question) -> tuple[Any, Any, Any]:
    frame, _ = await view.reports.framed(question)
    async with snapshot(view.pool, view.schema) as seen:
        assert [part.summed for part in await parts(seen, frame)] == [True]
        facts = [Part(frame, summed=False)]
        return await dashboard(seen, facts), await code_caller(seen, facts), await historical(seen, facts)


async def of_the_sums(view: View, question: Question) -> tuple[Any, Any, Any]:
    reports = view.reports
    return await reports.dashboard(question), await reports.code_caller(question), await reports.historical(question)


@FEWER
@given(
    month=months(),
    chosen=st.lists(st.sampled_from(QUEUES), unique=True),
    allowed=st.lists(st.sampled_from(QUEUES), unique=True),
    types=st.sampled_from([None, ["queue"], ["queue", "checktime"]]),
)
async def test_any_choice_of_queues_and_types_gives_the_same_from_both(
    view: View, month: Month, chosen: list[str], allowed: list[str], types: list[str] | None
) -> None:
    await view.begin(SiteSettings(timezone=month.zone.key))
    await view.apply(month.events)
    question = read(Question, asked(month, None, queue=chosen, type=types, user={"queues": allowed}))
    assert await of_the_sums(view, question) == await of_the_facts(view, question)


def moving(month: Month, nth: int) -> list[Recorded]:
    """The month's log with a move of the site to its zone before the n-th event."""
    nth = min(nth, len(month.events) - 1)
    move = replace(
        month.events[nth],
        id="moved",
        subject=subjects.SETTINGS,
        data=SettingsChanged(values={"timezone": month.zone.key}),
    )
    events = [*month.events[:nth], move, *month.events[nth:]]
    return [replace(event, position=position) for position, event in enumerate(events, start=1)]


async def in_batches(view: View, events: Sequence[Recorded], seed: int) -> None:
    dice = random.Random(seed)
    rest = list(events)
    while rest:
        size = dice.randint(1, 6)
        await view.apply(rest[:size])
        await view.apply(rest[:size])
        rest = rest[size:]


@FEWER
@given(
    month=months(),
    before=st.sampled_from(ZONES),
    nth=st.integers(min_value=0, max_value=30),
    seed=st.integers(0, 2**16),
)
async def test_a_site_that_moves_to_another_zone_has_all_its_days_there(
    view: View, month: Month, before: str, nth: int, seed: int
) -> None:
    events = moving(month, nth)
    await view.begin(SiteSettings(timezone=before))
    await view.apply(events)
    at_once = await view.rows()
    world = World(events, None, month.zone)
    question = read(Question, asked(month, None))
    assert await of_the_sums(view, question) == await of_the_facts(view, question)
    assert await view.reports.dashboard(question) == world.dashboard(month.days)
    storico = world.historical(month.days)["days"]
    assert only((await view.reports.historical(question))["days"], storico[0]) == storico
    await view.begin(SiteSettings(timezone=before))
    await in_batches(view, events, seed)
    assert await view.rows() == at_once


async def test_a_site_started_with_another_zone_counts_anew(view: View) -> None:
    await view.begin(SiteSettings(timezone="Asia/Kolkata"))
    await view.apply(a_monday().events)
    there = await view.rows()
    sums = [sums.name for sums in SUMS]
    await view.begin(SiteSettings(timezone="Europe/Rome"))
    await view.apply(a_monday().events)
    view.projection = type(view.projection)(SiteSettings(timezone="Asia/Kolkata"), view.schema)
    await view.restart()
    rows = await view.rows()
    assert {name: rows[name] for name in sums} == {name: there[name] for name in sums}


@FEWER
@given(
    month=months(),
    before=st.sampled_from([None, *ZONES]),
    nth=st.integers(min_value=0, max_value=30),
    chosen=st.sampled_from([None, ["Vendite"], ["Vendite", "Assistenza"]]),
)
async def test_a_question_about_then_gets_the_same_from_both(
    view: View, month: Month, before: str | None, nth: int, chosen: list[str] | None
) -> None:
    """Every day that the sums answer, whichever it stands beside; also for a site that `before` was elsewhere."""
    await view.begin(SiteSettings(timezone=before or month.zone.key))
    await view.apply(moving(month, nth) if before else month.events)
    for as_of in [*month.instants, *(event.recorded_at for event in month.events[-3:])]:
        frame, _ = await view.reports.framed(read(Question, asked(month, as_of, queue=chosen)))
        async with snapshot(view.pool, view.schema) as seen:
            split, facts = await parts(seen, frame, near=0), [Part(frame, summed=False)]
            assert await dashboard(seen, split) == await dashboard(seen, facts)
            assert await code_caller(seen, split) == await code_caller(seen, facts)
            assert await historical(seen, split) == await historical(seen, facts)


async def cut(view: View, as_of: str) -> list[tuple[str, str, bool]]:
    asked = {"from": "2026-02-01", "to": "2026-03-02", "as_of": instant(as_of).isoformat()}
    frame, _ = await view.reports.framed(read(Question, asked))
    async with snapshot(view.pool, view.schema) as seen:
        found = await parts(seen, frame)
    return [(str(one.frame.period.first), str(one.frame.period.last), one.summed) for one in found]


async def test_only_days_that_changed_since_then_are_read_from_the_facts(view: View) -> None:
    await view.apply(a_monday().events)
    assert await cut(view, "2026-03-02 12:00:00") == [
        ("2026-02-01", "2026-02-26", True),
        ("2026-02-27", "2026-03-02", False),
    ]
    assert await cut(view, "2026-03-09 12:00:00") == [("2026-02-01", "2026-03-02", True)]
