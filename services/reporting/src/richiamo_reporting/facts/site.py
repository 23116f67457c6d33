"""Which settings did the site have, and when? The timeline as the view holds it."""

from psycopg import AsyncConnection, sql

from richiamo_events.envelope import Recorded
from richiamo_events.language import SettingsChanged
from richiamo_events.settings import Rules, SiteSettings
from richiamo_events.subjects import SETTINGS


async def read_rules(connection: AsyncConnection, initial: SiteSettings, schema: str) -> tuple[Rules, int]:
    """The timeline of settings that the view has folded, and the position of the newest change (0: none)."""
    rules, newest = Rules.initial(initial), 0
    found = await connection.execute(
        sql.SQL("SELECT position, recorded_at, changed FROM {} ORDER BY position").format(
            sql.Identifier(schema, "site_settings")
        )
    )
    async for position, recorded_at, changed in found:
        newest = position
        rules = rules.changed(
            Recorded(
                position=position,
                recorded_at=recorded_at,
                id="",
                subject=SETTINGS,
                data=SettingsChanged(values=changed),
                occurred_at=recorded_at,
                actor="",
                correlation_id="",
                causation_id="",
            )
        )
    return rules, newest
