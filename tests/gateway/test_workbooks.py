"""Is a workbook begun, followed and fetched through the API, with the rights of whoever fetches it?"""

import asyncio
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

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]

WANTED = {"report": "dashboard", "figure": "total"}


async def finished(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while job["state"] in {"waiting", "making"}:
            job = (await client.get(f"/workbooks/{job['workbook_id']}")).json()
    return job


async def test_each_fetches_their_own_and_sees_what_they_may(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    berta = await house.person("berta", "supervisor")
    await lose(event_store, await caller_of(event_store, data_dir, "+390501234567"), "1.1", "Vendite")
    secret = await caller_of(event_store, data_dir, "+390212345678")
    position = await lose(event_store, secret, "1.2", "Riservata")
    await berta.get("/reports/dashboard", headers={"Min-Position": str(position)})
    await berta.get("/audit", headers={"Min-Position": str(position)})
    rosa = await house.person("rosa", "supervisor", queues=["Vendite"], masked=True)

    begun = await berta.post("/workbooks", json=WANTED)
    assert begun.status_code == 202, begun.text
    address = begun.headers["location"].removeprefix("/api/v1")
    assert (await finished(berta, begun.json()))["state"] == "ready"
    content = await berta.get(f"{address}/content")
    assert "attachment" in content.headers["content-disposition"]
    sheet = openpyxl.load_workbook(BytesIO(content.content)).worksheets[0]
    assert {row[0] for row in sheet.iter_rows(min_row=2, values_only=True)} == {"+390501234567", "+390212345678"}
    problem(await rosa.get(address), 404, "not-found")
    problem(await rosa.get(f"{address}/content"), 404, "not-found")

    own = (await rosa.post("/workbooks", json=WANTED)).json()
    await finished(rosa, own)
    theirs = (await rosa.get(f"/workbooks/{own['workbook_id']}/content")).content
    [row] = openpyxl.load_workbook(BytesIO(theirs)).worksheets[0].iter_rows(min_row=2, values_only=True)
    assert row[1] == "Vendite"
    assert "1234567" not in str(row[0])

    admin = await house.admin()
    changed = await admin.patch("/users/berta", json={"queues": ["Vendite"]})
    await berta.get("/session", headers={"Min-Position": str(changed.json().get("position", 0))})
    problem(await berta.get(f"{address}/content"), 403, "rights-changed")
    await admin.patch("/users/berta", json={"queues": []})
    assert (await berta.delete(address)).status_code == 204
    problem(await berta.get(address), 404, "not-found")


async def test_what_cannot_be_made_is_refused_in_words(house: House) -> None:
    berta, anna = await house.person("berta", "supervisor"), await house.person("anna")
    problem(await anna.post("/workbooks", json=WANTED), 403, "not-allowed")
    problem(await berta.post("/workbooks", json={"report": "nonsense"}), 422, "invalid")
    problem(
        await berta.post("/workbooks", json={**WANTED, "from": "2026-03-02", "to": "2026-03-01"}),
        422,
        "invalid-parameter",
    )
    problem(await berta.post("/workbooks", json={**WANTED, "figure": "nonsense"}), 422, "invalid-parameter")
    problem(await berta.get(f"/workbooks/{'0' * 8}-{'0' * 32}"), 404, "not-found")
