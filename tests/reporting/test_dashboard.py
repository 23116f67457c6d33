"""Does the Dashboard say what became of the requests? Examples, one a definition."""

from typing import Any

import pytest

from richiamo_kit.errors import Problem
from richiamo_reporting.questions import BehindQuestion, Question, read
from tests.reporting.conftest import View
from tests.reporting.log import Log, instant

pytestmark = pytest.mark.servers


async def dashboard(view: View, **asked: Any) -> dict[str, Any]:
    return await view.reports.dashboard(read(Question, asked))


def a_monday() -> Log:
    """A recalled request, one tried in vain, one nobody tried, one served the day after; a withheld call."""
    log = Log(instant("2026-03-02 10:00:00"))
    log.missed("ada", "1.1", instant("2026-03-02 08:00:00"))
    log.missed("ben", "1.2", instant("2026-03-02 08:10:00"))
    log.missed("cleo", "1.3", instant("2026-03-02 08:20:00"), queue="Assistenza")
    log.missed("dan", "1.4", instant("2026-03-02 08:30:00"))
    log.missed(None, "1.5", instant("2026-03-02 08:40:00"))
    log.wait(hours=1)
    log.recall("ada", "2.1", instant("2026-03-02 10:10:00"), talk=5.2)
    log.recall("ben", "2.2", instant("2026-03-02 10:20:00"), talk=5.0)
    log.wait(days=1)
    log.served("dan", "3.1", instant("2026-03-03 09:00:00"))
    return log


class TestOutcomes:
    async def test_each_request_has_exactly_one(self, view: View) -> None:
        await view.apply(a_monday().events)
        answer = await dashboard(view, **{"from": "2026-03-02", "to": "2026-03-03"})
        assert answer["totals"] == {
            "total": 4,
            "served": 1,
            "recalled": 1,
            "flushed": 0,
            "unanswered": 1,
            "unhandled": 1,
        }

    async def test_a_day_is_judged_at_its_end_and_the_next_finds_the_backlog(self, view: View) -> None:
        await view.apply(a_monday().events)
        answer = await dashboard(view, **{"from": "2026-03-01", "to": "2026-03-03"})
        assert [day["day"] for day in answer["days"]] == ["2026-03-01", "2026-03-02", "2026-03-03"]
        assert [day["total"] for day in answer["days"]] == [0, 4, 0]
        assert (answer["days"][1]["served"], answer["days"][1]["unhandled"]) == (0, 2)
        assert answer["backlog"][2] == {
            "day": "2026-03-03",
            "served": 1,
            "recalled": 0,
            "flushed": 0,
            "unanswered": 0,
        }

    async def test_filters_by_queue_and_type_and_the_user_s_queues(self, view: View) -> None:
        await view.apply(a_monday().events)
        span = {"from": "2026-03-02", "to": "2026-03-02"}
        assert (await dashboard(view, **span, queue=["Assistenza"]))["totals"]["total"] == 1
        assert (await dashboard(view, **span, queue=["Assistenza", "Vendite"]))["totals"]["total"] == 4
        assert (await dashboard(view, **span, type="checktime"))["totals"]["total"] == 0
        limited = {"username": "eva", "queues": ["Vendite"]}
        assert (await dashboard(view, **span, user=limited))["totals"]["total"] == 3
        assert (await dashboard(view, **span, user=limited, queue=["Assistenza"]))["totals"]["total"] == 0

    async def test_as_of_sees_only_what_had_been_recorded_and_had_happened_before(self, view: View) -> None:
        await view.apply(a_monday().events)
        span = {"from": "2026-03-02", "to": "2026-03-02"}
        before = await dashboard(view, **span, as_of="2026-03-02T10:30:00+00:00")
        assert (before["totals"]["recalled"], before["totals"]["unhandled"]) == (0, 4)
        after = await dashboard(view, **span, as_of="2026-03-02T11:00:00+00:00")
        assert (after["totals"]["recalled"], after["totals"]["unanswered"]) == (1, 1)

    async def test_a_wrong_range_is_refused_in_words(self, view: View) -> None:
        with pytest.raises(Problem, match="422"):
            await dashboard(view, **{"from": "2026-03-03", "to": "2026-03-02"})


class TestRequestsBehind:
    async def test_every_figure_of_the_dashboard_lists_as_many(self, view: View) -> None:
        log = a_monday()
        await view.apply(log.events)
        answer = await dashboard(view, **{"from": "2026-03-01", "to": "2026-03-03"})
        for part, prefix in (("days", ""), ("backlog", "backlog_")):
            for row in answer[part]:
                for figure, count in row.items():
                    if figure == "day":
                        continue
                    asked = read(BehindQuestion, {"report": "dashboard", "figure": prefix + figure, "day": row["day"]})
                    behind = await view.reports.requests(asked)
                    assert (len(behind["items"]), behind["total"]) == (count, count), (part, row["day"], figure)
