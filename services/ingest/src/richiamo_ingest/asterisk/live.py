"""Who listens to a living Asterisk? A client of its AMI that reconnects, and says what it may have missed.

Delivery: an event is taken into the log or the spool before the next is heard. What happened while there was
no connection is lost to this way in: the gap is logged and measured, and `richiamo import queue_log` fills it.
Several listeners do no harm: the same event makes the same fact.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from richiamo_events.settings import SiteSettings
from richiamo_ingest.asterisk.events import CLASSES, Ear, Gathering
from richiamo_ingest.asterisk.parse import CdrRow
from richiamo_ingest.asterisk.translate import Reader
from richiamo_ingest.intake import Intake
from richiamo_ingest.reports import CallReport, NotUnderstood, RecordReport
from richiamo_kit import metrics, tracing
from richiamo_kit.ami import AmiAccount, AmiConnection, AmiLost, AmiRefused, LoginRefused, Message, connected
from richiamo_kit.clock import Clock

_log = structlog.get_logger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_AFTER_REFUSAL = 30.0
_LOOK_EVERY = 0.5
_PING_AFTER = 15.0
_DEAD_AFTER = 40.0
_WORTH_NAMING = 0.3
_REMEDY = "import queue_log and Master.csv of that time: richiamo import FILE"
_MARK_EVERY = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True)
class Listener:
    """Listens to one PBX until cancelled; `utc` says that its call records are in UTC and not in its zone."""

    account: AmiAccount
    pbx: str
    intake: Intake
    site: Callable[[], SiteSettings]
    clock: Clock
    utc: bool = False
    gathering: Gathering = field(default_factory=Gathering)
    heard_file: Path | None = None
    """Keeps the instant at which the PBX was last heard, so that a gap across a restart is named too."""
    deaf_since: datetime | None = None
    """Since when nothing is heard; None while connected."""
    _marked: datetime | None = None
    _ear: Ear = field(init=False)

    def __post_init__(self) -> None:
        self._ear = Ear(self.pbx)

    async def run(self) -> None:
        """Connect, listen, and again."""
        pause = _FIRST_PAUSE
        self.deaf_since = self._last_heard() or self.clock.now()
        metrics.AMI_CONNECTED.labels(self.pbx).set(0)
        while True:
            try:
                async with connected(self.account, events=CLASSES) as connection:
                    self._hears()
                    pause = _FIRST_PAUSE
                    await self._listen(connection)
            except LoginRefused as error:
                _log.error("ami_login_refused", pbx=self.pbx, reason=str(error))
                pause = max(pause, _AFTER_REFUSAL)
            except (AmiLost, AmiRefused) as error:
                _log.warning("ami_lost", pbx=self.pbx, reason=str(error))
            finally:
                self._deaf()
                await self._take_due(all_of_them=True)
            # Not all listeners of a PBX that starts again come at once.
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _hears(self) -> None:
        if self.deaf_since is not None:
            now = self.clock.now()
            gap = (now - self.deaf_since).total_seconds()
            metrics.AMI_GAP_SECONDS.labels(self.pbx).inc(max(0.0, gap))
            if gap >= _WORTH_NAMING:
                since, until = self.deaf_since.isoformat(), now.isoformat()
                _log.warning("ami_gap", pbx=self.pbx, since=since, until=until, seconds=round(gap), remedy=_REMEDY)
        self.deaf_since = None
        metrics.AMI_CONNECTED.labels(self.pbx).set(1)
        _log.info("ami_connected", pbx=self.pbx, host=self.account.host)

    def _deaf(self) -> None:
        if self.deaf_since is None:
            self.deaf_since = self.clock.now()
            self._mark(self.deaf_since)
        metrics.AMI_CONNECTED.labels(self.pbx).set(0)

    async def _listen(self, connection: AmiConnection) -> None:
        loop = asyncio.get_running_loop()
        heard_at, pinged = loop.time(), False
        while True:
            message = await connection.event(_LOOK_EVERY if self.gathering.waits else _PING_AFTER)
            if message is not None:
                heard_at, pinged = loop.time(), False
                self._mark_now_and_then()
                await self._take(message)
            elif loop.time() - heard_at >= _DEAD_AFTER:
                raise AmiLost("The PBX is silent: it does not answer a ping.")
            elif loop.time() - heard_at >= _PING_AFTER and not pinged:
                await connection.send("Ping")
                pinged = True
            await self._take_due()

    async def _take(self, message: Message) -> None:
        now = self.clock.now()
        name = message.get("event", "")
        try:
            told = self._ear.hear(message, now)
        except NotUnderstood as error:
            _log.warning("ami_event_not_understood", pbx=self.pbx, name=name[:40], reason=str(error))
            metrics.QUARANTINED.labels(self.pbx, "ami").inc()
            return
        if told is None:
            return
        metrics.AMI_EVENTS.labels(self.pbx, name).inc()
        if isinstance(told, CdrRow):
            self.gathering.add(told, now)
        else:
            await self._keep(told)

    async def _take_due(self, *, all_of_them: bool = False) -> None:
        settings = self.site()
        reader = Reader(
            pbx=self.pbx,
            zone=ZoneInfo("UTC") if self.utc else settings.pbx_zone,
            internal_digits=settings.internal_digits,
            received_at=self.clock.now(),
            answered=self._ear.answered,
        )
        for rows in self.gathering.due(self.clock.now(), all_of_them=all_of_them):
            try:
                record = reader.record(rows)
            except NotUnderstood as error:
                _log.warning("ami_record_not_understood", pbx=self.pbx, reason=str(error))
                metrics.QUARANTINED.labels(self.pbx, "ami").inc()
                continue
            if record is not None:
                await self._keep(RecordReport(record=record))

    async def _keep(self, report: CallReport) -> None:
        """Into the log or the spool; what can be in neither is said loudly, and the next event is heard."""
        try:
            with tracing.entrance(f"hear {report.kind}"):
                outcome = (await self.intake.take([report]))[0]
        except Exception as error:
            _log.exception("ami_report_not_kept", call=str(report.call))
            await self._put_aside(report, type(error).__name__)
            return
        if report.kind == "lost":
            metrics.LOST_CALLS.labels(self.pbx, "ami", outcome.value).inc()
        elif report.kind == "record":
            metrics.CALL_RECORDS.labels(self.pbx, "duplicate" if outcome.value == "duplicate" else "accepted").inc()
        _log.info("ami_report", kind=report.kind, call=str(report.call), result=outcome.value)

    async def _put_aside(self, report: CallReport, reason: str) -> None:
        try:
            await self.intake.take([self.intake.put_aside_of(report, reason)])
        except OSError:
            _log.exception("ami_report_lost", call=str(report.call))

    def _mark_now_and_then(self) -> None:
        now = self.clock.now()
        if self._marked is None or now - self._marked >= _MARK_EVERY:
            self._mark(now)

    def _mark(self, heard_at: datetime) -> None:
        self._marked = heard_at
        if self.heard_file is None:
            return
        try:
            self.heard_file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.heard_file.with_suffix(".new")
            fresh.write_text(heard_at.isoformat())
            fresh.replace(self.heard_file)
        except OSError as error:
            _log.warning("ami_mark_not_kept", reason=str(error))

    def _last_heard(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.heard_file.read_text()) if self.heard_file else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.warning("ami_mark_unreadable", reason=str(error))
            return None
