"""Are past days right to the digit when they are imported from call records, shuffled and doubled?

Expectations were worked out by hand from `reports.md`; the days are those of no other journey.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.journeys import edge as pbx
from tests.journeys.edge import ROME, Edge, Record
from tests.journeys.people import Person
from tests.journeys.waiting import eventually

MONDAY, TUESDAY, WEDNESDAY = "2026-03-02", "2026-03-03", "2026-03-04"
QUEUE = "Storia"
PERIOD: dict[str, Any] = {"from": MONDAY, "to": WEDNESDAY, "queue": QUEUE}


def at(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}:00").replace(tzinfo=ROME).astimezone(UTC)


def records() -> list[Record]:
    a, b, c, e, f, g = (pbx.new_number() for _ in range(6))
    return [
        # A is lost twice, tried once, reached the day after.
        pbx.lost(a, QUEUE, at(MONDAY, "10:00")),
        pbx.lost(f"0039{a}", QUEUE, at(MONDAY, "10:30")),
        pbx.recall(a, at(MONDAY, "11:00"), talk=None, ring=20),
        pbx.recall(a, at(TUESDAY, "09:00"), talk=60.0, ring=10),
        # B rings again and is answered.
        pbx.lost(b, QUEUE, at(MONDAY, "10:10")),
        pbx.served(f"+39{b}", QUEUE, at(MONDAY, "10:40")),
        # C is rung back.
        pbx.lost(c, QUEUE, at(MONDAY, "11:00")),
        pbx.recall(c, at(MONDAY, "11:30"), talk=125.0, ring=10),
        # Somebody without a number.
        pbx.lost("anonymous", QUEUE, at(MONDAY, "12:00")),
        # E is tried on Wednesday only.
        pbx.lost(e, QUEUE, at(MONDAY, "15:00")),
        pbx.recall(e, at(WEDNESDAY, "10:00"), talk=None, ring=20),
        # F talks too shortly, and is lost again.
        pbx.lost(f, QUEUE, at(TUESDAY, "10:00")),
        pbx.recall(f, at(TUESDAY, "10:20"), talk=5.0, ring=10),
        pbx.lost(f, QUEUE, at(WEDNESDAY, "09:00")),
        # G is never tried.
        pbx.lost(g, QUEUE, at(WEDNESDAY, "18:00")),
    ]


@pytest.fixture(scope="module")
def before(edge: Edge, sara: Person) -> str:
    """Import everything in disorder and in two halves that overlap; gives an instant before it."""
    instant = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    shuffled = records()
    Random(5).shuffle(shuffled)
    first = edge.records(*shuffled[:9])
    assert (first["accepted"], first["duplicates"], first["refused"]) == (9, 0, [])
    second = edge.records(*shuffled[5:])
    assert second["refused"] == []
    assert second["accepted"] + second["duplicates"] == 10
    eventually(lambda: sara.report("dashboard", **PERIOD)["totals"] == _outcomes(6, 1, 2, 0, 2, 1))
    return instant


def _outcomes(*counts: int) -> dict[str, int]:
    names = ("total", "served", "recalled", "flushed", "unanswered", "unhandled")
    return dict(zip(names, counts, strict=True))


@pytest.mark.usefixtures("before")
class TestHistory:
    def test_dashboard(self, sara: Person) -> None:
        told = sara.report("dashboard", **PERIOD)
        assert told["totals"] == _outcomes(6, 1, 2, 0, 2, 1)
        assert told["days"] == [
            {"day": MONDAY} | _outcomes(4, 1, 1, 0, 1, 1),
            {"day": TUESDAY} | _outcomes(1, 0, 0, 0, 1, 0),
            {"day": WEDNESDAY} | _outcomes(1, 0, 0, 0, 0, 1),
        ]
        assert told["backlog"] == [
            {"day": MONDAY, "served": 0, "recalled": 0, "flushed": 0, "unanswered": 0},
            {"day": TUESDAY, "served": 0, "recalled": 1, "flushed": 0, "unanswered": 0},
            {"day": WEDNESDAY, "served": 0, "recalled": 0, "flushed": 0, "unanswered": 1},
        ]

    def test_the_report_of_monday(self, sara: Person) -> None:
        told = sara.report("day", day=MONDAY)
        assert told["today"] == {
            "total_calls": 6,
            "total_callers": 4,
            "handled_callers": 2,
            "not_handled_callers": 2,
            "total_requests": 4,
            "requests_recalled": 1,
            "mean_bill_seconds": 125.0,
            "mean_seconds_to_recall": 1810.0,
            "requests_to_handle": 2,
            "requests_to_handle_pct": 0.5,
            "unreserved_to_handle": 2,
            "unreserved_to_handle_pct": 0.5,
            "callers_not_contacted": 1,
        }
        assert told["backlog"] == {
            "calls": 0,
            "requests": 0,
            "callers": 0,
            "recalled_today": 0,
            "unreserved": 0,
            "unreserved_pct": None,
        }

    def test_the_report_of_tuesday_counts_what_was_left_of_monday(self, sara: Person) -> None:
        told = sara.report("day", day=TUESDAY)
        today = told["today"]
        assert (today["total_calls"], today["requests_recalled"]) == (1, 1)
        assert (today["mean_bill_seconds"], today["mean_seconds_to_recall"]) == (60.0, 82810.0)
        assert (today["requests_to_handle"], today["callers_not_contacted"]) == (1, 0)
        assert told["backlog"] == {
            "calls": 1,
            "requests": 1,
            "callers": 1,
            "recalled_today": 1,
            "unreserved": 1,
            "unreserved_pct": 1.0,
        }

    def test_the_report_of_wednesday(self, sara: Person) -> None:
        told = sara.report("day", day=WEDNESDAY)
        today = told["today"]
        assert (today["total_calls"], today["total_callers"], today["total_requests"]) == (2, 2, 1)
        assert (today["handled_callers"], today["not_handled_callers"]) == (0, 2)
        assert (today["mean_bill_seconds"], today["mean_seconds_to_recall"]) == (None, None)
        assert (today["requests_to_handle"], today["callers_not_contacted"]) == (1, 1)
        assert told["backlog"] == {
            "calls": 3,
            "requests": 2,
            "callers": 2,
            "recalled_today": 0,
            "unreserved": 2,
            "unreserved_pct": 1.0,
        }

    def test_code_caller(self, sara: Person) -> None:
        told = sara.report("code-caller", **PERIOD)["queues"]
        assert [one["queue"] for one in told] == [QUEUE]
        assert told[0]["days"] == [_code(MONDAY, 1, 6, 4, 1, 3, 2, 1, 0), *_later_days()]

    def test_historical(self, sara: Person) -> None:
        period = {"from": MONDAY, "to": WEDNESDAY}
        days = sara.report("historical", **period)["days"]
        names = ("day", "callers", "recalled", "not_yet", "missed_calls")
        assert [{name: line[name] for name in names} for line in days] == [
            {"day": MONDAY, "callers": 4, "recalled": 3, "not_yet": 1, "missed_calls": 6},
            {"day": TUESDAY, "callers": 1, "recalled": 0, "not_yet": 1, "missed_calls": 1},
            {"day": WEDNESDAY, "callers": 2, "recalled": 0, "not_yet": 2, "missed_calls": 2},
        ]
        kept = sara.report("historical", **period, min_callers=2, max_callers=3)["days"]
        assert [line["day"] for line in kept] == [WEDNESDAY]

    def test_the_requests_behind_a_figure(self, sara: Person) -> None:
        behind = sara.report("dashboard/requests", figure="recalled", day=MONDAY, queue=QUEUE)["items"]
        assert [(item["outcome"], item["queue"]) for item in behind] == [("recalled", QUEUE)]
        assert datetime.fromisoformat(behind[0]["closed_at"]) == at(MONDAY, "11:30") + timedelta(seconds=10)

    def test_before_the_import_nothing_was_known(self, sara: Person, before: str) -> None:
        told = sara.report("dashboard", **PERIOD, as_of=before)
        assert told["totals"] == _outcomes(0, 0, 0, 0, 0, 0)
        assert [line["day"] for line in told["days"]] == [MONDAY, TUESDAY, WEDNESDAY]
        assert sara.report("day", day=MONDAY, as_of=before)["today"]["mean_bill_seconds"] is None

    def test_the_workbook_is_one(self, sara: Person) -> None:
        answer = sara.api.get("/reports/dashboard.xlsx", params=PERIOD)
        assert answer.status_code == 200
        assert answer.content.startswith(b"PK")


def _code(day: str, *counts: int) -> dict[str, Any]:
    names = (
        "answered_calls",
        "missed_calls",
        "numbers",
        "numbers_answered",
        "numbers_not_answered",
        "recalled_reached",
        "recalled_not_reached",
        "not_recalled",
    )
    return {"day": day} | dict(zip(names, counts, strict=True))


def _later_days() -> list[dict[str, Any]]:
    return [_code(TUESDAY, 0, 1, 1, 0, 1, 0, 1, 0), _code(WEDNESDAY, 0, 2, 2, 0, 2, 0, 1, 1)]
