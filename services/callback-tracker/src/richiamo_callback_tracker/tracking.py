"""How do call records become facts? In the order of their stream, each chunk wholly, then the bookmark moves.

Delivery: at least once. A chunk that was cut short by anything is done again; every fact has the id that its
record gives it, and those the view knows are left out, so the log holds each once.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from nats.aio.client import Client
from psycopg_pool import AsyncConnectionPool
from pydantic import ValidationError

from richiamo_callback_tracker.bookmark import Bookmark, held
from richiamo_callback_tracker.facts import Circumstances, Judged, fact_of, judge
from richiamo_callback_tracker.matching import Dial, Placed, Window, match
from richiamo_callback_tracker.view import SCHEMA, TrackerView
from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.records import RECORD, CallRecord
from richiamo_events.wire import type_of
from richiamo_kit import metrics, tracing
from richiamo_kit.errors import Unavailable
from richiamo_kit.log_view import SiteView
from richiamo_kit.projector import wait_for
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.messages import Stored
from richiamo_kit.store.port import EventStore
from richiamo_kit.store.publish import publish
from richiamo_kit.store.reader import follow_stream
from richiamo_kit.store.streams import CDR

_log = structlog.get_logger(__name__)
_PAUSE = 0.3
_VIEW_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Tracker:
    """One tracker; of several, one reads and the others stand by."""

    client: Client
    store: EventStore
    site: SiteView
    pool: AsyncConnectionPool
    database_url: str
    window: Window

    async def run(self) -> None:
        """Read call records until cancelled."""
        while True:
            try:
                async with held(self.database_url) as bookmark:
                    if bookmark is not None:
                        await self._read(bookmark)
            except Unavailable as error:
                _log.info("tracker_pauses", reason=str(error))
            await asyncio.sleep(_PAUSE)

    async def _read(self, bookmark: Bookmark) -> None:
        position = bookmark.position
        if position > await self._newest_record():
            _log.warning("call_records_begin_anew", bookmark=position)
            position = 0
        async with aclosing(follow_stream(self.client, CDR, position)) as chunks:
            async for chunk in chunks:
                with tracing.consequence("track call records", (tracing.of(stored.headers) for stored in chunk)):
                    await self.track(chunk)
                    await bookmark.move(chunk[-1].position)

    async def _newest_record(self) -> int:
        try:
            answer = await api_patiently(self.client, f"STREAM.INFO.{CDR}")
        except JetStreamError as error:
            raise Unavailable(str(error)) from error
        state = answer["state"]
        return int(state["last_seq"]) if isinstance(state, dict) else 0

    async def track(self, chunk: Sequence[Stored]) -> None:
        """Write the facts of these records; returns when the log has all. Raises `Unavailable`."""
        records = [record for stored in chunk if (record := await self._record(stored)) is not None]
        if not records:
            return
        await self._catch_up()
        judged = [judge(record, self.site.settings) for record in records]
        events = await self._facts(judged)
        await self.store.append_each(events)
        for event in events:
            metrics.FACTS.labels(type_of(event.data)).inc()
        _log.info("records_tracked", records=len(records), facts=len(events), position=chunk[-1].position)

    async def _facts(self, judged: Sequence[Judged]) -> list[NewEvent]:
        view = TrackerView(self.pool)
        callers = {one.record.customer for one in judged if one.record.customer is not None}
        placed = [found for one in judged if (found := one.placed) is not None]
        around = Circumstances(
            rules=self.site.rules,
            operators=self.site.operators,
            ever_lost=await view.ever_lost(callers) if callers else set(),
            dials=match(placed, await self._dials(view, placed), self.window) if placed else {},
        )
        made = {event.id: event for one in judged if (event := fact_of(one, around)) is not None}
        known = await view.written(made) if made else set()
        return [event for event in made.values() if event.id not in known]

    async def _dials(self, view: TrackerView, placed: Sequence[Placed]) -> list[Dial]:
        starts: list[datetime] = [one.started_at for one in placed]
        second = timedelta(seconds=1)
        since, until = min(starts) - self.window.after - second, max(starts) + self.window.before + second
        named = {one.call.unique_id for one in placed}
        return await view.dials({one.extension for one in placed}, since, until, named)

    async def _catch_up(self) -> None:
        """See a click that was committed just before, and users and settings as they are now."""
        await wait_for(self.pool, SCHEMA, await self.store.last_position(), _VIEW_WITHIN)
        newest = max(await self.store.last_on(subjects.SETTINGS), await self.store.last_on(subjects.OPERATORS))
        await self.site.wait_for(newest, _VIEW_WITHIN)

    async def _record(self, stored: Stored) -> CallRecord | None:
        try:
            return RECORD.validate_json(stored.body)
        except ValidationError as error:
            # It can never be read by this version: kept aside, and the others go on.
            _log.error("call_record_unreadable", position=stored.position, problems=error.error_count())
            await publish(
                self.client, "richiamo.dead.tracker", stored.body, message_id=f"cdr-{stored.position}", headers={}
            )
            return None
