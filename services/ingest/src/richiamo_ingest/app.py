"""What runs in ingest? HTTP for the PBX from the first moment, the connection to the log, the spool's way out."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog
import uvicorn

from richiamo_events.settings import SiteSettings
from richiamo_ingest.access import Access, Keys
from richiamo_ingest.answers import Answers
from richiamo_ingest.asterisk.live import Listener
from richiamo_ingest.http import Edge, make_app
from richiamo_ingest.intake import Intake
from richiamo_ingest.link import Link
from richiamo_ingest.poll.poller import Poller
from richiamo_ingest.quarantined import Quarantined
from richiamo_ingest.settings import IngestSettings
from richiamo_ingest.settling import Settling
from richiamo_ingest.site import Site
from richiamo_ingest.spool import Spool
from richiamo_ingest.taking import Taking
from richiamo_kit import metrics
from richiamo_kit.clock import Clock, SystemClock
from richiamo_kit.health import Health
from richiamo_kit.lifetime import run_until_signal
from richiamo_kit.together import ended

_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: the service ends as a whole."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class Service:
    """A running ingest."""

    link: Link
    intake: Intake
    site: Site
    quarantined: Quarantined
    server: uvicorn.Server
    parts: Sequence[asyncio.Task[None]]

    @property
    def port(self) -> int:
        """The port it listens on; the one chosen when the settings said 0."""
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    async def fails(self) -> None:
        """Return or raise when one of the parts does, which none should."""
        done, _ = await asyncio.wait(self.parts, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def run(settings: IngestSettings) -> None:
    """Serve until SIGTERM or SIGINT; what is being received then is still kept and answered."""
    _log.info("ingest_starts", host=settings.ingest_host, port=settings.ingest_port)
    async with serving(settings) as service:
        await run_until_signal(service.fails)
    _log.info("ingest_ended", spooled=service.intake.spool.entries)


@asynccontextmanager
async def serving(settings: IngestSettings, clock: Clock | None = None) -> AsyncIterator[Service]:
    """Serve while the context lasts; it begins when the port is open, whether or not the log is there."""
    clock = clock or SystemClock()
    defaults = SiteSettings(timezone=settings.site_timezone, country=settings.site_country)
    site = Site(defaults, settings.data_dir / "ingest" / "settings.json")
    link = Link(settings, site, defaults)
    intake = Intake(Spool(settings.data_dir / "spool"), lambda: link.writer, clock)
    metrics.DISK_FREE.labels(folder="data").set_function(lambda: shutil.disk_usage(settings.data_dir).free)
    health = Health()
    health.add("log", link.missing)
    taking = Taking(intake, site)
    quarantined = Quarantined(intake, taking, site, link)
    poller = Poller(settings, site, link, taking, clock)
    edge = Edge(
        intake=intake,
        taking=taking,
        site=site,
        access=Access(_keys(settings), clock),
        clock=clock,
        largest_records_body=settings.largest_records_body,
        poll_alarm=poller.alarm,
    )
    server = _Server(
        uvicorn.Config(
            make_app(edge, health),
            host=settings.ingest_host,
            port=settings.ingest_port,
            timeout_graceful_shutdown=2,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # Whom to believe is a setting: `access` looks at them itself.
        )
    )
    serve = asyncio.create_task(server.serve(), name="http")
    background = [
        asyncio.create_task(link.run(), name="link"),
        asyncio.create_task(intake.drain(), name="drain"),
        asyncio.create_task(poller.run(), name="poll"),
        asyncio.create_task(quarantined.run(), name="quarantine"),
        asyncio.create_task(Answers(settings, site, link, clock, quarantined).run(), name="answers"),
        asyncio.create_task(Settling(settings, link, intake).run(), name="settling"),
        *(asyncio.create_task(one.run(), name="ami") for one in _listeners(settings, intake, site, clock)),
    ]
    try:
        while not server.started:
            if serve.done():
                raise OSError(f"ingest cannot listen on {settings.ingest_host}:{settings.ingest_port}")
            await asyncio.sleep(0.01)
        yield Service(link, intake, site, quarantined, server, [serve, *background])
    finally:
        # The writer must outlive the last request: HTTP ends first, then what it stands on.
        server.should_exit = True
        await asyncio.gather(serve, return_exceptions=True)
        await ended(background)


def _listeners(settings: IngestSettings, intake: Intake, site: Site, clock: Clock) -> Sequence[Listener]:
    """Nobody, unless the environment names an AMI and asks for its events."""
    account = settings.ami_account() if settings.ami_events else None
    if account is None:
        return []
    return [
        Listener(
            account=account,
            pbx=settings.ami_pbx,
            intake=intake,
            site=lambda: site.settings,
            clock=clock,
            utc=settings.ami_utc,
            heard_file=settings.data_dir / "ingest" / f"ami-{settings.ami_pbx}.heard",
        )
    ]


def _keys(settings: IngestSettings) -> Keys:
    named = settings.pbx_certificate_header, settings.pbx_certificate_name
    return Keys(
        user=settings.pbx_user,
        password=settings.pbx_password.get_secret_value(),
        addresses=settings.pbx_addresses,
        proxies=settings.trusted_proxies,
        certificate=named if all(named) else None,
    )
