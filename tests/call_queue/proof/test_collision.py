"""What happens when two operators claim one customer in the same instant? The published case of this field, replayed.

160 agents, 799 conversations, 93 of them claimed by two at once; then everybody clicks one row. Three real processes
answer. How long an answer takes is measured by `richiamo bench`, not here.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from faststream.nats import NatsBroker

from richiamo_events.ids import CallerId
from richiamo_events.language import CallReserved
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.messaging import ask, make_broker
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.call_queue import log
from tests.call_queue.proof.checker import Answer, Walk
from tests.call_queue.proof.instances import instances
from tests.call_queue.proof.people import operator_named

pytestmark = [pytest.mark.servers, pytest.mark.slow]

AGENTS, CONVERSATIONS, CONFLICTS = 160, 799, 93
_PATIENCE = 60.0


async def claim(broker: NatsBroker, agent: int, caller: CallerId, newest: int) -> Answer:
    user = operator_named(agent)
    question = {"user": user, "caller_id": caller, "min_position": newest}
    try:
        told, granted = await ask(broker, "richiamo.queue.reserve", question, timeout=_PATIENCE), True
    except Problem as refused:
        told, granted = refused.as_json(), False
    return Answer(actor=user["username"], command="reserve", callers=(caller,), granted=granted, told=told)


async def test_of_two_claims_at_once_one_wins_and_the_other_is_told_who(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> None:
    chance = random.Random("160 agents, 799 conversations, 93 conflicting claims")
    directory = NatsDirectory(event_store.client, read_key(data_dir / "secrets" / "directory.key"))
    numbers = [f"+390501{number:06d}" for number in range(CONVERSATIONS + 1)]
    callers = await asyncio.gather(*(directory.resolve(number) for number in numbers))
    *conversations, coveted = callers
    newest = await event_store.append([log.new(log.missed(n, caller=one)) for n, one in enumerate(callers)])
    contested = set(chance.sample(conversations, CONFLICTS))
    agents_at_once = asyncio.Semaphore(AGENTS)

    async with instances(3, nats_url, database_url, data_dir, chance):
        broker = make_broker(nats_url, name="agents")
        await broker.start()
        try:
            # The first answer comes when a view is there.
            await ask(
                broker,
                "richiamo.queue.requests",
                {"user": operator_named(0), "view": "recall", "min_position": newest},
                timeout=_PATIENCE,
            )

            async def conversation(caller: CallerId) -> list[Answer]:
                agents = chance.sample(range(AGENTS), 2 if caller in contested else 1)
                async with agents_at_once:
                    return await asyncio.gather(*(claim(broker, agent, caller, newest) for agent in agents))

            rounds = await asyncio.gather(*(conversation(caller) for caller in conversations))
            everybody = await asyncio.gather(*(claim(broker, agent, coveted, newest) for agent in range(AGENTS)))
        finally:
            await broker.stop()

    answers = [answer for one in rounds for answer in one]
    assert Counter(answer.granted for answer in answers) == {True: CONVERSATIONS, False: CONFLICTS}
    assert Counter(answer.granted for answer in everybody) == {True: 1, False: AGENTS - 1}
    events = [event async for event in event_store.read()]
    winners = {event.data.caller: event.data.operator for event in events if isinstance(event.data, CallReserved)}
    assert winners.keys() == set(callers)
    for answer in [*answers, *everybody]:
        winner = winners[answer.callers[0]]
        if answer.granted:
            assert answer.actor == winner
        else:
            assert (answer.told["type"], answer.told["reserved_by"]) == ("already-reserved", winner)
            assert answer.told["since"]
    assert Walk().through(events).answered([*answers, *everybody]).breaches == []
