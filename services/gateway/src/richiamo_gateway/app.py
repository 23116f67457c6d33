"""What runs in the gateway's process? Connects to log, database and services, then serves until told to end."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from fastapi import FastAPI
from faststream.nats import NatsBroker
from nats.aio.client import Client
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_events.settings import SiteSettings
from richiamo_gateway.api.commands import Answered
from richiamo_gateway.auth import schema
from richiamo_gateway.auth.credentials import Credentials
from richiamo_gateway.auth.desks import Desks
from richiamo_gateway.auth.sessions import Sessions
from richiamo_gateway.auth.tokens import Tokens
from richiamo_gateway.boards.storage import Boards
from richiamo_gateway.context import Gateway, Inside
from richiamo_gateway.engine import make_engine
from richiamo_gateway.feed import JetStreamFeed
from richiamo_gateway.http import make_app
from richiamo_gateway.live import Live
from richiamo_gateway.looks.storage import Looks
from richiamo_gateway.people import People
from richiamo_gateway.settings import GatewaySettings
from richiamo_gateway.site_rules import SiteRules
from richiamo_kit.clock import Clock, SystemClock
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.health import Check, Health
from richiamo_kit.lifetime import run_until_signal
from richiamo_kit.log_view import SiteView
from richiamo_kit.messaging import ask, make_broker
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import ensure_streams

if TYPE_CHECKING:
    from richiamo_gateway.auth.oidc.sign_on import SignOn

_POOL_SIZE = 10
_PATIENCE_SECONDS = 60.0
"""How long the start waits for PostgreSQL."""
_LOOK_AGAIN_SECONDS = 0.3
_CHECK_SECONDS = 1.0
_END_STREAMS_SECONDS = 2
"""A stream that a browser holds open would keep the server from ending."""

_log = structlog.get_logger(__name__)


class Services:
    """The other services, behind the broker."""

    def __init__(self, broker: NatsBroker) -> None:
        self._broker = broker

    async def ask(self, subject: str, payload: Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]:
        """The answer of whichever service listens on `subject`."""
        return await ask(self._broker, subject, payload, timeout)


@dataclass(frozen=True, slots=True)
class Running:
    """An application whose connections are open, and its live changes, which end before the server does."""

    app: FastAPI
    live: Live


@asynccontextmanager
async def gateway_app(settings: GatewaySettings, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Opens every connection, follows the log, and closes all of it at the end."""
    now = clock or SystemClock()
    engine = make_engine(settings.database_url.get_secret_value(), most=_POOL_SIZE)
    nats_url = settings.nats_url.get_secret_value()
    broker = make_broker(nats_url, name="richiamo-gateway")
    client = await connect(nats_url, name="richiamo-gateway-log")
    tasks: set[asyncio.Task[None]] = set()
    store = JetStreamEventStore(client)
    site = SiteView(store, SiteSettings(timezone=settings.site_timezone, country=settings.site_country))
    try:
        await _database_prepared(engine)
        await ensure_streams(client, replicas=settings.nats_replicas)
        await broker.start()
        await site.start()
        live = Live(Services(broker), JetStreamFeed(client, replicas=settings.nats_replicas), store.last_position)
        sessions = Sessions(engine, Credentials(engine), site, now)
        people = People(store, site, sessions, now, settings.password_min_length)
        await _first_admin(people, settings)
        gateway = Gateway(
            inside=Services(broker),
            site=site,
            sessions=sessions,
            tokens=Tokens(engine, site, now),
            people=people,
            desks=Desks(engine, people, sessions, site),
            rules=SiteRules(store, site, now),
            answered=Answered(engine, now),
            live=live,
            clock=now,
            settings=settings,
            boards=Boards(engine),
            looks=Looks(engine),
            log_end=store.last_position,
            sign_on=_sign_on(settings, engine, site=site, people=people, sessions=sessions, clock=now),
            background=tasks,
        )
        tasks.add(asyncio.create_task(live.run(), name="live"))
        tasks.add(asyncio.create_task(gateway.desks.keep_free(), name="desks"))
        yield Running(make_app(gateway, _checks(engine, client, gateway.inside)), live)
    finally:
        ending = list(tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await site.stop()
        await broker.stop()
        await client.close()
        await engine.dispose()


def _sign_on(
    settings: GatewaySettings, engine: AsyncEngine, *, site: SiteView, people: People, sessions: Sessions, clock: Clock
) -> "SignOn | None":
    if not settings.oidc_issuer:
        return None
    # A third of a second of imports that most installations do not need.
    from richiamo_gateway.auth.oidc.sign_on import SignOn  # noqa: PLC0415

    return SignOn(settings, engine, site=site, people=people, sessions=sessions, clock=clock)


async def _database_prepared(engine: AsyncEngine) -> None:
    """Make the gateway's own tables, once PostgreSQL is there. Raises what it says after half a minute."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while True:
        try:
            await schema.prepare(engine)
        except OperationalError:
            if loop.time() >= deadline:
                raise
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return


async def _first_admin(people: People, settings: GatewaySettings) -> None:
    password = settings.admin_password
    if await people.ensure_admin(password.get_secret_value() if password else None):
        _log.info("admin_created", username="admin")


def _checks(engine: AsyncEngine, client: Client, inside: Inside) -> Health:
    health = Health()

    async def database() -> str | None:
        async with asyncio.timeout(2), engine.connect() as connection:
            await connection.execute(select(1))
        return None

    async def log() -> str | None:
        return None if client.is_connected else "NATS is not connected"

    def answers(subject: str) -> Check:
        async def check() -> str | None:
            try:
                await inside.ask(subject, {}, _CHECK_SECONDS)
            except Problem as problem:
                # An empty question is refused by whoever is able to answer.
                return problem.title if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else None
            except Unavailable as error:
                return str(error)
            return None

        return check

    health.add("database", database)
    health.add("log", log)
    health.add("queue", answers("richiamo.queue.timeline"))
    health.add("reporting", answers("richiamo.reporting.requests"))
    return health


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the process has one for all its parts."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to `run_until_signal`."""
        yield


async def run(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT; open streams are ended, then all connections, within 5 s."""
    async with gateway_app(settings) as running:
        config = uvicorn.Config(
            running.app,
            host=settings.gateway_host,
            port=settings.gateway_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_END_STREAMS_SECONDS,
        )
        server = _Server(config)

        async def serve() -> None:
            serving = asyncio.create_task(server.serve(), name="uvicorn")
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                running.live.close()
                server.should_exit = True
                await serving
                raise

        await run_until_signal(serve)
