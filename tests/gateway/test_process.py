"""Does the gateway start, say what it offers, and end when it is told to?"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from richiamo_kit.servers import free_port
from tests.gateway.conftest import ADMIN_PASSWORD, House

pytestmark = pytest.mark.servers

CONTRACT = {
    "/users": {"get", "post"},
    "/users/{username}": {"patch"},
    "/settings": {"get", "patch"},
    "/session": {"get", "post", "delete"},
    "/requests": {"get"},
    "/callers": {"get"},
    "/callers/{caller_id}/reservation": {"put", "delete"},
    "/callers/{caller_id}/assignment": {"put", "delete"},
    "/flushes": {"post"},
    "/flushes/{flush_id}": {"delete"},
    "/callers/{caller_id}/recalls": {"post"},
    "/callers/{caller_id}/hiding": {"delete"},
    "/callers/{caller_id}/disputes": {"post"},
    "/callers/{caller_id}/timeline": {"get"},
    "/callers/{caller_id}": {"delete"},
    "/reports/dashboard": {"get"},
    "/reports/dashboard.xlsx": {"get"},
    "/reports/day": {"get"},
    "/reports/day.xlsx": {"get"},
    "/reports/code-caller": {"get"},
    "/reports/code-caller.xlsx": {"get"},
    "/reports/historical": {"get"},
    "/reports/historical.xlsx": {"get"},
    "/reports/{report}/requests": {"get"},
    "/changes": {"get"},
}


async def test_the_document_names_every_call_of_the_contract(house: House) -> None:
    stranger = await house.client()
    document: dict[str, Any] = (await stranger.get("/openapi.json")).json()
    paths = {path.removeprefix("/api/v1"): set(operations) for path, operations in document["paths"].items()}
    missing = {path: lacking for path, methods in CONTRACT.items() if (lacking := methods - paths.get(path, set()))}
    assert not missing
    reserve = document["paths"]["/api/v1/callers/{caller_id}/reservation"]["put"]
    assert set(reserve["responses"]) >= {"200", "401", "404", "409", "422"}
    assert set(reserve["responses"]["422"]["content"]) == {"application/problem+json"}
    listed = {parameter["name"] for parameter in document["paths"]["/api/v1/requests"]["get"]["parameters"]}
    assert {"queue", "type", "first_call_from", "recalled_max", "sort", "after", "as_of", "min-position"} <= listed


async def test_sigterm_ends_it_with_a_stream_open(nats_url: str, database_url: str, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "RICHIAMO_NATS_URL": nats_url,
        "RICHIAMO_DATABASE_URL": database_url,
        "RICHIAMO_DATA_DIR": str(tmp_path),
        "RICHIAMO_GATEWAY_PORT": str(port),
        "RICHIAMO_ADMIN_PASSWORD": ADMIN_PASSWORD,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "richiamo_gateway", env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await _answers(client)
            token = (
                await client.post("/api/v1/session", json={"username": "admin", "password": ADMIN_PASSWORD})
            ).json()
            headers = {"Authorization": f"Bearer {token['token']}"}
            async with client.stream("GET", "/api/v1/changes", headers=headers) as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "retry: 1000"
                process.send_signal(signal.SIGTERM)
                assert [line async for line in lines][-1] == ""
            assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answers(client: httpx.AsyncClient) -> None:
    for _ in range(200):
        try:
            if (await client.get("/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("the gateway did not start")
