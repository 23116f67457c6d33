"""How is a view made anew while the system works? Beside the running one, then both change places at once."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from psycopg import AsyncConnection, sql
from psycopg.errors import UndefinedTable
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_kit import children, database
from richiamo_kit.children import Program
from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projector
from richiamo_kit.roles import owner_of
from richiamo_kit.together import together
from richiamo_ops.comparing import differences, position_of
from richiamo_ops.site import Site, reached
from richiamo_ops.views import SHADOW, VIEWS

_LOOK = 0.2
"""Seconds between two looks at how far it is."""
_NEAR = 1000
"""Events that may be missing when the running view is asked to wait."""
_OLD = "_old"
_APPLICATION = "richiamo-rebuild"
_STANDING_ON = """
SELECT DISTINCT n.nspname, v.relname, pg_get_viewdef(v.oid)
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = v.relnamespace JOIN pg_class t ON t.oid = d.refobjid
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND v.relkind = 'v' AND t.relnamespace = to_regnamespace(%s)
"""
"""The views that read tables of a schema, such as those of the BI schema."""


def rebuild(view: str) -> int:
    """Fold a view again from the start of the log, compare it with the running one, and put it in its place.

    Nothing is changed before the last step, and that is one transaction; interrupted, it leaves no trace. All views
    are made side by side, as many at a time as there are cores.

    Example: richiamo rebuild worklist

    Parameters
    ----------
    view
        worklist, calls, tracker, reporting, audit, or all.
    """
    if view != "all" and view not in VIEWS:
        raise Problem(400, "no-such-view", f"There is no view {view}: it is one of {', '.join(VIEWS)}, or all.")
    return asyncio.run(_rebuild(list(VIEWS) if view == "all" else [view]))


async def _rebuild(names: Sequence[str]) -> int:
    console = Console(stderr=True, highlight=False)
    async with reached("rebuild") as site:
        if len(names) > 1:
            return await _side_by_side(site, names, console)
        return 1 if await _rebuild_one(site, names[0], console) else 0


async def _side_by_side(site: Site, names: Sequence[str], console: Console) -> int:
    """Rebuild each view in a process of its own, as many at a time as there are cores."""
    slots = asyncio.Semaphore(os.cpu_count() or 1)
    codes: list[int] = []
    async with await database.connect(site.database_url, autocommit=True, application=_APPLICATION) as connection:
        with _progress(console) as progress:

            async def one(name: str) -> None:
                async with slots:
                    codes.append(await _in_a_process(site, name, connection, progress))

            await together([one(name) for name in names])
    return max(codes)


async def _in_a_process(site: Site, name: str, connection: AsyncConnection, progress: Progress) -> int:
    """`richiamo rebuild <name>`, its lines shown, its progress read from the tables that it fills; its exit code."""
    running, shadow = (VIEWS[name](site, suffix).schema for suffix in ("", SHADOW))
    command = (sys.executable, "-m", "richiamo_ops", "rebuild", name)
    child = await children.start(
        Program(command, os.environ, Path.cwd(), stop_signal=signal.SIGINT),
        lambda line: progress.console.print(line, markup=False, soft_wrap=True) if line else None,
    )
    bar = progress.add_task(name, total=await position_of(connection, running), rate=0)
    began = time.monotonic()
    try:
        while child.alive:
            # While it is made, and again once it has changed places, there is no such table.
            with contextlib.suppress(Problem, UndefinedTable):
                position = await position_of(connection, shadow)
                progress.update(bar, completed=position, rate=round(position / (time.monotonic() - began)))
            await asyncio.sleep(_LOOK)
    finally:
        code = await child.stop()
        progress.remove_task(bar)
    return code


async def _rebuild_one(site: Site, name: str, console: Console) -> int:
    running, shadow = VIEWS[name](site, "").schema, VIEWS[name](site, SHADOW)
    async with await database.connect(site.database_url, autocommit=True, application=_APPLICATION) as connection:
        # The new tables belong to whom the running ones belong, so that their service finds its own.
        projector = Projector(site.store, shadow, site.database_url, role=await owner_of(connection, running))
        if not await database.try_lock(connection, f"rebuild {running}"):
            raise Problem(409, "busy", f"Another rebuild of {name} is at work.")
        await _clear(site, running, shadow.schema)
        try:
            with _progress(console) as progress:
                await _follow(connection, projector, running, progress, name)
                wrong = await differences(connection, running, shadow.schema, projector)
                await _follow(connection, projector, running, progress, name)
            await _switch(connection, running, shadow.schema, projector)
        finally:
            # Also what an interrupt left: before the switch nothing was changed, after it the old tables have to go.
            await _clear(site, running, shadow.schema)
    for table, rows in wrong.items():
        console.print(f"{name}: {rows} rows of {table} were not what the log says; the new ones are.")
    console.print(f"{name}: rebuilt up to position {projector.position}{'' if wrong else ', as it was'}.")
    return len(wrong)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} events/s", justify="right"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


async def _follow(
    connection: AsyncConnection, projector: Projector, running: str, progress: Progress, name: str
) -> None:
    """Bring the new view close to where the running one is, and never past it."""
    end = await position_of(connection, running)
    bar = progress.add_task(name, total=end, completed=projector.position, rate=0)
    began, first = time.monotonic(), projector.position
    while True:
        work = asyncio.create_task(projector.catch_up(until=end))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=_LOOK)
                rate = round((projector.position - first) / max(time.monotonic() - began, 0.001))
                progress.update(bar, completed=projector.position, total=end, rate=rate)
        finally:
            if work.cancel():
                await asyncio.wait([work])
        await work
        end = await position_of(connection, running)
        if end - projector.position <= _NEAR:
            return


async def _switch(connection: AsyncConnection, running: str, shadow: str, projector: Projector) -> None:
    """Put the new tables in the place of the running ones, at the same position.

    Locks the checkpoint alone: the running projector's next commit waits, finds that it is not its own any more, and
    is made again in the new tables. Readers wait for nobody: what began on the old tables ends on them.
    """
    async with connection.transaction():
        found = await connection.execute(
            sql.SQL("UPDATE {}.checkpoint SET made = gen_random_uuid() RETURNING position").format(
                sql.Identifier(running)
            )
        )
        row = await found.fetchone()
        assert row is not None
        await projector.catch_up(until=row[0])
        for here, there in ((running, running + _OLD), (shadow, running)):
            await connection.execute(
                sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(here), sql.Identifier(there))
            )


async def _clear(site: Site, running: str, shadow: str) -> None:
    """Drop the tables that are not or no longer in use; views of others move over to those that are."""
    old = running + _OLD
    async with await database.connect(site.database_url, autocommit=True, application=_APPLICATION) as connection:
        for schema, view, body in await (await connection.execute(_STANDING_ON, (old,))).fetchall():
            await connection.execute(
                sql.SQL("CREATE OR REPLACE VIEW {} AS {}").format(
                    sql.Identifier(schema, view), sql.SQL(body.replace(f"{old}.", f"{running}."))
                )
            )
        for schema in (old, shadow):
            await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
