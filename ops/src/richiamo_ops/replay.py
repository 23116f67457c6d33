"""What does the log hold? Written out as JSON lines, by time, position, caller or type; once or live."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_events import subjects, wire
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId
from richiamo_ops.site import Site, instant, reached

_LONGEST_PAUSE = 60.0


def replay(
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    until: str | None = None,
    after: int = 0,
    caller: str | None = None,
    type_: Annotated[str | None, Parameter(name="--type")] = None,
    speed: float = 0.0,
    out: Path | None = None,
) -> int:
    """Write the log, or a part of it, as one JSON object a line.

    Example: richiamo replay --from 2026-03-02T08:00 --until 2026-03-02T09:00 --out morning.jsonl

    Parameters
    ----------
    from_
        First instant of recording (ISO 8601; without offset: the site's zone).
    until
        Events recorded before this instant.
    after
        Begin after this position; the last line of an interrupted run names where to go on.
    caller
        Only this caller's own subject.
    type_
        Only this event type, such as caller.call_missed.
    speed
        1 keeps the recorded pace, 10 is ten times as fast, 0 (default) does not wait.
    out
        A file; without it standard output.
    """
    return asyncio.run(_replay(from_, until, after, caller, type_, speed, out))


def tail(*, type_: Annotated[str | None, Parameter(name="--type")] = None) -> int:
    """Write new events as they are recorded, until interrupted.

    Example: richiamo tail --type caller.call_missed
    """
    return asyncio.run(_tail(type_))


async def _replay(  # noqa: PLR0917 - the options of the command, in its order
    from_: str | None,
    until: str | None,
    after: int,
    caller: str | None,
    type_: str | None,
    speed: float,
    out: Path | None,
) -> int:
    async with reached("replay") as site:
        first = instant(from_, site.defaults) if from_ else None
        end = instant(until, site.defaults) if until else None
        total = await site.store.last_position()
        events = _chosen(site, after, caller, first, end)
        # The progress goes to standard error, so that standard output stays JSON lines.
        with (
            out.open("w", encoding="utf-8") if out else nullcontext(sys.stdout) as target,
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            ) as progress,
        ):
            bar = progress.add_task("replay", total=total, completed=after)
            previous: datetime | None = None
            async with aclosing(events):
                async for event in events:
                    progress.update(bar, completed=event.position)
                    if type_ is not None and wire.type_of(event.data) != type_:
                        continue
                    if speed > 0 and previous is not None:
                        pause = (event.recorded_at - previous).total_seconds() / speed
                        await asyncio.sleep(min(max(pause, 0.0), _LONGEST_PAUSE))
                    previous = event.recorded_at
                    target.write(as_line(event))
    return 0


async def _chosen(
    site: Site, after: int, caller: str | None, first: datetime | None, end: datetime | None
) -> AsyncGenerator[Recorded, None]:
    subject = subjects.caller(CallerId(caller)) if caller else subjects.ALL
    async for event in site.store.read(after, subject=subject):
        if end is not None and event.recorded_at >= end:
            return
        if first is None or event.recorded_at >= first:
            yield event


async def _tail(type_: str | None) -> int:
    async with reached("tail") as site:
        batches = site.store.follow(await site.store.last_position())
        async with aclosing(batches):
            async for batch in batches:
                for event in batch:
                    if type_ is None or wire.type_of(event.data) == type_:
                        sys.stdout.write(as_line(event))
                sys.stdout.flush()
    return 0


def as_line(event: Recorded) -> str:
    """One event as a line of JSON: its envelope and, under `data`, its body."""
    headers, body = wire.encode(
        NewEvent(
            id=event.id,
            subject=event.subject,
            data=event.data,
            occurred_at=event.occurred_at,
            actor=event.actor,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
        )
    )
    told = {
        "position": event.position,
        "recorded_at": event.recorded_at.isoformat(),
        "type": headers["ce-type"],
        "version": int(headers["ce-dataversion"]),
        "id": event.id,
        "subject": event.subject,
        "occurred_at": event.occurred_at.isoformat(),
        "actor": event.actor,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "data": json.loads(body),
    }
    return json.dumps(told, ensure_ascii=False) + "\n"
