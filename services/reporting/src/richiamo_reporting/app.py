"""How is the reporting service put together, and how does it end?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psycopg
import structlog
from faststream.nats import NatsBroker
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.clock import Clock, SystemClock
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.health import Health
from richiamo_kit.lifetime import run_until_signal
from richiamo_kit.messaging import make_broker
from richiamo_kit.observation import database_is_there, log_is_there, observed
from richiamo_kit.projector import UNWATCHED_PAUSE, Projector
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import ensure_streams
from richiamo_reporting.answers import declare
from richiamo_reporting.audit.projection import AuditTrail
from richiamo_reporting.audit.query import Audit
from richiamo_reporting.bi.views import ensure_bi
from richiamo_reporting.facts.projection import SCHEMA, ReportingFacts
from richiamo_reporting.reconciliation import Reconciliation
from richiamo_reporting.reports import Reports
from richiamo_reporting.settings import Settings
from richiamo_reporting.workbook_jobs import WorkbookJobs

_CONNECTIONS = 8
_LOOK_AGAIN = 0.05
_BI_LOOK_AGAIN = 30.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """One instance, put together: its view follows the log, the BI schema stands on it, and it answers questions."""

    projector: Projector
    trail: Projector
    broker: NatsBroker
    pool: AsyncConnectionPool
    site_timezone: str
    health: Health
    reconciliation: Reconciliation
    jobs: WorkbookJobs

    async def answer(self) -> None:
        """Answer questions until cancelled, from the instant at which some instance has made the view."""
        while not await self._view_is_there():
            await asyncio.sleep(_LOOK_AGAIN)
        await self.broker.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.broker.stop()

    async def keep_bi(self) -> None:
        """Make the BI schema whenever it is not there: at the start, and after the view was rebuilt."""
        while not await self._view_is_there():
            await asyncio.sleep(_LOOK_AGAIN)
        while True:
            try:
                await ensure_bi(self.pool, SCHEMA, self.site_timezone)
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("bi_schema_not_made", reason=str(error).strip())
            await asyncio.sleep(_BI_LOOK_AGAIN)

    async def _view_is_there(self) -> bool:
        try:
            async with self.pool.connection() as connection:
                found = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.horizon",))
                row = await found.fetchone()
        except (psycopg.OperationalError, PoolTimeout) as error:
            _log.warning("database_not_there", reason=str(error).strip())
            return False
        return row is not None and bool(row[0])


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    async with assembled(settings) as service:
        await run_until_signal(
            service.projector.run,
            service.trail.run,
            service.answer,
            service.keep_bi,
            service.reconciliation.run,
            service.jobs.run,
            observed(settings, service.health),
        )


@asynccontextmanager
async def assembled(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Service]:
    """An instance whose parts are the caller's to run while the context lasts."""
    nats_url = settings.nats_url.get_secret_value()
    database_url = settings.database_url.get_secret_value()
    initial = SiteSettings(timezone=settings.site_timezone, country=settings.site_country)
    async with AsyncExitStack() as stack:
        client = await connect(nats_url, name="richiamo-reporting")
        stack.push_async_callback(client.close)
        await ensure_streams(client, replicas=settings.nats_replicas)
        pool = database.make_pool(database_url, most=_CONNECTIONS, application="richiamo-reporting")
        stack.push_async_callback(pool.close)
        await pool.open(wait=True, timeout=30)
        directory = NatsDirectory(
            client, read_key(settings.directory_key_file or settings.data_dir / "secrets" / "directory.key")
        )
        broker = make_broker(nats_url, name="richiamo-reporting-answers")
        reports = Reports(pool, directory, initial, clock or SystemClock())
        jobs = WorkbookJobs(reports, pool, clock or SystemClock(), settings.data_dir / "workbooks")
        declare(broker, reports, Audit(pool, directory, reports), jobs)
        health = Health()
        health.add("log", log_is_there(client))
        health.add("database", database_is_there(pool))
        store = JetStreamEventStore(client)
        yield Service(
            projector=Projector(store, ReportingFacts(initial), database_url, pause=UNWATCHED_PAUSE),
            trail=Projector(store, AuditTrail(), database_url, pause=UNWATCHED_PAUSE),
            broker=broker,
            pool=pool,
            site_timezone=settings.site_timezone,
            health=health,
            reconciliation=Reconciliation(reports),
            jobs=jobs,
        )
