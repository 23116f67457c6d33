"""Is a caller ever given to two? A hundred operators click the same row at once, on two instances."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from richiamo_events import subjects
from richiamo_events.ids import CallerId
from richiamo_events.language import CallReserved
from richiamo_kit import database
from richiamo_kit.clock import FixedClock
from richiamo_kit.errors import Problem
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_queue.app import Service
from tests.call_queue.instances import Site, running
from tests.call_queue.log import minutes, missed, reserved

pytestmark = pytest.mark.servers

OPERATORS = 100


async def outcome(site: Site, username: str, caller: CallerId, **more: Any) -> dict[str, Any] | Problem:
    try:
        return await site.ask("reserve", username, caller_id=caller, **more)
    except Problem as refused:
        return refused


async def reservations(site: Site, caller: CallerId) -> list[CallReserved]:
    return [
        event.data
        async for event in site.store.read(subject=subjects.caller(caller))
        if isinstance(event.data, CallReserved)
    ]


async def test_everybody_clicks_the_same_row_and_one_wins(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> None:
    async with running(event_store, nats_url, database_url, data_dir, instances=2) as site:
        for turn in range(3):
            caller = await site.directory.resolve(f"+3905012345{turn}")
            await site.happens(missed(turn, caller=caller))
            names = [f"operator{number}" for number in range(OPERATORS)]
            found = dict(
                zip(names, await asyncio.gather(*(outcome(site, name, caller) for name in names)), strict=True)
            )

            (granted,) = await reservations(site, caller)
            winners = [name for name, answer in found.items() if not isinstance(answer, Problem)]
            assert winners == [granted.operator]
            refusals = [answer for answer in found.values() if isinstance(answer, Problem)]
            told = Counter((one.status, one.type, one.extra.get("reserved_by")) for one in refusals)
            assert told == {(409, "already-reserved", granted.operator): OPERATORS - 1}
            assert all(one.extra["since"] for one in refusals)


async def test_one_key_sent_many_times_at_once_has_one_effect_and_one_answer(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> None:
    async with running(event_store, nats_url, database_url, data_dir, instances=2) as site:
        caller = await site.directory.resolve("+390501234567")
        await site.happens(missed(1, caller=caller))
        answers = await asyncio.gather(*(outcome(site, "anna", caller, key="click-1") for _ in range(20)))
        assert len(await reservations(site, caller)) == 1
        assert all(answer == answers[0] for answer in answers)
        assert not isinstance(answers[0], Problem)
        dials = await asyncio.gather(*(site.ask("start_recall", caller_id=caller, key="click-2") for _ in range(20)))
        assert all(dial == dials[0] for dial in dials)


async def test_reserving_and_releasing_by_many_keeps_one_holder_at_any_position(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> None:
    async with running(event_store, nats_url, database_url, data_dir, instances=2) as site:
        caller = await site.directory.resolve("+390501234567")
        await site.happens(missed(1, caller=caller))

        async def works(name: str) -> int:
            held = 0
            for _ in range(5):
                if not isinstance(await outcome(site, name, caller), Problem):
                    held += 1
                    await site.ask("release", name, caller_id=caller)
            return held

        held = await asyncio.gather(*(works(f"operator{number}") for number in range(8)))
        holder: str | None = None
        granted = 0
        async for event in site.store.read(subject=subjects.caller(caller)):
            if isinstance(event.data, CallReserved):
                assert holder is None
                holder, granted = event.data.operator, granted + 1
            elif event.position > 1:
                holder = None
        assert granted == sum(held)


async def test_timers_of_several_instances_end_a_forgotten_reservation_once(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> None:
    """Without the lock that spares them the work, as when it is lost: the log decides."""
    async with running(
        event_store, nats_url, database_url, data_dir, instances=3, sweeping=False, clock=FixedClock(minutes(60))
    ) as site:
        caller = await site.directory.resolve("+390501234567")
        await site.happens(missed(1, caller=caller), reserved(caller=caller, until=30))
        await site.ask("summary")

        async def sweep(service: Service) -> int:
            async with await database.connect(database_url, autocommit=True) as connection:
                return await service.sweep.once(connection)

        assert sum(await asyncio.gather(*(sweep(service) for service in site.services))) >= 1
        events = [event.data async for event in site.store.read(subject=subjects.caller(caller))]
        assert [type(event).__name__ for event in events] == ["CallMissed", "CallReserved", "ReservationReleased"]
