"""Does every question get an answer? Request and reply over a real NATS, errors included."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from faststream.nats import NatsBroker

from richiamo_kit.errors import Rejected, StreamMoved, Unavailable
from richiamo_kit.messaging import Problem, answering, ask, make_broker
from richiamo_kit.servers import NatsServer
from tests.kit.servers import restartable

pytestmark = pytest.mark.servers


class AlreadyReserved(Rejected):
    type = "already-reserved"
    title = "Somebody else holds this caller"


@asynccontextmanager
async def started(broker: NatsBroker) -> AsyncIterator[NatsBroker]:
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def service(nats_url: str) -> NatsBroker:
    """A service whose answers are all there is in these tests."""
    broker = make_broker(nats_url, name="service")

    @answering(broker, "test.echo", queue="test")
    async def echo(payload: dict[str, Any]) -> dict[str, Any]:
        return {"said": payload["text"]}

    @answering(broker, "test.fail", queue="test")
    async def fail(payload: dict[str, Any]) -> dict[str, Any]:
        errors: dict[str, Exception] = {
            "rejected": AlreadyReserved(reserved_by="anna", since="2026-03-02T12:00:00Z"),
            "problem": Problem(404, "unknown-caller", "There is no such caller", "x"),
            "moved": StreamMoved(["a"]),
            "unavailable": Unavailable("the view is behind"),
            "bug": KeyError("+390501234567"),
        }
        raise errors[payload["how"]]

    return broker


async def test_a_question_is_answered(nats_url: str) -> None:
    async with started(service(nats_url)), started(make_broker(nats_url, name="client")) as client:
        assert await ask(client, "test.echo", {"text": "perché"}) == {"said": "perché"}


@pytest.mark.parametrize(
    ("how", "status", "type_"),
    [
        ("rejected", 409, "already-reserved"),
        ("problem", 404, "unknown-caller"),
        ("moved", 503, "unavailable"),
        ("unavailable", 503, "unavailable"),
        ("bug", 500, "internal-error"),
    ],
)
async def test_an_error_is_an_answer(nats_url: str, how: str, status: int, type_: str) -> None:
    async with started(service(nats_url)), started(make_broker(nats_url, name="client")) as client:
        with pytest.raises(Problem) as refused:
            await ask(client, "test.fail", {"how": how})
    assert (refused.value.status, refused.value.type) == (status, type_)
    assert "0501234567" not in str(refused.value.as_json())


async def test_a_refusal_keeps_what_it_says_beyond(nats_url: str) -> None:
    async with started(service(nats_url)), started(make_broker(nats_url, name="client")) as client:
        with pytest.raises(Problem) as refused:
            await ask(client, "test.fail", {"how": "rejected"})
    assert refused.value.extra == {"reserved_by": "anna", "since": "2026-03-02T12:00:00Z"}
    assert refused.value.title == "Somebody else holds this caller"


async def test_questions_are_worked_on_side_by_side(nats_url: str) -> None:
    broker = make_broker(nats_url, name="service")
    all_there = asyncio.Barrier(10)

    @answering(broker, "test.meet", queue="test")
    async def meet(payload: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(60):
            await all_there.wait()
        return {}

    async with started(broker), started(make_broker(nats_url, name="client")) as client:
        await asyncio.gather(*(ask(client, "test.meet", {}) for _ in range(10)))


async def test_instances_of_a_group_share_the_questions(nats_url: str) -> None:
    client = make_broker(nats_url, name="client")
    async with started(service(nats_url)), started(service(nats_url)), started(client):
        for number in range(20):
            assert await ask(client, "test.echo", {"text": str(number)}) == {"said": str(number)}


async def test_nobody_there_is_unavailable_after_the_timeout(nats_url: str) -> None:
    async with started(make_broker(nats_url, name="client")) as client:
        with pytest.raises(Unavailable):
            await ask(client, "test.echo", {"text": "?"}, timeout=0.5)


async def test_a_service_that_starts_late_is_waited_for(nats_url: str) -> None:
    async with started(make_broker(nats_url, name="client")) as client:
        question = asyncio.create_task(ask(client, "test.echo", {"text": "late"}))
        await asyncio.wait([question], timeout=0.3)
        async with started(service(nats_url)):
            assert await question == {"said": "late"}


async def test_an_instance_that_goes_away_while_it_works_is_unavailable(nats_url: str) -> None:
    broker = make_broker(nats_url, name="service")
    working = asyncio.Event()

    @answering(broker, "test.hang", queue="test")
    async def hang(payload: dict[str, Any]) -> dict[str, Any]:
        working.set()
        await asyncio.Event().wait()
        return {}

    async with started(make_broker(nats_url, name="client")) as client:
        await broker.start()
        question = asyncio.create_task(ask(client, "test.hang", {}, timeout=1.0))
        await working.wait()
        await broker.stop()
        with pytest.raises(Unavailable):
            await question


async def test_a_message_that_is_no_question_gets_an_answer_too(nats_url: str) -> None:
    async with started(service(nats_url)), started(make_broker(nats_url, name="client")) as client:
        answer = await client.request(["not", "an", "object"], "test.echo", timeout=2)
        assert b'"status":400' in answer.body.replace(b" ", b"")


async def test_a_service_answers_again_after_its_server_was_killed_and_ends_without_it(tmp_path: Path) -> None:
    async with restartable(NatsServer(tmp_path / "nats")) as server:
        one, client = service(server.url), make_broker(server.url, name="client")
        await one.start()
        await client.start()
        await server.kill()
        with pytest.raises(Unavailable):
            await ask(client, "test.echo", {"text": "?"}, timeout=0.3)
        await server.start()
        assert await ask(client, "test.echo", {"text": "again"}) == {"said": "again"}
        await server.kill()
        await one.stop()
        await client.stop()
