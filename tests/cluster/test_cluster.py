"""Is nothing lost or doubled, and everybody alone with their customer, whatever happens to one of several servers?

The leader of the log dies; a node is cut off together with its clients; PostgreSQL dies; every process of every
service is replaced: under load all along. How long nothing was granted is printed (10 s is the target) and not judged.
"""

import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api
from richiamo_kit.store.client import LogClient
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import EVENTS
from tests.call_queue.proof.checker import Walk
from tests.cluster.site import ADMIN_PASSWORD, Site, site
from tests.cluster.work import QUEUE, Either, Work, at_work, log_in
from tests.platform.waiting import until

pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.skipif(
        "RICHIAMO_CLUSTER_PROOF" not in os.environ, reason="more than a minute of both cores: make cluster"
    ),
]

ENOUGH = 15
"""What must be acknowledged, granted and shown, of each, before a trouble counts as overcome."""


async def test_nothing_is_lost_or_doubled_whatever_happens_to_one_of_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    async with site(tmp_path) as whole:
        client = await connect(whole.nodes.url, name="cluster-test")
        gateways = whole.urls("gateway")
        async with at_work(whole.urls("ingest"), gateways, ADMIN_PASSWORD) as work:
            await goes_on(work, "the start")
            for trouble in (leader_killed, node_cut_off, postgres_killed, everything_replaced):
                for one in work.pauses:
                    one.begin()
                async with trouble(whole, client):
                    await goes_on(work, trouble.__name__)
                said.append(f"  {trouble.__name__}: " + ", ".join(f"{one.longest:.1f} s" for one in work.pauses))
        await whole.all_ready()
        admin = await log_in(gateways, "admin", ADMIN_PASSWORD)
        await until("every acknowledged call is listed", lambda: lists_all(admin, work))
        listed = await calls_listed(admin)
        await admin.close()
        async with aclosing(JetStreamEventStore(client).read()) as log:
            walk = Walk().through([event async for event in log])
        await client.close()
    with capsys.disabled():
        print(
            "\ncluster: longest without a call acknowledged, a claim granted, a new row shown (target 10 s)",
            *said,
            sep="\n",
        )
        print(f"  {len(work.calls)} calls, {len(work.answers)} answers: {dict(work.counts.most_common())}")
    assert {number: calls for number, calls in listed.items() if calls != 1} == {}
    assert walk.answered(work.answers).breaches == []
    assert work.counts["reserve: already-reserved"], "nobody ever wanted what another held"


async def goes_on(work: Work, after: str) -> None:
    """Wait until calls are acknowledged, claims granted and rows shown as if nothing had been."""
    goals = [one.times + ENOUGH for one in work.pauses]

    async def went_on() -> bool:
        return all(one.times >= goal for one, goal in zip(work.pauses, goals, strict=True))

    await until(f"work goes on after {after}", went_on)


@asynccontextmanager
async def leader_killed(whole: Site, client: LogClient) -> AsyncIterator[None]:
    node = whole.nodes.nodes[await leader(client)]
    await node.kill()
    yield
    await node.start()
    await in_step(client)


@asynccontextmanager
async def node_cut_off(whole: Site, client: LogClient) -> AsyncIterator[None]:
    """The leader of the log goes on alone in the belief that it leads; so do the services that are connected to it."""
    whole.nodes.cut_off(await leader(client))
    yield
    whole.nodes.heal()
    await in_step(client)


@asynccontextmanager
async def postgres_killed(whole: Site, client: LogClient) -> AsyncIterator[None]:
    await whole.postgres.kill()
    await whole.postgres.start()
    yield


@asynccontextmanager
async def everything_replaced(whole: Site, client: LogClient) -> AsyncIterator[None]:
    """As an update does it: of each service one process after the other."""
    for pair in whole.instances.values():
        for one in pair:
            assert await one.stop() == 0, one.name
            await one.start()
            await one.ready()
    yield


async def leader(client: LogClient) -> int:
    """The number of the node that leads the log."""
    found: list[str] = []

    async def known() -> bool:
        found[:] = [(await replication(client)).get("leader", "")]
        return bool(found[0])

    await until("the log has a leader", known)
    return int(found[0].removeprefix("node"))


async def in_step(client: LogClient) -> None:
    """Wait until every node has the whole log again."""

    async def all_current() -> bool:
        replicas = (await replication(client)).get("replicas", [])
        return len(replicas) == 2 and all(one["current"] and not one.get("offline") for one in replicas)

    await until("all nodes are in step", all_current)


async def replication(client: LogClient) -> dict[str, Any]:
    try:
        told: Any = await api(client, f"STREAM.INFO.{EVENTS}")
    except (Unavailable, JetStreamError):
        return {}
    cluster: dict[str, Any] = told["cluster"]
    return cluster


async def calls_listed(admin: Either) -> dict[str, int]:
    """Every number on the list with its count of calls, over all pages; empty when it is not shown."""
    found: dict[str, int] = {}
    more: dict[str, str] = {}
    while True:
        parameters = {"view": "all", "queue": QUEUE, "limit": "1000", "sort": "first_call", **more}
        answer = await admin.ask("GET", "/requests", params=parameters)
        if answer is None or answer.status_code != 200:
            return {}
        page = answer.json()
        for item in page["items"]:
            found[item["number"]] = found.get(item["number"], 0) + item["calls"]
        if not page["next"]:
            return found
        more = {"after": page["next"]}


async def lists_all(admin: Either, work: Work) -> bool:
    return work.calls <= (await calls_listed(admin)).keys()
