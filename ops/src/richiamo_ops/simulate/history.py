"""What happened before today? Past days, imported quickly from call records alone."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from random import Random
from zoneinfo import ZoneInfo

from richiamo_ops.simulate.calls import PbxCall
from richiamo_ops.simulate.pbx import Pbx
from richiamo_ops.simulate.people import Scene
from richiamo_ops.simulate.script import past_day
from richiamo_ops.simulate.steps import ReportRecord
from richiamo_ops.simulate.wire import RecordForm

_BATCH = 250


async def import_days(
    pbx: Pbx,
    scene: Scene,
    seed: int,
    days: Sequence[date],
    *,
    zone: ZoneInfo,
    calls_per_day: int,
    on_day: Callable[[date], None],
) -> None:
    """Push the records of `days`, each day shuffled, some records twice; calls `on_day` after each."""
    for day in days:
        arriving = past_day(seed, scene, day, zone, calls=calls_per_day)
        Random(f"shuffle/{seed}/{day.isoformat()}").shuffle(arriving)  # noqa: S311 -- A play, no secret.
        for form, calls in batches(arriving):
            await pbx.send_records(calls, form)
        on_day(day)


def days_before(today: date, count: int) -> list[date]:
    """The `count` days before `today`, oldest first."""
    return [today - timedelta(days=back) for back in range(count, 0, -1)]


def batches(arriving: Sequence[ReportRecord]) -> Iterator[tuple[RecordForm, list[PbxCall]]]:
    """Records in batches of one form each, at most 250 a batch; order within a form is kept.

    One call is at most once in a batch, because flat rows that repeat an id are legs of one call.
    """
    ordered = sorted(arriving, key=lambda step: step.form)
    for form, group in groupby(ordered, key=lambda step: step.form):
        batch: dict[str, PbxCall] = {}
        for step in group:
            if len(batch) == _BATCH or step.call.unique_id in batch:
                yield form, list(batch.values())
                batch = {}
            batch[step.call.unique_id] = step.call
        if batch:
            yield form, list(batch.values())
