"""Is every question answered, also when the answer is a refusal or nobody is there?"""

import asyncio

import pytest

from richiamo_kit.errors import Problem, Rejected, Unavailable
from richiamo_kit.messaging import Payload, answering, ask, make_broker


class Taken(Rejected):
    type = "already-reserved"
    title = "Somebody holds this caller"


async def test_answers_and_refusals_come_back(nats_url: str) -> None:
    service, client = make_broker(nats_url, name="service"), make_broker(nats_url, name="client")

    @answering(service, "test.greet", queue="greeters")
    async def greet(payload: Payload) -> Payload:
        if payload["name"] == "taken":
            raise Taken(reserved_by="anna")
        if payload["name"] == "broken":
            raise RuntimeError("a fault")
        await asyncio.sleep(0)
        return {"hello": payload["name"]}

    await client.start()
    question = asyncio.create_task(ask(client, "test.greet", {"name": "eva"}))
    await service.start()
    assert await question == {"hello": "eva"}, "asked before the service was there"
    with pytest.raises(Problem) as refused:
        await ask(client, "test.greet", {"name": "taken"})
    assert (refused.value.status, refused.value.type, refused.value.extra) == (
        409,
        "already-reserved",
        {"reserved_by": "anna"},
    )
    with pytest.raises(Problem) as failed:
        await ask(client, "test.greet", {"name": "broken"})
    assert failed.value.status == 500
    with pytest.raises(Unavailable):
        await ask(client, "test.nobody", {}, timeout=0.2)
    await service.stop()
    await client.stop()
