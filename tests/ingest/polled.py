"""What is polled in the tests? A simulated Kalliope with lost calls in its records, and an ingest that asks for them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from richiamo_events.language import CallMissed
from richiamo_ingest.poll.marks import Marks
from richiamo_ingest.poll.schedule import Mark
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.clock import FixedClock
from tests.ingest.running import RunningIngest
from tests.kalliope.cdr import Record
from tests.kalliope.pbx import KalliopePbx

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def lost(at: datetime, number: str = "0501234567", **more: str) -> Record:
    """A call that waited a minute in `Vendite` and hung up, as the PBX writes it."""
    begin, end = (f"{one.astimezone(ROME):%Y-%m-%d %H:%M:%S}" for one in (at, at + timedelta(minutes=1)))
    summary = {
        "unique_id": f"{int(at.timestamp())}.1",
        "source_type": "ibl",
        "destination_type": "queue",
        "status": "CANCELED",
        "start_datetime": begin,
        "end_datetime": end,
        "caller": number,
        "called": "0509876543",
        "bill_secs": "60",
        **more,
    }
    leg = {
        "detail_destination_type": "queue",
        "detail_destination_name": "Vendite",
        "detail_enter_datetime": begin,
        "detail_enqueue_datetime": begin,
        "detail_exit_datetime": end,
        "detail_exit_cause": "CANCELED",
        "detail_waiting_time": "60",
    }
    return Record(summary, (leg,))


@dataclass
class Site:
    """A PBX, an ingest that polls it, and the clock of both."""

    pbx: KalliopePbx
    clock: FixedClock
    ingest: RunningIngest
    url: str
    settings: IngestSettings

    @property
    def polls(self) -> int:
        """How often records were asked for."""
        return sum("/rest/cdr/" in one for one in self.pbx.asked)

    async def mark(self) -> Mark | None:
        kept = await Marks(self.ingest.store.client).read("main")
        return kept.mark if kept else None

    async def marked(self, tried_at: datetime) -> Mark:
        """The mark after the poll of this instant."""
        async with asyncio.timeout(60):
            while (mark := await self.mark()) is None or mark.tried_at != tried_at:
                await asyncio.sleep(0.01)
        return mark

    async def poll(self, after: timedelta = FIVE) -> Mark:
        """Let time pass, and wait for the poll that is due then."""
        self.clock.advance(after)
        return await self.marked(self.clock.now())

    async def lost(self) -> list[str]:
        return [one.call.unique_id for one in await self.ingest.facts() if isinstance(one, CallMissed)]

    async def alarms(self) -> list[str]:
        return list((await self.ingest.pbx.get("/readyz")).json()["alarms"])
