"""Is anything lost while the log is away? The spool alone, and ingest with NATS and PostgreSQL stopped."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from richiamo_events.ids import CallId
from richiamo_events.language import CallMissed, Rank
from richiamo_ingest.app import serving
from richiamo_ingest.reports import LostReport
from richiamo_ingest.settings import IngestSettings
from richiamo_ingest.spool import Spool
from richiamo_kit.servers import NatsServer, PostgresServer, free_port, running
from richiamo_kit.store.jetstream import JetStreamEventStore, connect
from tests.ingest.running import INSERT, until
from tests.ingest.test_http import ACCEPTED, record, routing

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def report(number: int) -> LostReport:
    return LostReport(call=CallId("main", f"{number}.1"), received_at=NOW, rank=Rank.ROUTING, caller="0501234567")


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def numbers(spool: Spool) -> list[str]:
    """What waits, oldest first, taken out."""
    found: list[str] = []
    while (taken := await spool.oldest(most=2)) is not None:
        found.extend(one.call.unique_id for entry in taken.entries for one in entry if isinstance(one, LostReport))
        await spool.done(taken)
    return found


class TestSpool:
    async def test_what_is_kept_comes_back_in_order(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path)
        for number in range(5):
            await spool.append([report(number)])
        assert spool.entries == 5
        assert await numbers(spool) == [f"{number}.1" for number in range(5)]
        assert (spool.entries, files(tmp_path)) == (0, [])

    async def test_another_process_goes_on_where_the_first_died(self, tmp_path: Path) -> None:
        first = Spool(tmp_path)
        for number in range(5):
            await first.append([report(number)])
        taken = await first.oldest(most=2)
        assert taken is not None
        await first.done(taken)
        second = Spool(tmp_path)
        await second.append([report(5)])
        assert await numbers(second) == ["2.1", "3.1", "4.1", "5.1"]

    @pytest.mark.parametrize("torn", [b"0", b"00000000 [", b"12345678 []\n", b"\0\0\0\0"])
    async def test_a_torn_line_was_never_acknowledged_and_is_cut(self, tmp_path: Path, torn: bytes) -> None:
        await Spool(tmp_path).append([report(1)])
        (segment,) = files(tmp_path)
        with segment.open("ab") as file:
            file.write(torn)
        again = Spool(tmp_path)
        await again.append([report(2)])
        assert await numbers(Spool(tmp_path)) == ["1.1", "2.1"]

    async def test_a_lost_mark_only_means_writing_again(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path)
        for number in range(3):
            await spool.append([report(number)])
        taken = await spool.oldest(most=1)
        assert taken is not None
        await spool.done(taken)
        for file in files(tmp_path):
            if file.suffix == ".done":
                file.unlink()
        assert await numbers(Spool(tmp_path)) == ["0.1", "1.1", "2.1"]

    async def test_what_comes_while_the_oldest_is_being_written_waits_behind(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path)
        await spool.append([report(1)])
        taken = await spool.oldest()
        await spool.append([report(2)])
        assert taken is not None
        await spool.done(taken)
        assert await numbers(spool) == ["2.1"]


class Site:
    """Servers of their own, to be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.nats = NatsServer(folder / "nats", free_port(), "secret")
        self.postgres = PostgresServer(folder / "postgres", free_port(), "secret", durable=False)
        self.settings = IngestSettings(
            nats_url=SecretStr(self.nats.url),
            database_url=SecretStr(self.postgres.url),
            data_dir=folder / "data",
            ingest_port=0,
        )

    async def calls(self) -> list[str]:
        client = await connect(self.nats.url)
        try:
            log = [event.data async for event in JetStreamEventStore(client).read()]
        finally:
            await client.close()
        return [fact.call.unique_id for fact in log if isinstance(fact, CallMissed)]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    yield Site(tmp_path)


@pytest.mark.servers
class TestAway:
    async def test_nats_away_then_back(self, site: Site) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(site.postgres))
            service = await stack.enter_async_context(serving(site.settings))
            pbx = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}"))
            # Not there yet: nothing was ever connected.
            assert (await pbx.post(INSERT, content=routing("1.0"))).text == ACCEPTED
            assert (await pbx.get("/readyz")).status_code == 503
            async with running(site.nats):
                await until(lambda: service.link.writer is not None and not service.intake.spool.entries)
                assert (await pbx.post(INSERT, content=routing("2.0"))).text == ACCEPTED
            # Gone while connected: the answer still comes within the time a PBX waits.
            answer = await pbx.post(INSERT, content=routing("3.0"), timeout=10)
            assert answer.text == ACCEPTED
            kept = await pbx.post("/pbx/cdr", json=[record("4.0"), record("5.0")], timeout=60)
            assert kept.json() == {"accepted": 2, "duplicates": 0, "refused": []}
            assert service.intake.spool.entries == 2
            async with running(site.nats):
                await until(lambda: service.intake.spool.entries == 0)
                assert (await pbx.post(INSERT, content=routing("6.0"))).text == ACCEPTED
                calls = await site.calls()
                assert calls[:3] == ["1.0", "2.0", "3.0"]
                assert sorted(calls) == [f"{number}.0" for number in range(1, 7)]

    async def test_ingest_dies_with_reports_in_its_spool(self, site: Site) -> None:
        async with running(site.postgres):
            async with serving(site.settings) as service, httpx.AsyncClient() as pbx:
                url = f"http://127.0.0.1:{service.port}{INSERT}"
                for number in range(3):
                    assert (await pbx.post(url, content=routing(f"{number}.0"))).text == ACCEPTED
            async with running(site.nats), serving(site.settings) as service:
                await until(lambda: service.link.writer is not None and not service.intake.spool.entries)
                assert await site.calls() == ["0.0", "1.0", "2.0"]

    async def test_postgres_away_then_back(self, site: Site) -> None:
        async with running(site.nats), AsyncExitStack() as stack:
            async with running(site.postgres):
                service = await stack.enter_async_context(serving(site.settings))
                await until(lambda: service.link.writer is not None)
            pbx = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}"))
            assert (await pbx.post(INSERT, content=routing("1.0"), timeout=10)).text == ACCEPTED
            assert service.intake.spool.entries == 1
            async with running(site.postgres):
                await until(lambda: service.intake.spool.entries == 0)
            assert await site.calls() == ["1.0"]

    async def test_what_can_be_kept_nowhere_is_not_acknowledged(self, site: Site) -> None:
        """As with a full disk while NATS is away: the PBX takes its error branch."""
        async with serving(site.settings) as service, httpx.AsyncClient() as pbx:
            url = f"http://127.0.0.1:{service.port}"
            folder = site.settings.data_dir / "spool"
            folder.rename(folder.with_name("elsewhere"))
            folder.touch()
            assert (await pbx.post(url + INSERT, content=routing("1.0"), timeout=60)).status_code == 503
            answer = await pbx.post(url + "/pbx/cdr", json=[record("2.0")], timeout=60)
            assert (answer.status_code, answer.json()["title"]) == (503, "This could not be kept; send it again")
            assert int(answer.headers["Retry-After"]) > 0
            folder.unlink()
            folder.with_name("elsewhere").rename(folder)
            assert (await pbx.post(url + INSERT, content=routing("1.0"))).text == ACCEPTED
            assert service.intake.spool.entries == 1
