"""Is an erased number gone from the files of PostgreSQL while the worklist is folded a second time beside?"""

import asyncio

import pytest

from richiamo_kit import database
from richiamo_kit.errors import Unavailable
from richiamo_queue.scrubbing import scrub
from tests.call_queue.view import made

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("beside", ["rebuild view_worklist", "check view_worklist"])
async def test_a_rebuild_or_a_check_at_work_is_waited_for_since_its_tables_hold_numbers_too(
    database_url: str, beside: str
) -> None:
    async with made(database_url) as view, await database.connect(database_url, autocommit=True) as other:
        await view.projector.catch_up()
        await other.execute("CREATE SCHEMA IF NOT EXISTS queue")
        await other.execute("CREATE TABLE IF NOT EXISTS queue.answer (answer text)")
        assert await database.try_lock(other, beside)
        with pytest.raises(Unavailable, match="being rebuilt or checked"):
            await scrub(database_url, "+390501234567", patience=0.2)
        waiting = asyncio.create_task(scrub(database_url, "+390501234567"))
        await other.execute("SELECT pg_advisory_unlock_all()")
        assert await waiting
