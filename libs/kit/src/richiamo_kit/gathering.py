"""How do many small questions share one statement? What waits while one is asked is asked together next.

Without load a question goes at once, by itself. A question is never answered from before it was asked: a group is put
together when its statement is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_MOST = 500

K = TypeVar("K")
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """Answers single questions by `answer_all`, which answers many, in their order."""

    def __init__(self, answer_all: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        self._answer_all = answer_all
        self._waiting: list[tuple[K, asyncio.Future[V]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: K) -> V:
        """The answer, or whatever `answer_all` raised for the group of this question."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all(), name="gathering")
        return await answer

    async def _ask_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                answers = await self._answer_all([question for question, _ in group])
            except Exception as error:
                for _, answer in group:
                    if not answer.done():
                        answer.set_exception(error)
            except BaseException:
                for _, answer in group:
                    answer.cancel()
                raise
            else:
                for (_, answer), found in zip(group, answers, strict=True):
                    # Whoever asked may have gone away.
                    if not answer.done():
                        answer.set_result(found)
