"""Can a supervisor find who did what, to the last row and as a workbook, and nothing beyond their rights?"""

from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway.lost_calls import caller_of, lose
from tests.gateway.test_sessions import problem

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("queue_service", "reporting_service")]

SALES, HELP = "+390501234567", "+390212345678"


async def audit(client: httpx.AsyncClient, store: JetStreamEventStore, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/audit", params=asked, headers={"Min-Position": str(await store.last_position())})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def kinds(client: httpx.AsyncClient, store: JetStreamEventStore, **asked: Any) -> list[str]:
    return [item["kind"] for item in (await audit(client, store, **asked))["items"]]


async def two_days_work(house: House, store: JetStreamEventStore, data_dir: Path) -> tuple[str, str]:
    """Anna reserves in Sales and writes a note, Bruno reserves in Help, the administrator changes a setting."""
    anna, bruno = await house.person("anna", extension="201"), await house.person("bruno", extension="202")
    sales, helped = await caller_of(store, data_dir, SALES), await caller_of(store, data_dir, HELP)
    await lose(store, sales, "1.1", "Vendite")
    position = await lose(store, helped, "1.2", "Assistenza")
    await anna.get("/requests", headers={"Min-Position": str(position)})
    for client, caller in ((anna, sales), (bruno, helped)):
        assert (await client.put(f"/callers/{caller}/reservation")).status_code == 200
    assert (await anna.put(f"/callers/{sales}/note", json={"text": "a private matter"})).status_code == 200
    await (await house.admin()).patch("/settings", json={"cooldown_minutes": 45})
    return sales, helped


async def test_decisions_are_found_by_person_kind_day_and_number(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    sales, _ = await two_days_work(house, event_store, data_dir)
    admin = await house.admin()
    everything = await audit(admin, event_store)
    told = [item["kind"] for item in everything["items"]]
    assert told[:4] == ["settings_changed", "note_written", "call_reserved", "call_reserved"]
    assert set(told[4:]) == {"operator_changed"}
    assert everything["total"] == len(told)
    assert "private" not in str(everything)
    assert await kinds(admin, event_store, who="anna") == ["note_written", "call_reserved"]
    assert await kinds(admin, event_store, who="Anna") == ["note_written", "call_reserved"]
    assert await kinds(admin, event_store, what="call_reserved", caller="050 1234567") == ["call_reserved"]
    assert await kinds(admin, event_store, caller=sales) == ["note_written", "call_reserved"]
    assert await kinds(admin, event_store, **{"from": "2020-01-01", "to": "2020-01-02"}) == []
    newest = everything["items"][0]
    assert (newest["actor"], newest["values"]) == ("admin", {"cooldown_minutes": 45})
    added = next(item for item in everything["items"] if item.get("username") == "bruno")
    assert added["added"]
    assert added["changed"]["extension"] == "202"


async def test_paging_reaches_the_last_row_and_the_workbook_holds_them_all(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    await two_days_work(house, event_store, data_dir)
    admin = await house.admin()
    positions: list[int] = []
    after: dict[str, Any] = {}
    while True:
        page = await audit(admin, event_store, limit=2, **after)
        positions += [item["position"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert positions == sorted(set(positions), reverse=True)
    assert len(positions) == page["total"]
    answer = await admin.get("/audit.xlsx")
    assert answer.status_code == 200, answer.text
    sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
    assert sheet is not None
    assert sheet.max_row == len(positions) + 1
    assert "private" not in str([[cell.value for cell in row] for row in sheet.iter_rows()])


async def test_a_supervisor_reads_of_own_queues_only_and_an_operator_nothing(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    await two_days_work(house, event_store, data_dir)
    sara = await house.person("sara", "supervisor", queues=["Assistenza"], masked=True)
    found = await audit(sara, event_store)
    assert [(item["kind"], item["actor"]) for item in found["items"]] == [("call_reserved", "bruno")]
    assert found["items"][0]["number"].startswith("+39")
    assert HELP[-3:] not in found["items"][0]["number"]
    assert found["total"] == 1
    problem(await (await house.person("otto")).get("/audit"), 403, "not-allowed")
    problem(await sara.get("/audit?what=nonsense"), 422, "invalid")
    problem(await sara.get("/audit?from=2026-03-02&to=2026-03-01"), 422, "invalid")


async def test_where_people_are_numbers_nobody_is_found_by_name(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    await two_days_work(house, event_store, data_dir)
    admin, sara = await house.admin(), await house.person("sara", "supervisor")
    await admin.patch("/settings", json={"operators_as_numbers": True})
    found = await audit(sara, event_store)
    assert "anna" not in str(found).casefold()
    assert await kinds(sara, event_store, who="anna") == []
    somebody = next(item["actor_name"] for item in found["items"] if item["kind"] == "note_written")
    assert somebody.startswith("Op. ")
    assert await kinds(sara, event_store, who=somebody) == ["note_written", "call_reserved"]
