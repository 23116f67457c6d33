"""Is everything as it must be? Log, directory, views, figures and retention; each breach is one sentence."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from nats.aio.client import Client
from psycopg import sql
from rich.console import Console

from richiamo_events.wire import Unreadable
from richiamo_kit import database
from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projector
from richiamo_kit.store.api import api
from richiamo_kit.store.streams import CDR, DEAD, EVENTS, QUARANTINE
from richiamo_ops.asking import Ask, asking
from richiamo_ops.census import Census
from richiamo_ops.comparing import differences, position_of
from richiamo_ops.sampling import Sample, sampled_differences
from richiamo_ops.site import Site, reached
from richiamo_ops.views import VIEWS

_SHADOW = "_check"
_OTHER_CHECK = 1.0
"""Seconds between two looks whether another check of a view, such as the nightly one, is done."""
_UNDER_WAY = timedelta(minutes=10)
"""How old something is that no longer can be in the middle of being written."""


def check(*, days: int = 7, views: bool = True, sample: int | None = None, seed: int | None = None) -> int:
    """Check log, views, directory and the identities of the reports; exit code 1 when something is wrong.

    Example: richiamo check --days 31 --sample 500

    Parameters
    ----------
    days
        The identities of how many past days are checked, today included.
    views
        Fold the whole log beside and compare every view with it; --no-views leaves that out.
    sample
        Fold and compare only so many callers, chosen by chance: a long log takes a fraction of the time.
    seed
        Of the chance; the same seed chooses the same callers. Without it, one that is printed.
    """
    if sample is not None and sample < 1:
        raise Problem(400, "no-sample", "A sample has at least one caller.")
    chosen = Sample(sample, secrets.randbelow(10**6) if seed is None else seed) if sample else None
    return asyncio.run(_check(days, chosen, with_views=views))


async def _check(days: int, sample: Sample | None, *, with_views: bool) -> int:
    console = Console(highlight=False, soft_wrap=True)
    faults = 0
    async with reached("check") as site, asking(site) as ask:
        async for fault in breaches(site, ask, days, with_views=with_views, sample=sample):
            faults += 1
            console.print(fault, markup=False)
    if sample is not None:
        console.print(f"Compared were {len(sample.callers):,} callers; the same again with --seed {sample.seed}.")
    if not faults:
        console.print("All is well.")
    return 1 if faults else 0


async def breaches(
    site: Site, ask: Ask, days: int, *, with_views: bool, sample: Sample | None = None
) -> AsyncIterator[str]:
    """One sentence for everything that is not as it must be; with a `sample` the views are asked of its callers alone."""
    newest = 0
    async with await database.connect(site.database_url, autocommit=True, application="richiamo-check") as connection:
        census = Census(connection)
        entered = datetime.now(UTC) - _UNDER_WAY
        await census.take_directory(site.store.client)
        try:
            async for event in site.store.read():
                newest = event.position
                if sample is not None:
                    sample.take(event)
                await census.take(event)
        except Unreadable as error:
            yield f"log: {error} Start a version of Richiamo that knows it."
            return
        async for fault in _streams(site.store.client):
            yield fault
        async for fault in census.faults(site.directory, before=entered):
            yield fault
    if with_views:
        for name in VIEWS:
            async for fault in _view(site, name, newest, sample):
                yield fault
    async for fault in _reports(ask, days):
        yield fault


async def _streams(client: Client) -> AsyncIterator[str]:
    """Gaps of the log, and raw records kept longer than they may."""
    state = await _info(client, EVENTS, "state")
    missing = int(state["last_seq"]) - int(state["first_seq"]) + 1 - int(state["messages"])
    if int(state["messages"]) and (missing or int(state["first_seq"]) != 1):
        yield f"log: {missing + int(state['first_seq']) - 1} positions hold no event: something removed them. Restore it."
    for stream in (CDR, QUARANTINE, DEAD):
        config, state = await _info(client, stream, "config"), await _info(client, stream, "state")
        longest = timedelta(microseconds=int(config.get("max_age", 0)) / 1000)
        if not longest:
            yield f"{stream}: raw records with numbers are kept for ever; set a maximum age."
        elif int(state["messages"]):
            oldest = datetime.fromisoformat(str(state["first_ts"]))
            if datetime.now(UTC) - oldest > longest + _UNDER_WAY:
                yield f"{stream}: its oldest record is older than the {longest.days} days for which they are kept."


async def _info(client: Client, stream: str, part: str) -> dict[str, Any]:
    found = (await api(client, f"STREAM.INFO.{stream}"))[part]
    assert isinstance(found, dict)
    return found


async def _view(site: Site, name: str, newest: int, sample: Sample | None) -> AsyncIterator[str]:
    running, beside = VIEWS[name](site, "").schema, VIEWS[name](site, _SHADOW)
    async with await database.connect(site.database_url, autocommit=True, application="richiamo-check") as connection:
        while not await database.try_lock(connection, f"check {running}"):
            await asyncio.sleep(_OTHER_CHECK)
        drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(beside.schema))
        await connection.execute(drop)
        try:
            position = await position_of(connection, running)
            if sample is not None:
                wrong = await sampled_differences(connection, site.store, running, beside, sample)
            else:
                projector = Projector(site.store, beside, site.database_url)
                await projector.catch_up(until=position)
                wrong = await differences(connection, running, beside.schema, projector)
        except Problem as problem:
            yield f"{name}: {problem.title}"
            return
        finally:
            await connection.execute(drop)
    if position < newest:
        yield f"{name}: this view stands at {position} and does not follow the log: is its service running?"
    for table, rows in wrong.items():
        yield f"{name}: {rows} rows of {table} are not what the log says; run: richiamo rebuild {name}"


async def _reports(ask: Ask, days: int) -> AsyncIterator[str]:
    today = await ask("richiamo.reporting.dashboard", {})
    last = date.fromisoformat(today["days"][-1]["day"])
    first = last - timedelta(days=days - 1)
    found = await ask("richiamo.reporting.check", {"from": first.isoformat(), "to": last.isoformat()})
    for breach in found["breaches"]:
        yield f"reports: {breach['sentence']}"
