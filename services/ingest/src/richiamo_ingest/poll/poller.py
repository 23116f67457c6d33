"""Which calls did the PBX record since we last asked? One poller, however many instances of ingest there are.

Delivery: the mark moves only after everything read up to it was kept for certain, by compare-and-set. A poller
that dies in between, or that was frozen while another took over, costs reading the same hours again: records
that are known change nothing.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
import structlog
from nats.aio.client import Client
from psycopg import AsyncConnection

from richiamo_events.settings import SiteSettings
from richiamo_ingest.kalliope.records import MASKED, Reading, Refusal
from richiamo_ingest.link import Link
from richiamo_ingest.poll.asking import KalliopeRecords
from richiamo_ingest.poll.marks import Kept, MarkMoved, Marks
from richiamo_ingest.poll.schedule import Mark, Window, due, first_mark, went_well, went_wrong, window
from richiamo_ingest.settings import IngestSettings
from richiamo_ingest.site import Site
from richiamo_ingest.taking import Taking
from richiamo_kit import database, metrics, tracing
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Unavailable
from richiamo_kit.kalliope_rest import KalliopeAccount, PbxTrouble, Trouble

_log = structlog.get_logger(__name__)

LOCK = "richiamo.cdr_poll"
_TICK = 0.5
"""Seconds between two looks at the clock and the settings."""
_STAND_BY = 2.0
_REMEMBERED = 50_000


def account_of(site: SiteSettings, settings: IngestSettings) -> KalliopeAccount:
    """Where and as whom call records are asked for. Raises `PbxTrouble` while something is not set."""
    try:
        password = settings.password_for_records
    except OSError:
        password = ""
    if not (site.pbx_url and site.cdr_user and password):
        raise PbxTrouble(Trouble.NOT_SET_UP)
    return KalliopeAccount(
        url=site.pbx_url,
        domain=site.pbx_domain,
        username=site.cdr_user,
        password=password,
        timeout_seconds=settings.cdr_timeout_seconds,
        certificates=str(settings.pbx_ca_file or ""),
    )


@dataclass(slots=True)
class Poller:
    """Asks while the setting `cdr_poll` is on and this instance holds the lock."""

    settings: IngestSettings
    site: Site
    link: Link
    taking: Taking
    clock: Clock
    _mark: Mark | None = None
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def alarm(self) -> str:
        """What is wrong, in words with the remedy; empty when the last poll went well or another instance polls."""
        mark = self._mark
        return mark.words if mark and self.site.settings.cdr_poll else ""

    async def run(self) -> None:
        """Poll until cancelled; loses the lock or its servers, and begins again."""
        while True:
            client = self.link.client
            if self.site.settings.cdr_poll and client is not None:
                try:
                    await self._hold_the_lock(client)
                except (psycopg.Error, Unavailable, MarkMoved, OSError) as error:
                    _log.warning("poll_interrupted", reason=str(error).strip())
                except Exception:
                    # The poll must outlive any fault; what comes from the PBX is never a reason to end it.
                    _log.exception("poll_failed")
                self._mark = None
            await asyncio.sleep(_STAND_BY if client else _TICK)

    async def _hold_the_lock(self, client: Client) -> None:
        database_url = self.settings.database_url.get_secret_value()
        async with await database.connect(database_url, autocommit=True, application="richiamo-poll") as connection:
            if await database.try_lock(connection, LOCK):
                await self._keep_polling(connection, Marks(client))

    async def _keep_polling(self, connection: AsyncConnection, marks: Marks) -> None:
        asked_with: SiteSettings | None = None
        kept: Kept | None = None
        while (site := self.site.settings).cdr_poll and self.link.client is not None:
            await connection.execute("SELECT 1")  # Raises when the connection, and with it the lock, is gone.
            now = self.clock.now()
            if kept is None or asked_with is None or asked_with.pbx_name != site.pbx_name:
                kept = await marks.read(site.pbx_name)
                self._show(kept.mark if kept else None, site)
            mark = kept.mark if kept else first_mark(now)
            since = due(mark, site, anew=asked_with != site)
            if since is None or now >= since:
                with tracing.entrance("poll"):
                    mark = await self._poll(mark, site)
                # Before the mark is kept: whoever reads the new mark finds its alarm too.
                self._show(mark, site)
                kept = await marks.write(site.pbx_name, mark, after=kept.position if kept else 0)
                asked_with = site
            await asyncio.sleep(_TICK)

    async def _poll(self, mark: Mark, site: SiteSettings) -> Mark:
        """One poll: ask, keep, and answer the mark that follows. Whatever fails, the PBX is left in peace for a while."""
        now = self.clock.now()
        asked: Window | None = None
        try:
            records = KalliopeRecords(account_of(site, self.settings), self.clock, self.settings.largest_records_body)
            asked = window(mark, site, now)
            reading = await records.read(asked, site)
            new = self._unseen(reading, site)
            taken = await self.taking.take(new, pbx=site.pbx_name, received_at=now)
            self._remember(new)
            _log.info("poll_read", pbx=site.pbx_name, calls=len(reading.records), new=taken.accepted, wide=asked.wide)
            if reading.masked:
                raise PbxTrouble(Trouble.MASKED)
        except PbxTrouble as trouble:
            return self._failed(mark, asked, now, site, trouble)
        except Exception as error:
            _log.exception("poll_failed")
            return self._failed(mark, asked, now, site, PbxTrouble(Trouble.NOT_KEPT, reason=type(error).__name__))
        metrics.POLLS.labels(site.pbx_name, "ok").inc()
        return went_well(mark, asked, now)

    def _failed(self, mark: Mark, asked: Window | None, now: datetime, site: SiteSettings, trouble: PbxTrouble) -> Mark:
        metrics.POLLS.labels(site.pbx_name, trouble.trouble.value).inc()
        _log.error("poll_fails", pbx=site.pbx_name, trouble=trouble.trouble.value, remedy=str(trouble))
        return went_wrong(mark, asked, now, trouble)

    def _unseen(self, reading: Reading, site: SiteSettings) -> Reading:
        """What this process has not taken in an earlier poll, without calls that still go on."""
        running = self.clock.now() - timedelta(minutes=site.cdr_overlap_minutes) / 2
        return Reading(
            records=[
                record
                for record in reading.records
                # A record without an end may be of a call that goes on: the overlap reads it again.
                if record.digest() not in self._seen and (record.ended_at is not None or record.at < running)
            ],
            refused=[one for one in reading.refused if one.reason == MASKED or _key(one) not in self._seen],
        )

    def _remember(self, reading: Reading) -> None:
        keys = [record.digest() for record in reading.records] + [_key(one) for one in reading.refused]
        for key in keys:
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _show(self, mark: Mark | None, site: SiteSettings) -> None:
        self._mark = mark
        if mark is None:
            return
        metrics.POLL_THROUGH.labels(site.pbx_name).set(mark.through.timestamp())
        if mark.succeeded_at is not None:
            metrics.POLL_LAST_SUCCESS.labels(site.pbx_name).set(mark.succeeded_at.timestamp())


def _key(refused: Refusal) -> str:
    """What tells one refused row from another; no numbers are kept for it."""
    return hashlib.sha256(repr(refused.row).encode()).hexdigest()
