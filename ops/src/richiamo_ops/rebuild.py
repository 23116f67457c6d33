"""How is a view made anew while the system works? Beside the running one, then both change places at once."""

import asyncio
import time
from collections.abc import Sequence

from psycopg import AsyncConnection, sql
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_kit import database
from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projection, Projector
from richiamo_ops.site import Site, reached
from richiamo_ops.views import SHADOW, VIEWS

_LOOK = 0.2
"""Seconds between two looks at how far it is."""
_NEAR = 1000
"""Events that may be missing when the running view is asked to wait."""


def rebuild(view: str) -> int:
    """Fold a view again from the start of the log, compare it with the running one, and put it in its place.

    Nothing is changed before the last step, and that is one transaction; interrupted, it leaves no trace.

    Example: richiamo rebuild worklist

    Parameters
    ----------
    view
        worklist, calls, tracker, reporting, or all.
    """
    if view != "all" and view not in VIEWS:
        raise Problem(400, "no-such-view", f"There is no view {view}: it is one of {', '.join(VIEWS)}, or all.")
    return asyncio.run(_rebuild(list(VIEWS) if view == "all" else [view]))


async def _rebuild(names: Sequence[str]) -> int:
    console = Console(stderr=True, highlight=False)
    different = 0
    async with reached("rebuild") as site:
        for name in names:
            different += await _rebuild_one(site, name, console)
    return 1 if different else 0


async def _rebuild_one(site: Site, name: str, console: Console) -> int:
    running, shadow = VIEWS[name](site, ""), VIEWS[name](site, SHADOW)
    projector = Projector(site.store, shadow, site.database_url)
    async with await database.connect(site.database_url, application="richiamo-rebuild") as connection:
        await _drop(connection, shadow.schema)
        try:
            await _catch_up(site, projector, name, console)
            async with connection.transaction():
                # The running projector's next commit waits on this row; readers go on with what they see.
                position = await _locked_position(connection, running.schema)
                await projector.catch_up(until=position)
                wrong = await differences(connection, running.schema, shadow.schema)
                await _switch(connection, running, shadow)
        except BaseException:
            await connection.rollback()
            await _drop(connection, shadow.schema)
            raise
    for table, rows in wrong.items():
        console.print(f"{name}: {rows} rows of {table} were not what the log says; the new ones are.")
    console.print(f"{name}: rebuilt up to position {projector.position}{'' if wrong else ', as it was'}.")
    return len(wrong)


async def _catch_up(site: Site, projector: Projector, name: str, console: Console) -> None:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} events/s", justify="right"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        end = await site.store.last_position()
        bar = progress.add_task(name, total=end, rate=0)
        began = time.monotonic()
        while end - projector.position > (0 if projector.position == 0 else _NEAR):
            work = asyncio.create_task(projector.catch_up(until=end))
            while not work.done():
                await asyncio.wait([work], timeout=_LOOK)
                rate = round(projector.position / max(time.monotonic() - began, 0.001))
                progress.update(bar, completed=projector.position, total=end, rate=rate)
            await work
            end = await site.store.last_position()
            if end == 0:
                break


async def _locked_position(connection: AsyncConnection, schema: str) -> int:
    found = await connection.execute(
        sql.SQL("SELECT position FROM {}.checkpoint FOR UPDATE").format(sql.Identifier(schema))
    )
    row = await found.fetchone()
    if row is None:
        raise Problem(
            409, "no-running-view", f"The running view {schema} has no checkpoint yet: start the system first."
        )
    return int(row[0])


async def differences(connection: AsyncConnection, running: str, shadow: str) -> dict[str, int]:
    """Rows that are in one of the two only, by table; empty when both say the same."""
    tables = await connection.execute(
        "SELECT a.table_name FROM information_schema.tables a JOIN information_schema.tables b USING (table_name)"
        " WHERE a.table_schema = %s AND b.table_schema = %s AND a.table_type = 'BASE TABLE' AND table_name <> 'checkpoint'",
        (running, shadow),
    )
    found: dict[str, int] = {}
    for (table,) in await tables.fetchall():
        one, other = sql.Identifier(running, table), sql.Identifier(shadow, table)
        counted = await connection.execute(
            sql.SQL(
                "SELECT count(*) FROM ((SELECT t::text FROM {one} t EXCEPT ALL SELECT t::text FROM {other} t)"
                " UNION ALL (SELECT t::text FROM {other} t EXCEPT ALL SELECT t::text FROM {one} t)) d"
            ).format(one=one, other=other)
        )
        row = await counted.fetchone()
        if row is not None and row[0]:
            found[table] = row[0]
    return found


async def _switch(connection: AsyncConnection, running: Projection, shadow: Projection) -> None:
    old = f"{running.schema}_old"
    await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(old)))
    for here, there in ((running.schema, old), (shadow.schema, running.schema)):
        await connection.execute(
            sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(here), sql.Identifier(there))
        )
    await connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(old)))


async def _drop(connection: AsyncConnection, schema: str) -> None:
    async with connection.transaction():
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
