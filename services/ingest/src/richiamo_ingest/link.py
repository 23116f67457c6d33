"""Are the log and the index there? The connection that ingest can live without, made in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import ParamSpec, TypeVar

import psycopg
import structlog
from nats.aio.client import Client
from psycopg_pool import PoolTimeout

from richiamo_events.settings import SiteSettings
from richiamo_ingest.call_index import SCHEMA, CallIndexProjection, DatabaseCallIndex
from richiamo_ingest.raw_streams import JetStreamRawStreams
from richiamo_ingest.settings import IngestSettings
from richiamo_ingest.site import Site
from richiamo_ingest.writing import Writer
from richiamo_kit.database import make_pool
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Unavailable
from richiamo_kit.log_view import SiteView
from richiamo_kit.projector import UNWATCHED_PAUSE, Projector, wait_for
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import ensure_streams

_log = structlog.get_logger(__name__)
_PAUSE = 0.3
_AFTER_FAILURE = 2.0
P = ParamSpec("P")
T = TypeVar("T")


class Link:
    """Connects, catches up, and then holds the `writer`; until then it is None and reports are spooled."""

    def __init__(self, settings: IngestSettings, site: Site, defaults: SiteSettings) -> None:
        self._settings = settings
        self._site = site
        self._defaults = defaults
        self.writer: Writer | None = None
        self.client: Client | None = None
        """The connection to NATS, there whenever the writer is."""

    async def run(self) -> None:
        """Connect and stay connected until cancelled; each of the parts reconnects by itself.

        Whatever fails for good here, such as an event of a future version, never ends the receiving: reports
        are spooled meanwhile, and it is said loudly.
        """
        while True:
            try:
                await self._stay_connected()
            except Exception:
                _log.exception("link_failed")
            self.writer = self.client = None
            await asyncio.sleep(_AFTER_FAILURE)

    async def _stay_connected(self) -> None:
        async with AsyncExitStack() as stack:
            client = await self._client()
            stack.push_async_callback(client.close)
            await self._until_done(ensure_streams, client, replicas=self._settings.nats_replicas)
            store = JetStreamEventStore(client)
            view = SiteView(store, self._defaults)
            stack.push_async_callback(view.stop)
            await self._until_done(view.start)
            self._site.follow(view)
            database_url = self._settings.database_url.get_secret_value()
            pool = make_pool(database_url, most=4, application="richiamo ingest", autocommit=True)
            stack.push_async_callback(pool.close)
            await pool.open()
            projecting = asyncio.create_task(
                Projector(store, CallIndexProjection(), database_url, pause=UNWATCHED_PAUSE).run()
            )
            stack.callback(projecting.cancel)
            newest = await self._until_done(store.last_position)
            await self._until_done(wait_for, pool, SCHEMA, newest, 2.0)
            self.client = client
            key_file = self._settings.directory_key_file or self._settings.data_dir / "secrets" / "directory.key"
            self.writer = Writer(
                store=store,
                raw=JetStreamRawStreams(client),
                directory=NatsDirectory(client, read_key(key_file)),
                index=DatabaseCallIndex(pool),
                rules=lambda: self._site.rules,
            )
            _log.info("connected", position=newest)
            await projecting

    async def missing(self) -> str | None:
        """What `/readyz` says before the first connection; later the spool stands in for the log."""
        return None if self.writer else "not connected to the log and PostgreSQL yet; reports are spooled"

    async def _client(self) -> Client:
        while True:
            try:
                return await connect(self._settings.nats_url.get_secret_value(), name="richiamo ingest")
            except Unavailable as error:
                _log.info("nats_not_there", reason=str(error))

    async def _until_done(self, step: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        while True:
            try:
                return await step(*args, **kwargs)
            except (Unavailable, psycopg.Error, PoolTimeout) as error:
                _log.info("not_there_yet", step=getattr(step, "__name__", ""), reason=str(error))
                await asyncio.sleep(_PAUSE)
