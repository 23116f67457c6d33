"""What does a user see when a service or PostgreSQL is away, and does it pass by itself?"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from richiamo_kit import database
from richiamo_kit.servers import NatsServer, PostgresServer, free_port, running
from tests.gateway.conftest import House, listening
from tests.gateway.test_sessions import problem

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PATIENT = 60


async def page(house: House, client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The page, asked for with the session of the API's client."""
    return await client.get(f"{house.url}{path}", headers={"Accept": "text/html"}, timeout=PATIENT)


async def test_a_service_that_is_away_is_told_in_words_with_when_to_come_again(house: House) -> None:
    sara = await house.person("sara", "supervisor", language="en")
    refused = await sara.get("/requests", timeout=PATIENT)
    assert problem(refused, 503, "unavailable")["title"]
    assert int(refused.headers["Retry-After"]) > 0
    told = await page(house, sara, "/missed-calls")
    assert told.status_code == 503
    assert "A part of Richiamo does not answer at the moment" in told.text
    assert "Nothing is lost. Try again in a moment." in told.text
    assert (await sara.get("/session")).json()["username"] == "sara", "who is logged in stays so"


async def test_postgresql_that_is_away_ends_no_session(nats_server: NatsServer, nats_url: str, tmp_path: Path) -> None:
    postgres = PostgresServer(tmp_path / "postgres", free_port(), uuid4().hex)
    async with AsyncExitStack() as stack:
        async with running(postgres):
            house = await stack.enter_async_context(listening(nats_url, postgres.url))
            anna = await house.person("anna")
        stranger = await house.client()
        refused = await stranger.post("/session", json={"username": "anna", "password": "pw-anna"}, timeout=PATIENT)
        problem(refused, 503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        async with running(postgres):
            again = await anna.get("/session", timeout=PATIENT)
            assert (again.status_code, again.json()["username"]) == (200, "anna")


async def test_postgresql_that_hangs_is_told_and_holds_nobody_up(
    nats_server: NatsServer, nats_url: str, tmp_path: Path
) -> None:
    postgres = PostgresServer(tmp_path / "postgres", free_port(), uuid4().hex)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(postgres))
        house = await stack.enter_async_context(listening(nats_url, postgres.url))
        anna, stranger = await house.person("anna"), await house.client()
        with frozen(postgres):
            known, unknown = await asyncio.gather(
                anna.get("/session", timeout=PATIENT),
                stranger.post("/session", json={"username": "anna", "password": "pw-anna"}, timeout=PATIENT),
            )
            for refused in (known, unknown):
                problem(refused, 503, "unavailable")
                assert int(refused.headers["Retry-After"]) > 0
        again = await anna.get("/session", timeout=PATIENT)
        assert (again.status_code, again.json()["username"]) == (200, "anna")
        mine = (await anna.get("/sessions", timeout=PATIENT)).json()["items"]
        assert len(mine) == 1, "whoever did not wait for the log-in left no session behind"


async def test_a_table_that_somebody_keeps_locked_is_told_and_holds_nobody_up(house: House, database_url: str) -> None:
    anna = await house.person("anna")
    async with await database.connect(database_url) as somebody:
        await somebody.execute("LOCK TABLE gateway.session IN ACCESS EXCLUSIVE MODE")
        problem(await anna.get("/session", timeout=PATIENT), 503, "unavailable")
        await somebody.rollback()
    assert (await anna.get("/session")).status_code == 200


@contextmanager
def frozen(postgres: PostgresServer) -> Iterator[None]:
    """The server is there and takes connections, but none of its processes does anything."""
    postmaster = psutil.Process(int((postgres.data / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for one in processes:
        one.suspend()
    try:
        yield
    finally:
        for one in reversed(processes):
            one.resume()
