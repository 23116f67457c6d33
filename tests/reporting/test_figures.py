"""Is every figure equal to its definition, to the last digit? Generated months against the naive reading."""

import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from richiamo_events.settings import SiteSettings
from richiamo_reporting.questions import BehindQuestion, Question, read
from tests.reporting.conftest import View
from tests.reporting.months import Month, months
from tests.reporting.naive import World

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PATIENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def asked(month: Month, as_of: datetime | None, **more: Any) -> dict[str, Any]:
    span = {"from": month.days[0].isoformat(), "to": month.days[-1].isoformat()}
    return {**span, **({} if as_of is None else {"as_of": as_of.isoformat()}), **more}


def only(rows: list[dict[str, Any]], names: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows]


@PATIENT
@given(month=months(), queues=st.sampled_from([None, None, ["Vendite"], ["Vendite", "Assistenza"]]))
async def test_every_figure_is_its_definition(view: View, month: Month, queues: list[str] | None) -> None:
    await view.begin(SiteSettings(timezone=month.zone.key))
    await view.apply(month.events)
    view.clock.set(month.now)
    for as_of in [None, *month.instants]:
        world = World(month.events, as_of, month.zone, queues)
        question = read(Question, asked(month, as_of, queue=queues))
        assert await view.reports.dashboard(question) == world.dashboard(month.days)
        for day, figures in await view.reports.days(question):
            assert figures == world.day(day), day
        queue_days = await view.reports.code_caller(question)
        expected = world.code_caller(month.days)["queues"]
        busy = [each for each in queue_days["queues"] if each["queue"] in {one["queue"] for one in expected}]
        assert busy == expected
        storico = world.historical(month.days)["days"]
        found = (await view.reports.historical(question))["days"]
        assert only(found, storico[0]) == storico
        assert all(row["recalled"] == row["called_back"] + row["served"] + row["closed"] for row in found)
        assert (await view.reports.check(question))["breaches"] == []


COUNTED = {
    "day": (
        "total_requests",
        "requests_recalled",
        "requests_to_handle",
        "unreserved_to_handle",
        "backlog.requests",
        "backlog.recalled_today",
        "backlog.unreserved",
    ),
    "callers": ("not_handled_callers", "handled_callers", "callers_not_contacted", "total_callers"),
}


@PATIENT
@given(month=months())
async def test_as_many_requests_are_behind_a_figure_as_it_says(view: View, month: Month) -> None:
    await view.begin(SiteSettings(timezone=month.zone.key))
    await view.apply(month.events)
    view.clock.set(month.now)
    as_of = month.instants[0]
    day = month.days[1]
    world = World(month.events, as_of, month.zone)

    async def behind(report: str, figure: str, **more: Any) -> list[dict[str, Any]]:
        payload = {"report": report, "figure": figure, "day": day.isoformat(), "as_of": as_of.isoformat(), **more}
        found = await view.reports.requests(read(BehindQuestion, payload))
        items: list[dict[str, Any]] = found["items"]
        assert len(items) == found["total"]
        return items

    figures = world.day(day)
    for figure in COUNTED["day"]:
        part, name = figure.split(".") if "." in figure else ("today", figure)
        assert len(await behind("day", figure)) == figures[part][name], figure
    for figure in COUNTED["callers"]:
        callers = {item["caller_id"] for item in await behind("day", figure)}
        assert len(callers) == figures["today"][figure], figure
    board = world.dashboard([day])
    for part, prefix in (("days", ""), ("backlog", "backlog.")):
        for figure, count in board[part][0].items():
            if figure != "day":
                assert len(await behind("dashboard", prefix + figure)) == count, (part, figure)
    for queue in world.code_caller([day])["queues"]:
        for figure in ("numbers_not_answered", "recalled_reached", "recalled_not_reached", "not_recalled"):
            items = await behind("code-caller", figure, queue=queue["queue"])
            if queue["queue"]:
                assert len(items) == queue["days"][0][figure], (queue["queue"], figure)
    for figure in ("callers", "recalled", "not_yet"):
        callers = {item["caller_id"] for item in await behind("historical", figure)}
        assert len(callers) == world.historical([day])["days"][0][figure], figure


@PATIENT
@given(month=months(), seed=st.integers(min_value=0, max_value=2**16))
async def test_batches_of_any_size_applied_twice_leave_what_one_batch_leaves(
    view: View, month: Month, seed: int
) -> None:
    await view.begin()
    await view.apply(month.events)
    at_once = await view.rows()

    await view.begin()
    dice = random.Random(seed)
    rest = list(month.events)
    while rest:
        size = dice.randint(1, 4)
        batch, rest = rest[:size], rest[size:]
        await view.apply(batch)
        await view.apply(batch)
        if dice.random() < 0.3:
            await view.restart()
    assert await view.rows() == at_once
