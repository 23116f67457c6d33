"""What does the log hold? All or a part of it, as JSON lines or into a stream; once or live."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_events import wire
from richiamo_kit.errors import Problem
from richiamo_kit.store.messages import at_position
from richiamo_kit.store.streams import EVENTS
from richiamo_ops.replaying.lines import Lines, as_line, file_of_lines
from richiamo_ops.replaying.part import Part, caller_of, in_time, known_types
from richiamo_ops.replaying.stream import IntoStream
from richiamo_ops.replaying.target import Target
from richiamo_ops.site import Site, instant, reached

Types = Annotated[tuple[str, ...], Parameter(name="--type")]


def replay(
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    until: str | None = None,
    after: int = 0,
    up_to: int | None = None,
    caller: str | None = None,
    type_: Types = (),
    speed: float = 0.0,
    out: Path | None = None,
    stream: str | None = None,
) -> int:
    """Write the log, or a part of it, as JSON lines or into another stream of NATS.

    A file or stream that holds a replay already is gone on with after its last event: a run that was interrupted, or
    killed, is finished by the same command, with nothing doubled and nothing left out.

    Example: richiamo replay --from 2026-03-02T08:00 --until 2026-03-02T09:00 --out morning.jsonl

    Parameters
    ----------
    from_
        First instant of recording (ISO 8601; without offset: the site's zone).
    until
        Events recorded before this instant.
    after
        Begin after this position.
    up_to
        End with this position.
    caller
        Only what a customer's own history holds: a number in any spelling, or the id of a caller.
    type_
        Only this event type, such as caller.call_missed; may be given several times.
    speed
        1 keeps the recorded pace, 10 is ten times as fast, 0 (default) does not wait.
    out
        A file; without it, and without --stream, standard output.
    stream
        A stream of this name, made when it is not there; its subjects begin with richiamo.replay.
    """
    if out is not None and stream is not None:
        raise Problem(400, "two-targets", "Choose one: --out or --stream.")
    if speed < 0:
        raise Problem(400, "no-speed", "The speed is 0 or more.")
    return asyncio.run(_replay(from_, until, after, up_to, caller, type_, speed, out, stream))


def tail(*, type_: Types = ()) -> int:
    """Write new events as they are recorded, until interrupted.

    Example: richiamo tail --type caller.call_missed
    """
    return asyncio.run(_tail(known_types(type_)))


async def _replay(  # noqa: PLR0917 - the options of the command, in its order
    from_: str | None,
    until: str | None,
    after: int,
    up_to: int | None,
    caller: str | None,
    types: tuple[str, ...],
    speed: float,
    out: Path | None,
    stream: str | None,
) -> int:
    async with reached("replay") as site, _opened(site, out, stream) as target:
        part = Part(
            first=instant(from_, site.defaults) if from_ else None,
            end=instant(until, site.defaults) if until else None,
            last=up_to,
            caller=await caller_of(site, caller) if caller else None,
            types=known_types(types),
        )
        # What is said goes to standard error, so that standard output stays JSON lines.
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        if target.held is not None:
            await _same_log(site, target)
            console.print(f"Going on after position {target.held.position:,}, the last that is there already.")
            after = max(after, target.held.position)
        total = min(await site.store.last_position(), up_to or sys.maxsize)
        written, position = 0, after
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        ) as progress:
            bar = progress.add_task("replay", total=total, completed=after)
            async with aclosing(part.read(site.store, after)) as events, aclosing(in_time(events, speed)) as due:
                async for some in due:
                    await target.write(some)
                    written, position = written + len(some), some[-1].position
                    progress.update(bar, completed=position)
        console.print(f"{written:,} events written{f', the last of position {position:,}' if written else ''}.")
    return 0


@asynccontextmanager
async def _opened(site: Site, out: Path | None, stream: str | None) -> AsyncIterator[Target]:
    if stream is not None:
        yield await IntoStream.open(site.store.client, stream)
    elif out is not None:
        async with file_of_lines(out) as lines:
            yield lines
    else:
        yield Lines(sys.stdout)


async def _same_log(site: Site, target: Target) -> None:
    """Raises `Problem` when the target holds an event that this log does not hold at that position."""
    assert target.held is not None
    there = await at_position(site.store.client, EVENTS, target.held.position)
    if there is None or there.headers.get("ce-id") != target.held.id:
        raise Problem(409, "another-log", "What is there already was replayed from another log: choose another name.")


async def _tail(types: tuple[str, ...]) -> int:
    async with reached("tail") as site:
        batches = site.store.follow(await site.store.last_position())
        async with aclosing(batches):
            async for batch in batches:
                for event in batch:
                    if not types or wire.type_of(event.data) in types:
                        sys.stdout.write(as_line(event))
                sys.stdout.flush()
    return 0
