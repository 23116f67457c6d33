"""Who carries the script out? Waits for each step's instant and lets the PBX or an operator act."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from richiamo_ops.simulate.desk import Desks
from richiamo_ops.simulate.pbx import Pbx
from richiamo_ops.simulate.steps import Dial, Release, ReportRecord, Reserve, Step


def now() -> datetime:
    """The instant of now; a parameter of `play` so that a test can live faster."""
    return datetime.now(UTC)


async def play(
    steps: Iterable[Step],
    pbx: Pbx,
    desks: Desks,
    *,
    until: datetime | None,
    clock: Callable[[], datetime] = now,
) -> None:
    """Carry out `steps` at their instants, stopping before the first one after `until`.

    Steps that take long do not hold up the next ones. A record of a dial that Richiamo refused is left
    out: the PBX never made that call.
    """
    async with asyncio.TaskGroup() as running:
        for step in steps:
            if until is not None and step.at > until:
                return
            ahead = (step.at - clock()).total_seconds()
            if ahead > 0:
                await asyncio.sleep(ahead)
            match step:
                case Reserve() | Release() | Dial():
                    running.create_task(desks.act(step))
                case ReportRecord() if step.dial is not None and step.dial not in desks.dialled:
                    continue
                case _:
                    running.create_task(pbx.report(step))
