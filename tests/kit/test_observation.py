"""Does a service without pages answer its watchers, also while it is stuck?"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import httpx

from richiamo_kit.health import Health
from richiamo_kit.observation import observed
from richiamo_kit.servers import free_port
from richiamo_kit.settings import Settings


@contextlib.asynccontextmanager
async def watched(checks: Health) -> AsyncIterator[str]:
    port = free_port()
    part = asyncio.ensure_future(observed(Settings(observe_port=port), checks)())
    await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        part.cancel()
        await asyncio.gather(part, return_exceptions=True)


async def test_it_says_what_is_missing_as_it_comes_and_goes() -> None:
    found: list[str | None] = ["NATS is not connected"]
    checks = Health()

    async def log() -> str | None:
        return found[0]

    checks.add("log", log)
    async with watched(checks) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["missing"]) == (503, {"log": "NATS is not connected"})
        found[0] = None
        assert (await client.get("/readyz")).json() == {"ready": True}
        assert (await client.get("/healthz")).status_code == 200
        assert b"richiamo_view_position" in (await client.get("/metrics")).content
        assert (await client.get("/elsewhere")).status_code == 404
        assert (await client.post("/readyz")).status_code == 405


async def test_a_service_whose_loop_hangs_is_not_ready() -> None:
    """The watchers are answered by a thread: that the loop does not turn is just what they must hear."""
    async with watched(Health()) as url:
        told: list[int] = []
        asking = threading.Thread(target=lambda: told.append(httpx.get(f"{url}/readyz", timeout=60).status_code))
        asking.start()
        asking.join()  # The loop stands still here until the answer is there.
    assert told == [503]


async def test_without_a_port_nothing_listens_and_the_service_goes_on() -> None:
    part = asyncio.ensure_future(observed(Settings(), Health())())
    await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert not part.done()
    part.cancel()
    await asyncio.gather(part, return_exceptions=True)
