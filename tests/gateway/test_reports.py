"""Do the reports come through as the contract says, as JSON and as workbooks?"""

from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway.lost_calls import caller_of, lose
from tests.gateway.test_sessions import problem

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]

TOTALS = {"total", "served", "recalled", "flushed", "unanswered", "unhandled"}


async def test_every_report_answers_in_its_shape(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    berta = await house.person("berta", "supervisor")
    caller = await caller_of(event_store, data_dir, "+390501234567")
    headers = {"Min-Position": str(await lose(event_store, caller, "1.1"))}
    day = datetime.now(ZoneInfo("Europe/Rome")).date().isoformat()
    span = {"from": day, "to": day}

    dashboard = (await berta.get("/reports/dashboard", params=span, headers=headers)).json()
    assert dashboard["totals"]["total"] == dashboard["totals"]["unhandled"] == 1
    assert dashboard["totals"].keys() >= TOTALS
    assert dashboard["days"][0]["day"] == dashboard["backlog"][0]["day"] == day
    today = (await berta.get("/reports/day", params={"day": day}, headers=headers)).json()
    assert today["today"]["total_calls"] == 1
    assert today["backlog"]["requests"] == 0
    code_caller = (await berta.get("/reports/code-caller", params=span, headers=headers)).json()
    assert code_caller["queues"][0]["days"][0]["missed_calls"] == 1
    historical = (await berta.get("/reports/historical", params=span, headers=headers)).json()
    assert historical["days"][0]["callers"] == 1
    behind = await berta.get("/reports/dashboard/requests", params={"figure": "unhandled", "day": day}, headers=headers)
    assert [item["caller_id"] for item in behind.json()["items"]] == [caller]
    assert behind.json()["items"][0]["outcome"] == "unhandled"


async def test_behind_a_figure_too_who_waits_too_long_is_marked(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    berta = await house.person("berta", "supervisor")
    now = datetime.now(ZoneInfo("Europe/Rome"))
    anna, bruno = [await caller_of(event_store, data_dir, f"+39050123456{number}") for number in (1, 2)]
    await lose(event_store, anna, "1.1", at=now)
    position = await lose(event_store, bruno, "2.1", at=now - timedelta(days=9))
    span = {"figure": "total", "from": (now - timedelta(days=10)).date().isoformat(), "to": now.date().isoformat()}
    answer = await berta.get("/reports/dashboard/requests", params=span, headers={"Min-Position": str(position)})
    late, recent = sorted(answer.json()["items"], key=lambda item: str(item["first_call"]))
    assert (late["overdue"], recent["overdue"]) == (True, False)
    assert late["overdue_at"] < now.isoformat() < recent["overdue_at"]
    page = await berta.get(f"{house.url}/reports/dashboard/requests", params=span, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert (page.text.count('class="age'), page.text.count('class="age late"')) == (2, 1)


@pytest.mark.parametrize("report", ["dashboard", "day", "code-caller", "historical"])
async def test_every_report_is_a_workbook_too(house: House, report: str) -> None:
    berta = await house.person("berta", "supervisor")
    answer = await berta.get(f"/reports/{report}.xlsx", params={"from": "2026-03-01", "to": "2026-03-03"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    assert "attachment" in answer.headers["content-disposition"]
    assert openpyxl.load_workbook(BytesIO(answer.content)).sheetnames


async def test_bad_ranges_and_figures_are_refused_in_words(house: House) -> None:
    berta = await house.person("berta", "supervisor")
    for query in (
        "dashboard?from=2026-03-02&to=2026-03-01",
        "dashboard?from=1.3.2026",
        "day?day=2026-02-30",
        "historical?min_callers=-1",
    ):
        assert problem(await berta.get(f"/reports/{query}"), 422, "invalid")["detail"]
    assert (await berta.get("/reports/dashboard/requests?figure=nonsense")).status_code == 422
    problem(await berta.get("/reports/nonsense"), 404, "not-found")


@pytest.mark.usefixtures("queue_service")
async def test_with_both_services_the_gateway_is_ready(house: House) -> None:
    stranger = await house.client()
    answer = await stranger.get(f"{house.url}/readyz")
    assert answer.json() == {"ready": True}
