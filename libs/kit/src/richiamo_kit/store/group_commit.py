"""How do many small appends share one write to the disk? What waits while some are on their way goes next, together.

Every message is acknowledged only when its stream has it on disk. Under load the messages that arrive during one write
go in the next, as one batch when they are many; without load a message goes at once, by itself.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError
from richiamo_kit.store.publish import EXPECTED_POSITION, PATIENCE, Acknowledged, Outgoing, send

_MOST = 500
_PIECES = 4
_FEW = 12
"""So many are done sooner side by side: the server takes 5 to 10 ms to begin and commit a batch, 1 ms for one message."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: Outgoing
    answer: asyncio.Future[Acknowledged]


class GroupCommit:
    """Stores single messages of one stream (`allow_atomic`), several at a time when several wait."""

    def __init__(self, client: Client, *, patience: float = PATIENCE) -> None:
        self._client = client
        self._patience = patience
        self._waiting: list[_Waiting] = []
        self._sender: asyncio.Task[None] | None = None

    async def send(self, message: Outgoing) -> Acknowledged:
        """Store one message; raises as `publish.send` does for it alone, whatever became of its neighbours."""
        [waiting] = self._queued([message])
        return await waiting.answer

    async def send_all(self, messages: Sequence[Outgoing]) -> list[Acknowledged | JetStreamError]:
        """Store many messages, each for itself; answers what became of each.

        Raises `Unavailable` when that is not known of one of them; the others may be stored.
        """
        answers: list[Acknowledged | JetStreamError] = []
        trouble: Unavailable | None = None
        for waiting in self._queued(messages):
            try:
                answers.append(await waiting.answer)
            except JetStreamError as error:
                answers.append(error)
            except Unavailable as error:
                trouble = error
        if trouble is not None:
            raise trouble
        return answers

    def _queued(self, messages: Sequence[Outgoing]) -> list[_Waiting]:
        loop = asyncio.get_running_loop()
        queued = [_Waiting(message, loop.create_future()) for message in messages]
        self._waiting.extend(queued)
        if self._waiting and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send_all(), name="group_commit")
        return queued

    async def _send_all(self) -> None:
        while self._waiting:
            await self._send(self._next_group())

    def _next_group(self) -> list[_Waiting]:
        """What has waited longest; of those that expect a position one a subject, for a second could only be refused."""
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        guarded: set[str] = set()
        for one in self._waiting:
            subject = one.message.subject if EXPECTED_POSITION in one.message.headers else ""
            if len(group) == _MOST or subject in guarded:
                later.append(one)
                continue
            if subject:
                guarded.add(subject)
            group.append(one)
        self._waiting = later
        return group

    async def _send(self, group: list[_Waiting]) -> None:
        if len(group) <= _FEW:
            await asyncio.gather(*(self._send_one(one) for one in group))
            return
        try:
            try:
                last = await send(self._client, [one.message for one in group], patience=self._patience)
            except JetStreamError:
                # One known id or wrong position refuses all, and none is stored: in parts, so that it costs few neighbours.
                size = -(-len(group) // _PIECES)
                for start in range(0, len(group), size):
                    await self._send(group[start : start + size])
                return
        except Unavailable as error:
            for one in group:
                _fail(one, Unavailable(str(error)))
        except BaseException as error:
            for one in group:
                _fail(one, Unavailable(f"the append was cut short: {error}"))
            raise
        else:
            first = last.position - len(group) + 1
            for number, one in enumerate(group):
                if not one.answer.done():
                    one.answer.set_result(Acknowledged(first + number, duplicate=False))

    async def _send_one(self, one: _Waiting) -> None:
        try:
            acknowledged = await send(self._client, [one.message], patience=self._patience)
        except (JetStreamError, Unavailable) as error:
            _fail(one, error)
        except BaseException as error:
            _fail(one, Unavailable(f"the append was cut short: {error}"))
            raise
        else:
            if not one.answer.done():
                one.answer.set_result(acknowledged)


def _fail(one: _Waiting, error: Exception) -> None:
    if not one.answer.done():
        one.answer.set_exception(error)
