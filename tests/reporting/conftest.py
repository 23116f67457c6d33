"""What does a test of the reports need? The view on a real PostgreSQL, folded from a log it writes itself."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest_asyncio
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from richiamo_events.directory import MemoryDirectory
from richiamo_events.envelope import Recorded
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.clock import FixedClock
from richiamo_reporting.facts.projection import ReportingFacts
from richiamo_reporting.reports import Reports


class View:
    """One view under test; every log starts it anew."""

    def __init__(self, connection: AsyncConnection, pool: AsyncConnectionPool, site: SiteSettings, schema: str) -> None:
        self.connection = connection
        self.pool = pool
        self.site = site
        self.schema = schema
        self.clock = FixedClock(datetime(2030, 1, 1, tzinfo=UTC))
        self.directory = MemoryDirectory()
        self.projection = ReportingFacts(site, schema)

    @property
    def reports(self) -> Reports:
        return Reports(self.pool, self.directory, self.site, self.clock, self.schema)

    async def begin(self, site: SiteSettings | None = None) -> None:
        """Empty tables."""
        self.site = site or self.site
        self.projection = ReportingFacts(self.site, self.schema)
        name = sql.Identifier(self.schema)
        async with self.connection.transaction():
            await self.connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
            await self.connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
            await self.connection.execute(sql.SQL("CREATE TABLE {}.checkpoint (position bigint NOT NULL)").format(name))
            await self.connection.execute(sql.SQL("INSERT INTO {}.checkpoint VALUES (0)").format(name))
            for statement in self.projection.ddl():
                await self.connection.execute(statement.encode())
            await self.projection.start(self.connection)

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """One batch as the projector would write it."""
        async with self.connection.transaction():
            await self.projection.apply(self.connection, batch)
            await self.connection.execute(
                sql.SQL("UPDATE {}.checkpoint SET position = %s").format(sql.Identifier(self.schema)),
                (batch[-1].position,),
            )

    async def restart(self) -> None:
        """Forget what is in memory, as after a crash."""
        async with self.connection.transaction():
            await self.projection.start(self.connection)

    async def rows(self) -> dict[str, list[str]]:
        """Every row of every table but the checkpoint, sorted."""
        found = await self.connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'checkpoint'", (self.schema,)
        )
        tables = [row[0] for row in await found.fetchall()]
        held: dict[str, list[str]] = {}
        for table in tables:
            content = await self.connection.execute(
                sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier(self.schema, table))
            )
            held[table] = [row[0] for row in await content.fetchall()]
        await self.connection.commit()
        return held


@pytest_asyncio.fixture
async def view(module_database_url: str) -> AsyncIterator[View]:
    pool = database.make_pool(module_database_url)
    await pool.open(wait=True)
    async with await database.connect(module_database_url) as connection:
        made = View(connection, pool, SiteSettings(), "view_reporting")
        await made.begin()
        await connection.commit()
        yield made
        await connection.rollback()
    await pool.close()
