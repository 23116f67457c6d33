"""When does a service end? At SIGTERM or SIGINT, or when one of its parts fails for good."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Coroutine

import structlog
import uvloop

from richiamo_kit import tracing

_log = structlog.get_logger(__name__)

_FAREWELL = 4.0
"""Seconds for the parts to end: the supervisor kills what has not ended after five."""


def run_service(main: Coroutine[object, object, None]) -> None:
    """Run a service's main to its end, on a loop that takes half the time of Python's own."""
    # What was imported stays: a full collection that goes through it all stops the service for some 50 ms.
    gc.freeze()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)
    finally:
        tracing.end()


async def until_signal() -> None:
    """Return when the process is asked to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    try:
        await ended.wait()
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


async def run_until_signal(*parts: Callable[[], Awaitable[None]]) -> None:
    """Run the parts side by side until a signal; a part that raises or returns ends all, and its error is raised."""
    waiter = asyncio.create_task(until_signal(), name="until_signal")
    tasks = [asyncio.ensure_future(part()) for part in parts]
    done, _ = await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (waiter, *tasks):
        task.cancel()
    _, stuck = await asyncio.wait([waiter, *tasks], timeout=_FAREWELL)
    for task in stuck:
        _log.warning("a_part_does_not_end", part=task.get_name())
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    for task in sorted(ended, key=lambda task: task not in done):
        error = task.exception()
        if error is None:
            continue
        if waiter not in done:
            raise error
        # We were asked to end, and did: a farewell that failed, to a server that is gone, is no failure.
        _log.warning("a_part_ended_badly", part=task.get_name(), error=repr(error))
    if waiter not in done:
        _log.warning("a_part_of_the_service_returned")
