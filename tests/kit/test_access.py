"""Does NATS refuse a service what is not its own? Each, on a real server, tries what others may do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client

from richiamo_kit.servers import NatsServer
from richiamo_kit.store.access import OPS, SERVICES, page
from richiamo_kit.store.api import api
from richiamo_kit.store.connection import connect, inbox_of
from richiamo_kit.store.streams import configurations, ensure_streams

DEPLOY = Path(__file__).parents[2] / "deploy"

_ROUND_TRIPS = 20
"""A flush of nats-py may overtake what is still to be sent, so one is not enough."""

NOBODYS = (
    *(f"$JS.API.STREAM.{verb}.EVENTS" for verb in ("DELETE", "PURGE", "UPDATE", "MSG.DELETE", "SNAPSHOT", "RESTORE")),
    "$JS.API.STREAM.DELETE.KV_CALLERS",
    "$JS.API.STREAM.PURGE.CDR",
    "$JS.API.STREAM.CREATE.SHADOW",
    "$JS.API.STREAM.NAMES",
    "$JS.API.CONSUMER.DELETE.EVENTS.someone",
    "$SYS.REQ.SERVER.PING",
    "richiamo.events",
    "anything.else",
)
OTHERS = {
    "ingest": (
        "richiamo.events.operator.anna",
        "richiamo.events.settings",
        "richiamo.changes",
        "richiamo.note.c1",
        "richiamo.erasure.h1",
        "richiamo.directory.forgotten",
        "richiamo.queue.reserve",
        "richiamo.reporting.dashboard",
        "$JS.API.STREAM.MSG.GET.NOTES",
        "$JS.API.STREAM.MSG.DELETE.CDR",
    ),
    "queue": (
        "richiamo.events.operator.anna",
        "richiamo.events.settings",
        "richiamo.cdr.main",
        "richiamo.quarantine.main",
        "richiamo.mark.cdr.main",
        "$KV.CALLERS.h.1",
        "richiamo.reporting.dashboard",
        "richiamo.ingest.quarantine.drop",
        "$JS.API.STREAM.UPDATE.CDR",
    ),
    "callback-tracker": (
        "richiamo.events.operator.anna",
        "richiamo.events.settings",
        "richiamo.cdr.main",
        "richiamo.changes",
        "$KV.CALLERS.h.1",
        "richiamo.queue.reserve",
        "$JS.API.STREAM.MSG.GET.KV_CALLERS",
        "$JS.API.CONSUMER.CREATE.KV_CALLERS",
        "$JS.API.STREAM.MSG.GET.NOTES",
        "$JS.API.STREAM.MSG.DELETE.CDR",
    ),
    "reporting": (
        "richiamo.events.caller.c1",
        "richiamo.events.elsewhere.00",
        "richiamo.events.withheld",
        "richiamo.events.operator.anna",
        "richiamo.changes",
        "$KV.CALLERS.h.1",
        "richiamo.queue.erase",
        "$JS.API.STREAM.MSG.GET.CDR",
        "$JS.API.STREAM.MSG.DELETE.KV_CALLERS",
    ),
    "gateway": (
        "richiamo.events.caller.c1",
        "richiamo.events.elsewhere.00",
        "richiamo.changes",
        "richiamo.cdr.main",
        "$KV.CALLERS.h.1",
        "richiamo.ingest.settle",
        "richiamo.ingest.quarantine.drop",
        "$JS.API.STREAM.MSG.GET.KV_CALLERS",
        "$JS.API.CONSUMER.CREATE.KV_CALLERS",
        "$JS.API.CONSUMER.CREATE.CDR",
        "$JS.API.STREAM.MSG.GET.NOTES",
    ),
}
LISTENING = (">", "richiamo.>", "richiamo.events.>", "$JS.API.>", "_INBOX.>", f"_INBOX_{OPS}.>")


@asynccontextmanager
async def as_user(server: NatsServer, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A connection of this user, and what the server told it was refused."""
    refused: list[str] = []

    async def hear(error: Exception) -> None:
        refused.append(str(error))

    client = Client()
    url = server.url_of(user)
    await client.connect(url, error_cb=hear, inbox_prefix=inbox_of(user), allow_reconnect=False)
    try:
        yield client, refused
    finally:
        await client.close()


async def missing(tried: list[str], client: Client, refused: list[str]) -> list[str]:
    """Those tried that the server did not refuse: its word for each is waited for through some round trips."""
    left = tried
    for _ in range(_ROUND_TRIPS):
        await client.flush()
        told = "\n".join(refused).lower()
        left = [subject for subject in left if f'"{subject.lower()}"' not in told]
        if not left:
            break
    return left


@pytest.mark.servers
@pytest.mark.parametrize("service", SERVICES)
async def test_what_belongs_to_others_is_refused(service: str, nats_server: NatsServer) -> None:
    others = [*NOBODYS, *OTHERS[service], *(f"_INBOX_{one}.x" for one in ("reporting", "callback-tracker", service))]
    async with as_user(nats_server, service) as (client, refused):
        for subject in others:
            await client.publish(subject, b"{}")
        assert await missing(others, client, refused) == []


@pytest.mark.servers
@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_listens_to_another(service: str, nats_server: NatsServer) -> None:
    foreign = [f"richiamo.{one}.>" for one in ("ingest", "queue", "reporting") if one != service]
    inboxes = [f"_INBOX_{one}.>" for one in SERVICES if one != service]
    tried = [*LISTENING, *foreign, *inboxes]
    async with as_user(nats_server, service) as (client, refused):
        for subject in tried:
            await client.subscribe(subject)
        assert await missing(tried, client, refused) == []


@pytest.mark.servers
async def test_nobody_comes_in_without_the_right_password(nats_server: NatsServer) -> None:
    for login in ("", "queue:wrong@", f"{OPS}:@", "richiamo:richiamo@", "nobody:x@"):
        client = Client()
        with pytest.raises(nats.errors.Error):
            await client.connect(f"nats://{login}127.0.0.1:{nats_server.port}", allow_reconnect=False)
        await client.close()


@pytest.mark.servers
async def test_each_may_do_what_it_must(nats_url: str, nats_server: NatsServer) -> None:
    """Every service makes the streams, and reads those it reads."""
    for service, access in SERVICES.items():
        client = await connect(nats_server.url_of(service), name=service)
        try:
            await ensure_streams(client)
            for stream in access.reads:
                await api(client, f"STREAM.INFO.{stream}")
        finally:
            await client.close()
    ops = await connect(nats_url, name=OPS)
    assert set((await api(ops, "STREAM.NAMES"))["streams"]) == set(configurations())  # type: ignore[call-overload]
    await ops.close()


def test_the_users_of_a_cluster_are_those_of_the_catalogue() -> None:
    assert (DEPLOY / "nats/users.conf").read_text() == page(), "run make nats-users"
