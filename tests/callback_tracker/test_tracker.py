"""What does the tracker write for the records in the stream? On a real NATS and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from richiamo_callback_tracker.app import assembled
from richiamo_callback_tracker.settings import TrackerSettings
from richiamo_events import subjects
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId, DialId, ReservationId, Username
from richiamo_events.language import (
    CallMissed,
    CallServed,
    Event,
    OperatorChanged,
    Rank,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    RecallSucceeded,
    SettingsChanged,
)
from richiamo_events.records import RECORD, CallRecord, Leg, record_message_id
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.publish import publish
from richiamo_kit.together import ended

pytestmark = pytest.mark.servers

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MARIO, LUIGI = CallerId("mario"), CallerId("luigi")
ANNA = Username("anna")


def outbound(unique_id: str = "1.1", *, talk: float | None = 30.0, status: str = "OK", **more: Any) -> CallRecord:
    fields: dict[str, Any] = {
        "call": CallId("main", unique_id),
        "received_at": START + timedelta(minutes=10),
        "source_type": "local_exten",
        "destination_type": "obl",
        "status": status,
        "started_at": START + timedelta(seconds=12),
        "answered_at": None if talk is None else START + timedelta(seconds=20),
        "ended_at": START + timedelta(seconds=80),
        "caller": "201",
        "called": "0501234567",
        "bill_seconds": talk or 0.0,
        "customer": MARIO,
        **more,
    }
    return CallRecord(**fields)


def served(unique_id: str = "2.1", customer: CallerId | None = MARIO) -> CallRecord:
    leg = Leg(type="queue", name="Vendite", answered_by="201", answered_at=START + timedelta(seconds=30))
    return CallRecord(
        call=CallId("main", unique_id),
        received_at=START + timedelta(minutes=10),
        source_type="ibl",
        started_at=START,
        ended_at=START + timedelta(seconds=100),
        legs=(leg,),
        customer=customer,
    )


@dataclass
class Log:
    """The log and the stream of records, as the other services write them."""

    store: JetStreamEventStore
    settings: TrackerSettings

    async def record(self, *records: CallRecord, again: str = "") -> None:
        for record in records:
            message_id = record_message_id(record) + again
            await publish(self.store.client, "richiamo.cdr.main", RECORD.dump_json(record), message_id=message_id)

    async def write(self, subject: str, data: Event, at: datetime = START) -> None:
        name = f"{type(data).__name__}{await self.store.last_position()}"
        event = NewEvent(id=name, subject=subject, data=data, occurred_at=at, actor="test", correlation_id="")
        await self.store.append([event])

    async def lose(self, caller: CallerId) -> None:
        fact = CallMissed(caller=caller, call=CallId("main", f"0.{caller}"), rank=Rank.ROUTING, received_at=START)
        await self.write(subjects.caller(caller), fact)

    async def dial(self, name: str, at: datetime, caller: CallerId = MARIO) -> None:
        click = RecallStarted(
            caller=caller, operator=ANNA, extension="201", reservation=ReservationId("r"), dial=DialId(name)
        )
        await self.write(subjects.caller(caller), click, at)

    async def facts(self) -> list[Recorded]:
        written = (CallServed, RecallSucceeded, RecallFailed)
        return [event async for event in self.store.read() if isinstance(event.data, written)]

    async def until(self, reached: Callable[[Sequence[Recorded]], bool]) -> list[Recorded]:
        async with asyncio.timeout(60):
            while not reached(found := await self.facts()):
                await asyncio.sleep(0.02)
        return found

    @asynccontextmanager
    async def tracking(self) -> AsyncIterator[None]:
        async with assembled(self.settings) as service:
            parts = [asyncio.create_task(service.projector.run()), asyncio.create_task(service.tracker.run())]
            try:
                yield
            finally:
                await ended(parts)


@pytest_asyncio.fixture
async def log(event_store: JetStreamEventStore, nats_url: str, database_url: str) -> Log:
    settings = TrackerSettings(nats_url=SecretStr(nats_url), database_url=SecretStr(database_url))
    return Log(event_store, settings)


class TestTracking:
    async def test_a_recall_that_lasted_is_a_success_with_its_dial_and_operator(self, log: Log) -> None:
        anna = OperatorChanged(username=ANNA, name="Anna", role="operator", extension="201")
        async with log.tracking():
            await log.lose(MARIO)
            await log.write(subjects.operator(ANNA), anna)
            await log.dial("d1", START + timedelta(seconds=2))
            await log.record(outbound())
            (event,) = await log.until(lambda facts: len(facts) == 1)
        fact = event.data
        assert isinstance(fact, RecallSucceeded)
        assert (fact.dial, fact.operator, fact.talk_seconds, event.subject) == (
            "d1", "anna", 30.0, subjects.caller(MARIO),
        )  # fmt: skip

    async def test_five_seconds_are_a_short_talk_and_a_little_more_is_not(self, log: Log) -> None:
        async with log.tracking():
            await log.record(outbound("1.1", talk=5.0), outbound("1.2", talk=5.2))
            await log.record(outbound("1.3", talk=None, status="BUSY"), outbound("1.4", talk=None, status="CANCELED"))
            facts = await log.until(lambda found: len(found) == 4)
        by_call = {str(one.data.call): one.data for one in facts}  # type: ignore[union-attr]
        short = by_call["main:1.1"]
        assert isinstance(short, RecallFailed)
        assert (short.outcome, short.answered_at) == (RecallOutcome.SHORT_TALK, START + timedelta(seconds=20))
        assert isinstance(by_call["main:1.2"], RecallSucceeded)
        assert [by_call[f"main:1.{n}"].outcome for n in (3, 4)] == ["busy", "no_answer"]  # type: ignore[union-attr]

    async def test_the_threshold_is_that_of_the_answer(self, log: Log) -> None:
        async with log.tracking():
            await log.write(subjects.SETTINGS, SettingsChanged(values={"success_threshold_seconds": 40.0}))
            later = datetime.now(UTC) + timedelta(minutes=1)
            new = outbound("1.2", started_at=later, answered_at=later, ended_at=later + timedelta(seconds=30))
            old = outbound("1.1", answered_at=datetime.now(UTC) - timedelta(days=1))
            await log.record(old, new)
            facts = await log.until(lambda found: len(found) == 2)
        kinds = {str(one.data.call): type(one.data) for one in facts}  # type: ignore[union-attr]
        assert kinds == {"main:1.1": RecallSucceeded, "main:1.2": RecallFailed}

    async def test_served_calls_go_to_the_caller_elsewhere_or_withheld(self, log: Log) -> None:
        async with log.tracking():
            await log.lose(MARIO)
            await log.record(served("2.1", MARIO), served("2.2", LUIGI), served("2.3", None))
            facts = await log.until(lambda found: len(found) == 3)
        assert {str(one.data.call): one.subject for one in facts} == {  # type: ignore[union-attr]
            "main:2.1": subjects.caller(MARIO),
            "main:2.2": subjects.elsewhere(LUIGI),
            "main:2.3": subjects.WITHHELD,
        }
        assert {one.data.queue for one in facts} == {"Vendite"}  # type: ignore[union-attr]

    async def test_the_same_record_again_and_a_restart_change_nothing(self, log: Log) -> None:
        await log.lose(MARIO)
        await log.record(outbound("1.1"), served("2.1"))
        async with log.tracking():
            await log.until(lambda found: len(found) == 2)
            await log.record(outbound("1.1"), again="later")
            await log.record(outbound("1.2"))
            await log.until(lambda found: len(found) == 3)
        async with log.tracking():
            await log.record(outbound("1.3"))
            facts = await log.until(lambda found: len(found) == 4)
        assert len({one.id for one in facts}) == 4

    async def test_killed_at_any_point_each_fact_is_there_once(self, log: Log) -> None:
        await log.lose(MARIO)
        await log.record(*(outbound(f"1.{number}") for number in range(40)))
        for written in (1, 2, 5, 11, 23, 31):
            async with log.tracking():
                await log.until(lambda found, least=written: len(found) >= least)  # type: ignore[misc]
        async with log.tracking():
            facts = await log.until(lambda found: len(found) >= 40)
        assert len(facts) == len({one.id for one in facts}) == 40

    async def test_what_cannot_be_read_is_kept_aside_and_the_rest_goes_on(self, log: Log) -> None:
        await publish(log.store.client, "richiamo.cdr.main", b"{}", message_id="bad")
        async with log.tracking():
            await log.record(outbound())
            assert len(await log.until(lambda found: len(found) == 1)) == 1
        dead = await log.store.client.jetstream().get_last_msg("DEAD", "richiamo.dead.tracker")
        assert dead.data == b"{}"
