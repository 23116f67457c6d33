"""A NATS server of one test that can be killed and started again on its port and folder."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from richiamo_kit import children
from richiamo_kit.children import Child
from richiamo_kit.servers import Server


class Restartable:
    """One server under the test's hand."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return self.server.url

    async def start(self) -> None:
        self.child = await children.start(await self.server.prepare())
        await self.server.wait_ready(self.child)

    async def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        await self.child.wait()

    def freeze(self) -> None:
        assert self.child is not None
        self.child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.child is not None
        self.child.signal(signal.SIGCONT)


@asynccontextmanager
async def restartable(server: Server) -> AsyncIterator[Restartable]:
    under_test = Restartable(server)
    await under_test.start()
    try:
        yield under_test
    finally:
        await under_test.kill()


def digits_anywhere(folder: Path, digits: bytes) -> list[Path]:
    """The files below a folder that hold these bytes."""
    return [file for file in folder.rglob("*") if file.is_file() and digits in file.read_bytes()]
