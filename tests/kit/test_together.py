"""Do several things end when they must, also one that lost its cancellation?"""

import asyncio

from richiamo_kit.together import ended


async def test_who_loses_a_cancellation_is_asked_again() -> None:
    asked = 0

    async def deaf_once() -> None:
        nonlocal asked
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asked += 1
                if asked > 1:
                    raise

    async def fails() -> None:
        raise ValueError("ended before")

    tasks = [asyncio.create_task(deaf_once()), asyncio.create_task(fails())]
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await ended(tasks)
    assert asked == 2
    assert all(task.done() for task in tasks)
