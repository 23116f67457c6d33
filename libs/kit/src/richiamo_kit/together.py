"""How do several things run at once when all must succeed? Side by side; the first failure ends the others."""

import asyncio
from collections.abc import Coroutine, Sequence


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
