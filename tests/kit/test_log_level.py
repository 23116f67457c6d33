"""Can one ask a running service to tell more, and less again, without starting it anew?"""

import asyncio
import signal
import sys

import pytest

SERVICE = """
import asyncio
import structlog
from richiamo_kit import logging
from richiamo_kit.lifetime import run_service

log = structlog.get_logger("a service")

async def work():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), __import__("sys").stdin)
    while await reader.readline():
        log.debug("detail")
        log.info("news")

logging.configure("info", form="json", service="test")
run_service(work())
"""


@pytest.mark.slow
async def test_a_signal_changes_what_a_service_tells() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVICE), stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stderr is not None

    async def told() -> list[bool]:
        """Whether each line of one round is a detail; a round ends with the news."""
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(b"\n")
        lines = [b""]
        while b'"news"' not in lines[-1]:
            lines.append(await child.stderr.readline())
            assert lines[-1], "it ended"
        return [b'"detail"' in line for line in lines if line and b"asyncio" not in line]

    try:
        assert await told() == [False]
        for sent, expected in ((signal.SIGUSR1, [True, False]), (signal.SIGUSR2, [False])):
            child.send_signal(sent)
            # A signal arrives when it does: the next round or one soon after shows it.
            async with asyncio.timeout(60):
                while await told() != expected:
                    pass
    finally:
        child.stdin.close()
        await child.wait()
    assert child.returncode == 0
