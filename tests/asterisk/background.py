"""How does a journey, which waits with a clock of its own, have a PBX beside it? On a loop in a thread."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.asterisk.pbx import AsteriskPbx, running

T = TypeVar("T")


class Background:
    """A PBX on a loop of its own."""

    def __init__(self, pbx: AsteriskPbx, loop: asyncio.AbstractEventLoop) -> None:
        self.pbx = pbx
        self._loop = loop

    def does(self, what: Coroutine[Any, Any, T]) -> T:
        """Let something happen on the PBX, and wait until it has."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=60)


@contextmanager
def in_background() -> Iterator[Background]:
    """A PBX that serves while the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="pbx")
    thread.start()
    begun, ends = threading.Event(), asyncio.Event()
    pbx = AsteriskPbx()

    async def serve() -> None:
        async with running(pbx):
            begun.set()
            await ends.wait()

    serving = asyncio.run_coroutine_threadsafe(serve(), loop)
    assert begun.wait(10)
    try:
        yield Background(pbx, loop)
    finally:
        loop.call_soon_threadsafe(ends.set)
        serving.result(timeout=60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=60)
        loop.close()
