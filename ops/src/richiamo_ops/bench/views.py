"""How fast are the views made again, and how fast do they answer? Beside the running ones, by the same projectors."""

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

import psutil
from psycopg import sql

from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.ids import CallerId
from richiamo_events.language import OperatorChanged, SettingsChanged
from richiamo_events.settings import Rules
from richiamo_kit import children, database
from richiamo_kit.errors import Unavailable
from richiamo_kit.projector import Projector, wait_for
from richiamo_ops.asking import asking
from richiamo_ops.bench.figures import Figure, percentile
from richiamo_ops.bench.filling import QUEUES
from richiamo_ops.bench.system import System
from richiamo_ops.site import Site
from richiamo_ops.views import SHADOW, VIEWS

_PATIENCE = 900.0


async def caught_up(site: Site) -> int:
    """Wait until every running view holds the log; answers its position."""
    newest = await site.store.last_position()
    async with database.make_pool(site.database_url, most=2, application="bench") as pool:
        for make in VIEWS.values():
            await wait_for(pool, make(site, "").schema, newest, timeout=_PATIENCE)
    return newest


async def measure_rebuild(system: System, site: Site) -> list[Figure]:
    """All views by `richiamo rebuild all`, then each alone, then the same events read and folded, nothing written."""
    newest = await caught_up(site)
    everything = await _rebuild_all(system)
    process = psutil.Process()
    memory = process.memory_info().rss
    took: dict[str, float] = {}
    for name in VIEWS:
        took[name] = await _rebuilt(site, name, newest)
    grown = (process.memory_info().rss - memory) / 1e6
    floor = newest / await _folded(site, newest)
    return [
        Figure(
            key="c.rebuild",
            words=f"All views again from {newest:,} events",
            value=newest / everything,
            unit="events/s",
            better="more",
            floor=floor,
            target=20_000,
        ),
        *(
            Figure(
                key=f"c.rebuild_{name}",
                words=f"  the view {name} alone",
                value=newest / seconds,
                unit="events/s",
                better="more",
                floor=floor,
            )
            for name, seconds in took.items()
        ),
        Figure(key="c.memory", words="  memory for it", value=max(grown, 0.0), unit="MB"),
    ]


async def _rebuild_all(system: System) -> float:
    """Seconds that the command takes: views side by side, compared with the running ones, switched."""
    began = time.perf_counter()
    code, said = await children.run(system.program("rebuild", "all"), timeout=_PATIENCE)
    if code:
        raise Unavailable(f"richiamo rebuild all failed: {said[-500:]}")
    return time.perf_counter() - began


async def _rebuilt(site: Site, name: str, until: int) -> float:
    shadow = VIEWS[name](site, SHADOW)
    try:
        began = time.perf_counter()
        await Projector(site.store, shadow, site.database_url).catch_up(until=until)
        return time.perf_counter() - began
    finally:
        async with await database.connect(site.database_url, autocommit=True) as connection:
            await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(shadow.schema)))


async def _folded(site: Site, until: int) -> float:
    """Seconds to read all events and fold each caller, with nothing written."""
    began = time.perf_counter()
    rules = Rules.initial(site.defaults)
    states: dict[CallerId, Caller] = {}
    async for event in site.store.read(until=until):
        rules = rules.changed(event)
        if isinstance(event.data, OperatorChanged | SettingsChanged) or event.data.caller is None:
            continue
        caller = event.data.caller
        states[caller] = evolve(states.get(caller) or unknown(caller), event, rules)
    return time.perf_counter() - began


async def measure_lists(site: Site, times: int = 150) -> list[Figure]:
    """The list of lost calls with every filter set, asked of the queue service itself."""
    await caught_up(site)
    chance = random.Random("lists")  # noqa: S311 -- The same questions each run.
    filtered: list[float] = []
    plain: list[float] = []
    total = 0
    async with asking(site) as ask:

        async def timed(question: Mapping[str, Any]) -> tuple[float, int]:
            began = time.perf_counter()
            answer = await ask("richiamo.queue.requests", question)
            return time.perf_counter() - began, int(answer["total"])

        for _ in range(times):
            seconds, total = await timed({"view": "recall", "limit": 100})
            plain.append(seconds)
            filtered.append((await timed(_filters(chance)))[0])
            await asyncio.sleep(0)
    return [
        Figure(
            key="e.list_filtered_p95",
            words=f"List, all filters, {total:,} open, slowest 5 %",
            value=percentile(filtered, 0.95) * 1000,
            unit="ms",
            target=20,
        ),
        Figure(
            key="e.list_first_page_p95",
            words="  without filters",
            value=percentile(plain, 0.95) * 1000,
            unit="ms",
        ),
    ]


def _filters(chance: random.Random) -> dict[str, Any]:
    return {
        "view": "recall",
        "queue": chance.sample(QUEUES, 2),
        "type": ["queue"],
        "source": [f"line-{chance.randrange(8)}", f"line-{chance.randrange(8)}"],
        "account_code": [str(n) for n in range(20)],
        "caller": str(chance.randrange(100)),
        "first_call_from": "2000-01-01",
        "last_call_from": "2000-01-01",
        "last_call_to": "2100-01-01",
        "recalled_min": 0,
        "recalled_max": 5,
        "sort": chance.choice(["-last_call", "first_call", "-calls"]),
        "limit": 100,
    }
