"""Does the view depend on how the log was cut into batches? Each batch is applied twice, too."""

from typing import Any

import pytest

from richiamo_events.directory import MemoryDirectory
from richiamo_events.language import CallerErased, CallerShown, Event, FlushUndone, SettingsChanged
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_queue.worklist.projection import WorklistProjection
from richiamo_queue.worklist.schema import ddl
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    HELP,
    assigned,
    flushed,
    history,
    missed,
    no_answer,
    reached,
    recorded,
    reserved,
    served,
    started,
)

pytestmark = pytest.mark.servers

TABLES = {
    "caller": "caller_id, position, is_open, reservation, operator, expires_at, dial, hidden_until, state::text",
    # A version that ended in the instant in which it began is in no list.
    "request WHERE recorded_from < recorded_to": "caller_id, request_id, recorded_from, recorded_to::text, calls, recalled, reserved_by, hidden_until",
    "number": "*",
    "flush": "*",
    "decided": "*",
    "recall_ended": "*",
    "withheld": "call, at, queue",
    "setting_change": "position, values::text",
}


def month() -> list[tuple[float, Event]]:
    """Something of everything that can happen."""
    rossi, verdi, neri = "rossi", "verdi", "neri"
    return [
        (0, missed(1, 0, caller=rossi)),
        (1, missed(2, 1, caller=verdi)),
        (2, missed(3, 2, caller=None)),
        (3, reserved(ANNA, caller=rossi)),
        (4, started(ANNA, caller=rossi)),
        (5, SettingsChanged(values={"cooldown_minutes": 10})),
        (6, no_answer(4, 6, caller=rossi)),
        (7, no_answer(5, 7, caller=verdi)),
        (8, missed(6, 8, caller=rossi, queue=HELP)),
        (9, CallerShown(caller=verdi, by="sara")),  # type: ignore[arg-type]
        (10, assigned(BRUNO, caller=rossi, name="r2")),
        (11, reached(7, 11, caller=rossi, by=BRUNO)),
        (12, flushed(2, caller=verdi)),
        (13, FlushUndone(caller=verdi, flush="f1", by="sara")),  # type: ignore[arg-type]
        (14, served(3, 14, caller=None)),
        (15, missed(8, 15, caller=neri)),
        (15, served(8, 15.5, caller=neri)),
        (16, missed(1, -5, caller=rossi)),
        (17, CallerErased(caller=verdi, by="root", reason="", calls=())),  # type: ignore[arg-type]
    ]


EVENTS = history(*month())


async def tables(database_url: str, schema: str, size: int) -> dict[str, list[Any]]:
    """What the view holds after the month was applied in batches of `size`, each twice."""
    directory = MemoryDirectory()
    projection = WorklistProjection(directory, SiteSettings(), schema=schema)
    events = EVENTS
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute(f"CREATE SCHEMA {schema}")
        for statement in ddl(schema):
            await connection.execute(statement)
        await projection.start(connection)
        for first in range(0, len(events), size):
            batch = events[first : first + size]
            async with connection.transaction():
                await projection.apply(connection, batch)
            if first % 2:
                # As a standby that takes over in between.
                projection = WorklistProjection(directory, SiteSettings(), schema=schema)
                await projection.start(connection)
            async with connection.transaction():
                assert await projection.apply(connection, batch) == set()
        return {
            name: sorted(map(str, await (await connection.execute(f"SELECT {what} FROM {schema}.{name}")).fetchall()))
            for name, what in TABLES.items()
        }


async def test_any_cut_into_batches_gives_the_same_tables(database_url: str) -> None:
    whole = await tables(database_url, "whole", 100)
    assert await tables(database_url, "single", 1) == whole
    assert await tables(database_url, "few", 4) == whole
    assert len(whole["request WHERE recorded_from < recorded_to"]) > 8


async def test_a_rolled_back_batch_leaves_nothing_and_can_come_again(database_url: str) -> None:
    projection = WorklistProjection(MemoryDirectory(), SiteSettings(), schema="again")
    batch = [recorded(1, missed(1)), recorded(2, reserved())]
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA again")
        for statement in ddl("again"):
            await connection.execute(statement)
        await projection.start(connection)
        async with connection.transaction(force_rollback=True):
            await projection.apply(connection, batch)
        await projection.start(connection)
        async with connection.transaction():
            assert await projection.apply(connection, batch) == {"rossi"}
        row = await (await connection.execute("SELECT operator FROM again.caller")).fetchone()
        assert row == ("anna",)
