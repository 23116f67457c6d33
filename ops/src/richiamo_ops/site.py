"""How does a command reach the log and the views of the running system?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from richiamo_events import subjects
from richiamo_events.settings import Rules, SiteSettings
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.settings import Settings
from richiamo_kit.store.jetstream import JetStreamEventStore, connect
from richiamo_ops import endpoints
from richiamo_ops.settings import Installation


@dataclass(frozen=True, slots=True)
class Site:
    """What a command works with; `found.gateway` is where the API is."""

    store: JetStreamEventStore
    directory: NatsDirectory
    database_url: str
    defaults: SiteSettings
    found: endpoints.Endpoints


@asynccontextmanager
async def reached(command: str, installation: Installation | None = None) -> AsyncIterator[Site]:
    """The running system, found as `richiamo up` left word of it. Raises `Unavailable` when it does not run.

    Without `installation` it is the one that the environment names.
    """
    installation = installation or Installation()
    found = endpoints.find(installation)
    shared = Settings()
    client = await connect(found.nats_url, name=f"richiamo-{command}", wait=5.0)
    try:
        key_file = shared.directory_key_file or installation.folder / "secrets" / "directory.key"
        yield Site(
            store=JetStreamEventStore(client),
            directory=NatsDirectory(client, read_key(key_file)),
            database_url=found.database_url,
            defaults=SiteSettings(timezone=shared.site_timezone, country=shared.site_country),
            found=found,
        )
    finally:
        await client.close()


async def settings_now(site: Site) -> SiteSettings:
    """The settings in force, as the log has them."""
    rules = Rules.initial(site.defaults)
    async for event in site.store.read(subject=subjects.SETTINGS):
        rules = rules.changed(event)
    return rules.current


def instant(text: str, site: SiteSettings) -> datetime:
    """An ISO 8601 instant; without an offset it is one of the site's zone. Raises `Problem`."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            400, "no-instant", f"{text!r} is no instant: write 2026-03-02T10:00 or 2026-03-02T10:00+01:00."
        ) from None
    return given if given.tzinfo is not None else given.replace(tzinfo=site.zone)
