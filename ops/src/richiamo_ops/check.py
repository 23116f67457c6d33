"""Is everything as it must be? The log readable, every view what the log says, every caller in the directory, every identity true."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

from psycopg import sql
from rich.console import Console

from richiamo_events.ids import CallerId
from richiamo_events.language import CallerErased, CallMissed
from richiamo_events.wire import Unreadable
from richiamo_kit import database
from richiamo_kit.projector import Projector
from richiamo_ops.asking import Ask, asking
from richiamo_ops.rebuild import differences
from richiamo_ops.site import Site, reached
from richiamo_ops.views import VIEWS

_SHADOW = "_check"


def check(*, days: int = 7, views: bool = True) -> int:
    """Check log, views, directory and the identities of the reports; exit code 1 when something is wrong.

    Example: richiamo check --days 31

    Parameters
    ----------
    days
        The identities of how many past days are checked, today included.
    views
        Fold the whole log beside and compare every view with it; --no-views leaves that out.
    """
    return asyncio.run(_check(days, with_views=views))


async def _check(days: int, *, with_views: bool) -> int:
    console = Console(highlight=False, soft_wrap=True)
    faults = 0
    async with reached("check") as site, asking(site) as ask:
        async for fault in _all(site, ask, days, with_views=with_views):
            faults += 1
            console.print(fault, markup=False)
    if not faults:
        console.print("All is well.")
    return 1 if faults else 0


async def _all(site: Site, ask: Ask, days: int, *, with_views: bool) -> AsyncIterator[str]:
    callers: set[CallerId] = set()
    try:
        async for event in site.store.read():
            if isinstance(event.data, CallMissed) and event.data.caller is not None:
                callers.add(event.data.caller)
            elif isinstance(event.data, CallerErased):
                callers.discard(event.data.caller)
    except Unreadable as error:
        yield f"log: {error} Start a version of Richiamo that knows it."
        return
    for caller in sorted(callers):
        if await site.directory.number_of(caller) is None:
            yield f"directory: the log holds lost calls of caller {caller}, and the directory does not know its number."
    if with_views:
        for name in VIEWS:
            async for fault in _view(site, name):
                yield fault
    async for fault in _reports(ask, days):
        yield fault


async def _view(site: Site, name: str) -> AsyncIterator[str]:
    running, shadow = VIEWS[name](site, ""), VIEWS[name](site, _SHADOW)
    async with await database.connect(site.database_url, application="richiamo-check") as connection:
        drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(shadow.schema))
        await connection.execute(drop)
        await connection.commit()
        projector = Projector(site.store, shadow, site.database_url)
        try:
            await projector.catch_up()
            async with connection.transaction():
                found = await connection.execute(
                    sql.SQL("SELECT position FROM {}.checkpoint FOR UPDATE").format(sql.Identifier(running.schema))
                )
                row = await found.fetchone()
                if row is None:
                    yield f"{name}: this view has no checkpoint; it is made when its service starts."
                    return
                await projector.catch_up(until=row[0])
                if projector.position > row[0]:
                    yield f"{name}: this view is behind the log, at {row[0]} of {projector.position}; look again in a moment."
                    return
                wrong = await differences(connection, running.schema, shadow.schema)
        finally:
            await connection.execute(drop)
            await connection.commit()
    for table, rows in wrong.items():
        yield f"{name}: {rows} rows of {table} are not what the log says; run: richiamo rebuild {name}"


async def _reports(ask: Ask, days: int) -> AsyncIterator[str]:
    today = await ask("richiamo.reporting.dashboard", {})
    last = date.fromisoformat(today["days"][-1]["day"])
    first = last - timedelta(days=days - 1)
    found = await ask("richiamo.reporting.check", {"from": first.isoformat(), "to": last.isoformat()})
    for breach in found["breaches"]:
        yield f"reports: {breach['sentence']}"
