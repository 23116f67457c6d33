"""Is a settled day that changes marked, with when, by how much and because of which record?"""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from richiamo_events.settings import SiteSettings
from richiamo_reporting.frame import start_of
from richiamo_reporting.questions import Question, read
from richiamo_reporting.restated.changes import FIGURES
from tests.reporting.conftest import View
from tests.reporting.log import Log, instant
from tests.reporting.months import Month, months
from tests.reporting.test_figures import PATIENT

pytestmark = pytest.mark.servers

MONDAY = {"day": "2026-03-02"}


async def entries(view: View, **asked: Any) -> list[dict[str, Any]]:
    found = await view.reports.restated(read(Question, {**MONDAY, **asked}))
    return [entry for day in found for entry in day["entries"]]


def a_late_record(hours: float) -> Log:
    """Ada was lost on Monday; a recall of Monday noon is recorded so many hours after Monday's end (UTC+1)."""
    log = Log(instant("2026-03-02 10:00:00"))
    log.missed("ada", "1.1", instant("2026-03-02 08:00:00"))
    log.now = instant("2026-03-02 23:00:00") + timedelta(hours=hours)
    log.recall("ada", "2.1", instant("2026-03-02 11:00:00"), talk=30)
    return log


async def test_a_record_that_comes_within_two_hours_restates_nothing(view: View) -> None:
    await view.begin(SiteSettings())
    await view.apply(a_late_record(1.99).events)
    assert await entries(view) == []


async def test_a_later_one_says_when_by_how_much_and_which(view: View) -> None:
    await view.begin(SiteSettings())
    await view.apply(a_late_record(2).events)
    assert await entries(view) == [
        {
            "first_at": "2026-03-03T02:00:00+01:00",
            "last_at": "2026-03-03T02:00:00+01:00",
            "changes": 1,
            "kind": "caller.recall_succeeded",
            "record": "main:2.1",
            "by": {"recalled": 1, "unhandled": -1},
        }
    ]
    assert await entries(view, queue=["Assistenza"]) == []
    assert len(await entries(view, type=["queue"])) == 1
    assert await entries(view, type=["checktime"]) == []
    assert await entries(view, as_of="2026-03-03T00:59:59+00:00") == []


async def test_a_late_answer_that_closes_a_request_is_one_record(view: View) -> None:
    await view.begin(SiteSettings())
    log = a_late_record(5)
    log.events.pop()
    log.served("ada", "3.1", instant("2026-03-02 12:00:00"))
    await view.apply(log.events)
    [entry] = await entries(view)
    assert (entry["changes"], entry["by"]) == (1, {"answered_calls": 1, "served": 1, "unhandled": -1})
    [of_type] = await entries(view, type=["queue"])
    assert (of_type["changes"], of_type["by"]) == (1, {"served": 1, "unhandled": -1})


async def test_the_setting_in_force_decides(view: View) -> None:
    await view.begin(SiteSettings(settle_minutes=30))
    await view.apply(a_late_record(0.5).events)
    assert len(await entries(view)) == 1


async def test_an_import_of_history_is_one_entry_and_what_comes_later_another(view: View) -> None:
    await view.begin(SiteSettings())
    log = Log(instant("2026-03-20 10:00:00"))
    for n in range(40):
        log.missed(f"caller{n}", f"1.{n}", instant("2026-03-02 08:00:00") + timedelta(minutes=n))
        log.wait(seconds=50)
    log.wait(minutes=11)
    log.flush("caller1", "f1", ["1.1"])
    log.void("caller2", "1.2")
    for event in log.events:
        await view.apply([event])
        await view.restart()
    imported, correction = await entries(view)
    assert (imported["changes"], imported["by"]) == (40, {"missed_calls": 40, "total": 40, "unhandled": 40})
    assert (correction["record"], correction["by"]) == ("main:1.2", {"missed_calls": -1, "total": -1, "unhandled": -1})


async def test_a_batch_applied_twice_is_counted_once(view: View) -> None:
    await view.begin(SiteSettings())
    log = a_late_record(5)
    await view.apply(log.events)
    await view.apply(log.events)
    assert [entry["changes"] for entry in await entries(view)] == [1]


async def figures(view: View, question: Question) -> list[Counter[str]]:
    board = await view.reports.dashboard(question)
    queues = (await view.reports.code_caller(question))["queues"]
    found = []
    for nth, day in enumerate(board["days"]):
        counts: Counter[str] = Counter({name: day[name] for name in FIGURES if name in day})
        counts.update({f"backlog_{name}": by for name, by in board["backlog"][nth].items() if name != "day"})
        for queue in queues:
            counts.update({name: queue["days"][nth][name] for name in ("answered_calls", "missed_calls")})
        found.append(counts)
    return found


@PATIENT
@given(month=months())
async def test_the_entries_add_up_to_the_change_since_the_day_settled(view: View, month: Month) -> None:
    site = SiteSettings(timezone=month.zone.key)
    await view.begin(site)
    await view.apply(month.events)
    view.clock.set(month.now)
    for day in month.days:
        asked = {"day": day.isoformat()}
        settled = start_of(day + timedelta(days=1), month.zone) + timedelta(minutes=site.settle_minutes)
        as_of = (settled - timedelta(microseconds=1)).isoformat()
        then = (await figures(view, read(Question, {**asked, "as_of": as_of})))[0]
        now = (await figures(view, read(Question, asked)))[0]
        grown: Counter[str] = Counter()
        for entry in await entries(view, **asked):
            grown.update(entry["by"])
        assert {name: by for name, by in grown.items() if by} == {
            name: now[name] - then[name] for name in FIGURES if now[name] != then[name]
        }, day
