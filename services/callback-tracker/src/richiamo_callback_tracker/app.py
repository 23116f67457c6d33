"""What runs in the callback tracker? Its view of the log, and the reading of call records."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from richiamo_callback_tracker.matching import Window
from richiamo_callback_tracker.settings import TrackerSettings
from richiamo_callback_tracker.tracking import Tracker
from richiamo_callback_tracker.view import TrackerProjection
from richiamo_events.settings import SiteSettings
from richiamo_kit.database import make_pool
from richiamo_kit.health import Health
from richiamo_kit.lifetime import run_until_signal
from richiamo_kit.log_view import SiteView
from richiamo_kit.observation import database_is_there, log_is_there, observed
from richiamo_kit.projector import UNWATCHED_PAUSE, Projector
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import ensure_streams

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """One instance, put together; both parts run until cancelled."""

    projector: Projector
    tracker: Tracker
    health: Health


async def run(settings: TrackerSettings) -> None:
    """Track until SIGTERM or SIGINT."""
    async with assembled(settings) as service:
        _log.info("callback_tracker_starts")
        await run_until_signal(service.projector.run, service.tracker.run, observed(settings, service.health))


@asynccontextmanager
async def assembled(settings: TrackerSettings) -> AsyncIterator[Service]:
    """An instance whose parts are the caller's to run while the context lasts."""
    database_url = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        client = await connect(settings.nats_url.get_secret_value(), name="richiamo-callback-tracker")
        stack.push_async_callback(client.close)
        await ensure_streams(client, replicas=settings.nats_replicas)
        store = JetStreamEventStore(client)
        site = SiteView(store, SiteSettings(timezone=settings.site_timezone, country=settings.site_country))
        stack.push_async_callback(site.stop)
        await site.start()
        pool = make_pool(database_url, most=4, application="richiamo tracker", autocommit=True)
        stack.push_async_callback(pool.close)
        await pool.open()
        window = Window(
            timedelta(seconds=settings.dial_window_before_seconds),
            timedelta(seconds=settings.dial_window_after_seconds),
        )
        health = Health()
        health.add("log", log_is_there(client))
        health.add("database", database_is_there(pool))
        yield Service(
            Projector(store, TrackerProjection(), database_url, pause=UNWATCHED_PAUSE),
            Tracker(client, store, site, pool, database_url, window),
            health,
        )
