"""Does the report of a day obey its definitions? Examples for reservations, withheld calls and the clock's changes."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from richiamo_reporting.frame import start_of
from richiamo_reporting.questions import Question, read
from tests.reporting.conftest import View
from tests.reporting.log import Log, instant
from tests.reporting.test_dashboard import a_monday

pytestmark = pytest.mark.servers


async def of(view: View, day: str, **asked: Any) -> dict[str, Any]:
    return await view.reports.day(read(Question, {"day": day, **asked}))


async def test_calls_count_withheld_ones_and_callers_do_not(view: View) -> None:
    await view.apply(a_monday().events)
    today = (await of(view, "2026-03-02"))["today"]
    assert (today["total_calls"], today["total_callers"]) == (5, 4)
    assert (today["handled_callers"], today["not_handled_callers"]) == (1, 3)
    assert (today["mean_bill_seconds"], today["mean_seconds_to_recall"]) == (5.2, 7807.0)


async def test_nothing_has_neither_mean_nor_share(view: View) -> None:
    answer = await of(view, "2026-03-02")
    assert answer["today"]["requests_to_handle_pct"] is None
    assert answer["today"]["mean_bill_seconds"] is None
    assert answer["backlog"]["unreserved_pct"] is None


async def test_a_reservation_counts_from_its_event_to_the_one_that_ends_it(view: View) -> None:
    log = Log(instant("2026-03-02 10:00:00"))
    log.missed("ada", "1.1", instant("2026-03-02 09:00:00"))
    log.wait(minutes=10)
    log.reserve("ada", "r1")
    log.wait(minutes=10)
    log.release("ada", "r1")
    await view.apply(log.events)

    async def free(as_of: str) -> int:
        found: int = (await of(view, "2026-03-02", as_of=as_of))["today"]["unreserved_to_handle"]
        return found

    assert await free("2026-03-02T10:05:00Z") == 1
    assert await free("2026-03-02T10:15:00Z") == 0
    assert await free("2026-03-02T10:25:00Z") == 1


async def test_the_backlog_s_calls_include_those_of_the_day(view: View) -> None:
    log = Log(instant("2026-03-02 10:00:00"))
    log.missed("ada", "1.1", instant("2026-03-02 09:00:00"))
    log.wait(days=1)
    log.missed("ada", "1.2", instant("2026-03-03 09:00:00"))
    await view.apply(log.events)
    backlog = (await of(view, "2026-03-03"))["backlog"]
    assert (backlog["calls"], backlog["requests"], backlog["callers"]) == (2, 1, 1)


async def test_an_undone_flush_is_as_if_never_made_and_still_seen_by_an_earlier_instant(view: View) -> None:
    log = Log(instant("2026-03-02 10:00:00"))
    log.missed("ada", "1.1", instant("2026-03-02 09:00:00"))
    log.wait(minutes=10)
    log.flush("ada", "f1", ["1.1"])
    log.wait(minutes=10)
    log.undo("ada", "f1")
    await view.apply(log.events)
    assert (await of(view, "2026-03-02", as_of="2026-03-02T10:15:00Z"))["today"]["requests_to_handle"] == 0
    assert (await of(view, "2026-03-02"))["today"]["requests_to_handle"] == 1


async def test_a_late_record_changes_the_past_and_not_what_was_said_then(view: View) -> None:
    log = Log(instant("2026-03-02 10:00:00"))
    log.missed("ada", "1.1", instant("2026-03-02 09:00:00"))
    log.wait(days=3)
    log.recall("ada", "2.1", instant("2026-03-02 09:30:00"), talk=20.0)
    await view.apply(log.events)
    assert (await of(view, "2026-03-02", as_of="2026-03-03T12:00:00Z"))["today"]["requests_recalled"] == 0
    assert (await of(view, "2026-03-02"))["today"]["requests_recalled"] == 1


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_site_day_is_23_24_or_25_hours_long(day: date, hours: int) -> None:
    rome = ZoneInfo("Europe/Rome")
    assert start_of(day + timedelta(days=1), rome) - start_of(day, rome) == timedelta(hours=hours)
