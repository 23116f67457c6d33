"""How much is asked of the servers for one thing? Counted exactly: a time depends on the machine, work does not.

Whoever needs more than is written here says so in the same commit, and why.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from richiamo_events.envelope import NewEvent
from richiamo_ingest.settings import IngestSettings
from richiamo_kit import database
from richiamo_kit.projector import wait_for
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_queue.worklist.projection import SCHEMA
from richiamo_queue.worklist.query import Worklist
from richiamo_queue.worklist.questions import read_question
from tests.call_queue import log
from tests.call_queue.instances import Site, running
from tests.call_queue.view import KnownSite, made
from tests.ingest.running import INSERT, RunningIngest, running_ingest
from tests.work.counting import Counts, counted_nats, counted_postgres

pytestmark = pytest.mark.servers

POOL, LOG, ANSWERS = "sql richiamo-queue", "nats richiamo-queue ", "nats richiamo-queue-answers "
OPEN, CLOSED, PAGE = 1500, 300, 50


@dataclass
class Counted:
    """A queue service whose every statement and message is counted."""

    site: Site
    counts: Counts

    async def settle(self) -> None:
        """Let the view have everything, then count from nothing."""
        async with database.make_pool(self.site.database_url, most=1) as pool:
            await wait_for(pool, SCHEMA, self.site.position)
        self.counts.clear()


@pytest_asyncio.fixture
async def queue(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[Counted]:
    counts = Counts()
    async with (
        counted_nats(nats_url, counts) as counted_url,
        counted_postgres(database_url, counts) as counted_database,
        running(event_store, counted_url, counted_database, data_dir, sweeping=False) as site,
    ):
        site.database_url = database_url
        caller = await site.directory.resolve("+390501234567")
        await site.happens(log.missed(1, caller=caller))
        # The first answer comes once the view is there; the pool has its connection then.
        await site.ask("requests", view="recall")
        yield Counted(site, counts)


async def caller_of(counted: Counted) -> str:
    caller = await counted.site.directory.resolve("+390501234567")
    await counted.settle()
    return caller


async def test_a_reservation_is_one_statement_one_append_and_one_answer(queue: Counted) -> None:
    caller = await caller_of(queue)
    await queue.site.ask("reserve", caller_id=caller)
    assert queue.counts[POOL] == 1
    assert queue.counts.of(f"{LOG}richiamo.events.caller.") == 1
    assert queue.counts.of(f"{LOG}$JS.API.") == 0
    assert queue.counts.of(ANSWERS) == 1


async def test_its_key_costs_two_transactions_more_of_which_none_waits_for_the_disk(queue: Counted) -> None:
    caller = await caller_of(queue)
    await queue.site.ask("reserve", caller_id=caller, key="k1")
    # Known already? Look at the caller; then BEGIN, no waiting for the disk, keep the answer, COMMIT.
    assert queue.counts[POOL] == 1 + 1 + 4
    await queue.settle()
    await queue.site.ask("reserve", caller_id=caller, key="k1")
    assert queue.counts[POOL] == 1
    assert queue.counts.of(f"{LOG}richiamo.events.") == 0


async def test_a_refusal_asks_the_log_once_whether_it_is_still_true(queue: Counted) -> None:
    caller = await caller_of(queue)
    await queue.site.ask("reserve", caller_id=caller)
    await queue.settle()
    await queue.site.ask("reserve", caller_id=caller)
    # Statements are not counted here: the sweep's own may fall between the two.
    assert queue.counts.of(f"{LOG}richiamo.events.") == 0
    assert queue.counts.of(f"{LOG}$JS.API.STREAM.MSG.GET") == 1


async def test_commands_that_come_together_share_statements(queue: Counted) -> None:
    callers = [await queue.site.directory.resolve(f"+39050123{number:04d}") for number in range(40)]
    await queue.site.happens(*(log.missed(100 + number, caller=one) for number, one in enumerate(callers)))
    await queue.settle()
    await asyncio.gather(*(queue.site.ask("reserve", "anna", caller_id=one) for one in callers))
    # How they meet depends on the machine; that each had one of its own would be no sharing at all.
    assert queue.counts[POOL] < len(callers) / 2
    assert queue.counts.of(f"{LOG}richiamo.events.caller.") == len(callers)


@pytest.mark.parametrize("view", ["recall", "mine"])
async def test_a_list_is_one_snapshot_of_four_questions(queue: Counted, view: str) -> None:
    await queue.settle()
    queue.site.position = 0
    await queue.site.ask("requests", view=view)
    # BEGIN, the kind of snapshot, the position, the page, the total, COMMIT.
    assert queue.counts[POOL] == 6
    assert queue.counts.of(LOG) == 0


@pytest_asyncio.fixture
async def ingest(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[tuple[RunningIngest, Counts]]:
    counts = Counts()
    async with (
        counted_nats(nats_url, counts) as counted_url,
        counted_postgres(database_url, counts) as counted_database,
    ):
        settings = IngestSettings(
            nats_url=SecretStr(counted_url),
            database_url=SecretStr(counted_database),
            data_dir=data_dir,
            ingest_port=0,
        )
        async with running_ingest(settings, event_store) as running_one:
            yield running_one, counts


def lost(unique_id: str, number: str = "0501234567") -> dict[str, str]:
    return {"unique_id": unique_id, "caller": number, "called": "050987654", "param1": "Vendite", "param2": "queue"}


async def test_a_lost_call_is_one_statement_and_for_a_known_number_one_message(
    ingest: tuple[RunningIngest, Counts],
) -> None:
    running_one, counts = ingest
    name = "nats richiamo ingest "
    counts.clear()
    await running_one.pbx.get(INSERT, params=lost("1700000001.1"))
    assert counts["sql richiamo ingest"] == 1
    assert counts.of(f"{name}$JS.API.STREAM.MSG.GET.KV_CALLERS") == 1
    assert counts.of(f"{name}$KV.CALLERS.") == 2
    assert counts.of(f"{name}richiamo.events.caller.") == 1
    counts.clear()
    await running_one.pbx.get(INSERT, params=lost("1700000002.1"))
    assert counts["sql richiamo ingest"] == 1
    assert counts.of(f"{name}$KV.") + counts.of(f"{name}$JS.API.STREAM.MSG.GET.KV_CALLERS") == 0
    assert counts.of(f"{name}richiamo.events.caller.") == 1


async def test_a_list_reads_the_open_requests_and_nothing_of_the_past(database_url: str) -> None:
    async with made(database_url) as view:
        events: list[NewEvent] = []
        for number in range(OPEN + CLOSED):
            caller = await view.caller(f"+39050{number:07d}")
            events.append(log.new(log.missed(number, -number, caller=caller)))
            if number >= OPEN:
                events.append(log.new(log.served(10_000 + number, 5, caller=caller)))
        for start in range(0, len(events), 100):
            await view.store.append(events[start : start + 100])
        await view.projector.catch_up()
        async with await database.connect(database_url, autocommit=True) as connection:
            await connection.execute(f"ANALYZE {SCHEMA}.request")

        # What a session has read is known once it says so: one connection, which is told to.
        async with database.make_pool(database_url, most=1, autocommit=True) as pool:
            worklist = Worklist(pool, KnownSite(), view.clock)

            async def read() -> int:
                async with pool.connection() as connection:
                    await connection.execute("SELECT pg_stat_force_next_flush()")
                    found = await connection.execute(
                        "SELECT sum(pg_stat_get_tuples_returned(indexrelid)) + max(pg_stat_get_tuples_returned(indrelid))"
                        f" FROM pg_index WHERE indrelid = '{SCHEMA}.request'::regclass"
                    )
                    row = await found.fetchone()
                assert row is not None
                return int(row[0])

            before = await read()
            supervisor = {"username": "sara", "role": "supervisor"}
            answer = await worklist.requests(read_question({"user": supervisor, "limit": PAGE}, view="all"))
            assert answer["total"] == OPEN
            # The total goes once through what is open; the page reads itself, whether there is a next, and where that ends.
            assert await read() - before == OPEN + PAGE + 2
