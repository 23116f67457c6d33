"""How is the queue service put together, and how does it end?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import nats.errors
import psycopg
import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from richiamo_events import subjects
from richiamo_events.settings import SiteSettings
from richiamo_kit import database, tracing
from richiamo_kit.clock import Clock, SystemClock
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Unavailable
from richiamo_kit.health import Health
from richiamo_kit.lifetime import run_until_signal
from richiamo_kit.log_view import SiteView
from richiamo_kit.messaging import answering, make_broker
from richiamo_kit.observation import database_is_there, log_is_there, observed
from richiamo_kit.projector import Projector, wait_for
from richiamo_kit.raw_records import erase_raw_records, kept_by_several_nodes
from richiamo_kit.settling import settled
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import ensure_streams
from richiamo_queue.answers import GROUP, Questions, declare
from richiamo_queue.carrying_out import CarryOut
from richiamo_queue.changes import SUBJECT, Changes
from richiamo_queue.commanding import Commanding, Tools
from richiamo_queue.dialling.checking import DiallingCheck
from richiamo_queue.dialling.choice import Diallers
from richiamo_queue.dialling.living import Living
from richiamo_queue.forgetting import Forgetting
from richiamo_queue.notebook import Notebook
from richiamo_queue.notes.kept import NatsNotes
from richiamo_queue.notes.noting import Noting
from richiamo_queue.scrubbing import scrub
from richiamo_queue.settings import Settings
from richiamo_queue.states import States
from richiamo_queue.sweep import Sweep
from richiamo_queue.worklist.for_analysts import ensure_numbers
from richiamo_queue.worklist.projection import SCHEMA, WorklistProjection
from richiamo_queue.worklist.query import Worklist, view_is_there
from richiamo_queue.worklist.rows_query import Rows

_CONNECTIONS = 16
_LOOK_AGAIN = 0.05
_NUMBERS_LOOK_AGAIN = 30.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """One instance, put together: its view follows the log, its timers sweep, and it answers questions."""

    projector: Projector
    sweep: Sweep
    broker: NatsBroker
    pool: AsyncConnectionPool
    health: Health
    catch_up_site: Callable[[], Awaitable[None]]

    async def answer(self) -> None:
        """Answer questions until cancelled, from the instant at which some instance has made the view."""
        while not await view_is_there(self.pool):
            await asyncio.sleep(_LOOK_AGAIN)
        await self.broker.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.broker.stop()

    async def keep_numbers(self) -> None:
        """Make the analysts' view of numbers whenever it is not there: at the start, and after a rebuild."""
        while not await view_is_there(self.pool):
            await asyncio.sleep(_LOOK_AGAIN)
        while True:
            try:
                await ensure_numbers(self.pool)
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("numbers_not_open_to_analysts", reason=str(error).strip())
            await asyncio.sleep(_NUMBERS_LOOK_AGAIN)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    async with assembled(settings) as service:
        await run_until_signal(
            service.projector.run,
            service.sweep.run,
            service.answer,
            service.keep_numbers,
            observed(settings, service.health),
        )


@asynccontextmanager
async def assembled(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Service]:
    """An instance whose parts are the caller's to run while the context lasts."""
    clock = clock or SystemClock()
    nats_url = settings.nats_url.get_secret_value()
    database_url = settings.database_url.get_secret_value()
    defaults = SiteSettings(timezone=settings.site_timezone, country=settings.site_country)
    async with AsyncExitStack() as stack:
        client = await connect(nats_url, name="richiamo-queue")
        stack.push_async_callback(client.close)
        await ensure_streams(client, replicas=settings.nats_replicas)
        pool = await _open_pool(stack, database_url)
        store = JetStreamEventStore(client)
        site = SiteView(store, defaults)
        await site.start()
        stack.push_async_callback(site.stop)
        notebook = Notebook(pool)
        await notebook.prepare()
        stack.push_async_callback(notebook.write_activity)
        directory = NatsDirectory(
            client, read_key(settings.directory_key_file or settings.data_dir / "secrets" / "directory.key")
        )
        notes = NatsNotes(client)
        changes = Changes(_publisher(client))
        states = States(pool)
        carry_out = CarryOut(store, pool, states)
        diallers = Diallers(settings, lambda: site.settings, clock)
        tools = Tools(
            carry_out=carry_out,
            states=states,
            notebook=notebook,
            directory=directory,
            forgetting=Forgetting(
                directory,
                notes,
                partial(settled, client),
                partial(erase_raw_records, client),
                _seen_by_view(pool),
                partial(scrub, database_url),
                partial(kept_by_several_nodes, client),
            ),
            dialler=diallers.chosen,
            site=site,
            catch_up_site=_catching_up(store, site),
            clock=clock,
        )
        commanding, rows = Commanding(tools), Rows(pool, site, clock)
        noting = Noting(notes, rows, commanding, site, lambda caller: store.last_on(subjects.caller(caller)))
        questions = Questions(Worklist(pool, site, clock), rows, store=store, site=site, noting=noting)
        broker = make_broker(nats_url, name="richiamo-queue-answers")
        stack.push_async_callback(commanding.close)
        declare(broker, commanding, questions, noting)
        checking = DiallingCheck(settings, lambda: site.settings, clock)
        answering(broker, "richiamo.queue.test_dialling", queue=GROUP)(checking.answer)
        health = Health()
        health.add("log", log_is_there(client))
        health.add("database", database_is_there(pool))
        yield Service(
            projector=Projector(store, WorklistProjection(directory, defaults), database_url, changes.tell),
            sweep=Sweep(
                database_url,
                carry_out=carry_out,
                notebook=notebook,
                changes=changes,
                settings=lambda: site.settings,
                living=Living(diallers.naming_calls),
                clock=clock,
            ),
            broker=broker,
            pool=pool,
            health=health,
            catch_up_site=tools.catch_up_site,
        )


async def _open_pool(stack: AsyncExitStack, database_url: str) -> AsyncConnectionPool:
    pool = database.make_pool(database_url, most=_CONNECTIONS, application="richiamo-queue", autocommit=True)
    stack.push_async_callback(pool.close)
    await pool.open(wait=True, timeout=30)
    return pool


def _seen_by_view(pool: AsyncConnectionPool) -> Callable[[int], Awaitable[None]]:
    async def seen(position: int) -> None:
        await wait_for(pool, SCHEMA, position)

    return seen


def _publisher(client: Client) -> Callable[[bytes], Awaitable[None]]:
    async def publish(body: bytes) -> None:
        try:
            await client.publish(SUBJECT, body, headers=tracing.headers() or None)
        except nats.errors.Error as error:
            raise Unavailable(f"the change could not be told: {error}") from error

    return publish


def _catching_up(store: JetStreamEventStore, site: SiteView) -> Callable[[], Awaitable[None]]:
    async def catch_up() -> None:
        await site.wait_for(max(await store.last_on(subjects.SETTINGS), await store.last_on(subjects.OPERATORS)))

    return catch_up
