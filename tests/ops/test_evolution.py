"""Can Richiamo grow? A new version of an event, a new event and a new view over an old log; an old Richiamo over a new log.

`docs/evolution.md` tells how it is done; this is the same with a later Richiamo that exists in this file alone.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg import AsyncConnection

from richiamo_events import wire
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallVoided
from richiamo_kit import database
from richiamo_kit.projector import Projector
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.call_queue import log

pytestmark = pytest.mark.servers

ROSSI = CallerId("rossi")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallVoidedBySomebody:
    """Version 2: who declared it void. Version 1 did not say, so it was the system."""

    caller: CallerId | None
    call: CallId
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPraised:
    """A type that only the later Richiamo has."""

    caller: CallerId
    call: CallId


LATER = wire.Language(
    types={
        **wire.TYPES,
        "caller.call_voided": (CallVoidedBySomebody, 2),
        "caller.call_praised": (CallPraised, 1),
    },
    upcasts={**wire.UPCASTS, ("caller.call_voided", 1): lambda body: {**body, "by": "system"}},
)


class Voided:
    """A view that only the later Richiamo has: which call was declared void by whom, and which was praised."""

    schema = "view_voided"

    def ddl(self) -> Sequence[str]:
        return (f"CREATE TABLE {self.schema}.call_v1 (call text PRIMARY KEY, by text NOT NULL)",)

    async def start(self, connection: AsyncConnection) -> None:
        """Nothing is kept in memory."""

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        for event in batch:
            data: object = event.data
            if isinstance(data, CallVoidedBySomebody | CallPraised):
                by = data.by if isinstance(data, CallVoidedBySomebody) else "praised"
                await connection.execute(
                    f"INSERT INTO {self.schema}.call_v1 VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (str(data.call), by),
                )
        return {ROSSI}


def of_later(name: str, data: Any) -> NewEvent:
    return NewEvent(
        id=name,
        subject="richiamo.events.caller.rossi",
        data=data,
        occurred_at=log.MONDAY,
        actor="user:sara",
        correlation_id="k",
    )


async def rows(database_url: str) -> list[tuple[Any, ...]]:
    async with await database.connect(database_url) as connection:
        found = await connection.execute("SELECT call, by FROM view_voided.call_v1 ORDER BY call")
        return await found.fetchall()


async def test_a_later_richiamo_reads_an_old_log_and_folds_a_new_view_from_its_start(
    event_store: JetStreamEventStore, database_url: str
) -> None:
    await event_store.append([log.new(log.missed(1))])
    await event_store.append([log.new(CallVoided(caller=ROSSI, call=log.call_id(1), why="a test call"))])
    later = JetStreamEventStore(event_store.client, language=LATER)
    voided = CallVoidedBySomebody(caller=ROSSI, call=log.call_id(2), why="wrong number", by="sara")
    await later.append([of_later("v2", voided)])
    await later.append([of_later("p1", CallPraised(caller=ROSSI, call=log.call_id(3)))])

    events: list[object] = [event.data async for event in later.read()]
    assert events[0] == log.missed(1), "what did not change is read as ever"
    assert events[1:3] == [
        CallVoidedBySomebody(caller=ROSSI, call=log.call_id(1), why="a test call", by="system"),
        voided,
    ]
    assert await Projector(later, Voided(), database_url).catch_up() == 4
    assert await rows(database_url) == [("main:call-1", "system"), ("main:call-2", "sara"), ("main:call-3", "praised")]


@pytest.mark.parametrize("news", ["version", "type"])
async def test_an_old_richiamo_refuses_a_new_log_loudly_and_keeps_what_it_had(
    event_store: JetStreamEventStore, database_url: str, news: str
) -> None:
    await event_store.append([log.new(log.missed(1))])
    later = JetStreamEventStore(event_store.client, language=LATER)
    voided = CallVoidedBySomebody(caller=ROSSI, call=log.call_id(2), why="wrong number", by="sara")
    praised = CallPraised(caller=ROSSI, call=log.call_id(3))
    projector = Projector(event_store, Voided(), database_url)
    assert await projector.catch_up() == 1
    await later.append([of_later("n1", voided if news == "version" else praised)])

    refusal = "has version '2', this version reads up to 1" if news == "version" else "is unknown to this version"
    with pytest.raises(wire.Unreadable, match=f"Position 2: .*{refusal}"):
        await projector.run()
    assert not projector.ready
    assert projector.position == 1, "nothing was skipped: after the upgrade it goes on where it stood"
    assert await Projector(later, Voided(), database_url).catch_up() == 2
