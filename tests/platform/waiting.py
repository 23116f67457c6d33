"""How does a test wait for another process? It asks again and again, and says what it waited for when it gives up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")


async def until(what: str, ask: Callable[[], Awaitable[Answer]], within: float = 60.0) -> Answer:
    """The first answer that is true."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer := await ask():
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {within} s: {what}")
