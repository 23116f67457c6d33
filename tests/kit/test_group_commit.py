"""Does everybody get their own answer when many append at once, and does a refusal hurt only its own?"""

import asyncio

import pytest

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError
from richiamo_kit.store.group_commit import GroupCommit
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.messages import MESSAGE_ID
from richiamo_kit.store.publish import EXPECTED_POSITION, Acknowledged, Outgoing
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import CDR

pytestmark = pytest.mark.servers


def record(number: int, **headers: str) -> Outgoing:
    return Outgoing(f"richiamo.cdr.p{number % 7}", {MESSAGE_ID: f"r{number}", **headers}, str(number).encode())


async def test_each_message_is_where_its_answer_says(event_store: JetStreamEventStore) -> None:
    group = GroupCommit(event_store.client)
    answers = await asyncio.gather(*(group.send(record(number)) for number in range(1200)))
    stored = {one.position: one.body async for one in read_stream(event_store.client, CDR)}
    assert len(stored) == 1200
    for number, answer in enumerate(answers):
        assert stored[answer.position] == str(number).encode()
        assert not answer.duplicate


async def test_a_known_id_and_a_wrong_position_are_told_to_their_own_senders(
    event_store: JetStreamEventStore,
) -> None:
    group = GroupCommit(event_store.client)
    first = await group.send(record(0))
    wrong = record(7, **{EXPECTED_POSITION: "0"})
    answers = await asyncio.gather(
        group.send(record(1)),
        group.send(record(0)),
        group.send(wrong),
        *(group.send(record(number)) for number in range(10, 60)),
        return_exceptions=True,
    )
    assert answers[1] == Acknowledged(first.position, duplicate=True)
    assert isinstance(answers[2], JetStreamError)
    others = [answers[0], *answers[3:]]
    assert all(isinstance(one, Acknowledged) and not one.duplicate for one in others)
    assert len([one async for one in read_stream(event_store.client, CDR)]) == 52


async def test_nobody_waits_for_ever_when_it_ends_while_a_refused_group_is_sent_apart(
    event_store: JetStreamEventStore,
) -> None:
    group = GroupCommit(event_store.client)
    await group.send(record(0))
    sent = [asyncio.create_task(group.send(record(number))) for number in range(100)]
    while not any(one.done() for one in sent):
        await asyncio.sleep(0)
    assert group._sender is not None
    group._sender.cancel()
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*sent, return_exceptions=True)
    assert {type(one) for one in answers} == {Acknowledged, Unavailable}
