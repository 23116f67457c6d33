"""How do several things run at once when all must succeed? Side by side; the first failure ends the others."""

import asyncio
from collections.abc import Coroutine, Sequence

_ASKED_AGAIN = 1.0


async def together(parts: Sequence[Coroutine[object, object, None]]) -> None:
    """Run all; the first failure ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel all and wait until they are done, whatever they raise.

    Python 3.11's `wait_for` loses a cancellation that arrives together with its answer, as when a connection is just
    made: who does not end within a second is asked again.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_ASKED_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
