"""What happens when? A seed and a beginning give the steps of a day or of an endless shift, in order."""

import heapq
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from richiamo_ops.simulate.people import Scene
from richiamo_ops.simulate.steps import ReportRecord, Step
from richiamo_ops.simulate.story import HISTORY, LIVE, Teller

_ANSWERED_PER_LOST = 1.5
_OPENS = time(8, 30)
_CLOSES = time(18, 30)


def live(seed: int, scene: Scene, begins: datetime, *, rate: float) -> Iterator[Step]:
    """Endless steps from `begins` on in the order of their instants; `rate` lost calls a minute.

    Calls arrive as a Poisson process. Two runs with one seed and one beginning give the same steps.
    """
    rng = Random(f"live/{seed}")  # noqa: S311 -- A play, no secret.
    teller = Teller(rng, scene, LIVE)
    return _merged(
        (_arrivals(rng, begins, rate / 60), teller.unlucky),
        (_arrivals(rng, begins, rate * _ANSWERED_PER_LOST / 60), teller.lucky),
    )


def past_day(seed: int, scene: Scene, day: date, zone: ZoneInfo, *, calls: int) -> list[ReportRecord]:
    """The call records of one past day in the order in which they arrive: late, some twice.

    About `calls` lost calls on a working day, a fifth of it on Saturday, none on Sunday. The same seed
    and day always give the same records, so importing twice adds nothing.
    """
    weight = {5: 0.2, 6: 0.0}.get(day.weekday(), 1.0)
    opens = datetime.combine(day, _OPENS, zone).astimezone(UTC)
    closes = datetime.combine(day, _CLOSES, zone).astimezone(UTC)
    per_second = calls * weight / (closes - opens).total_seconds()
    if per_second == 0:
        return []
    rng = Random(f"history/{seed}/{day.isoformat()}")  # noqa: S311 -- A play, no secret.
    teller = Teller(rng, scene, HISTORY)
    until = closes.timestamp()
    steps = _merged(
        (_arrivals(rng, opens, per_second, until), teller.unlucky),
        (_arrivals(rng, opens, per_second * _ANSWERED_PER_LOST, until), teller.lucky),
    )
    return [step for step in steps if isinstance(step, ReportRecord)]


_Story = Callable[[datetime], Iterator[Step]]


def _arrivals(rng: Random, begins: datetime, per_second: float, until: float = float("inf")) -> Iterator[datetime]:
    at = begins
    while True:
        at += timedelta(seconds=rng.expovariate(per_second))
        if at.timestamp() >= until:
            return
        yield at.replace(microsecond=0)


def _merged(*tellings: tuple[Iterator[datetime], _Story]) -> Iterator[Step]:
    """Steps of all stories in order. A story is told only when time has come to its beginning."""
    begun = 0
    arrivals: list[tuple[datetime, int]] = []
    for index, (instants, _) in enumerate(tellings):
        first = next(instants, None)
        if first is not None:
            heapq.heappush(arrivals, (first, index))
    waiting: list[tuple[datetime, int, Step]] = []
    while arrivals or waiting:
        if arrivals and (not waiting or arrivals[0][0] <= waiting[0][0]):
            at, index = heapq.heappop(arrivals)
            instants, story = tellings[index]
            for step in story(at):
                begun += 1
                heapq.heappush(waiting, (step.at, begun, step))
            following = next(instants, None)
            if following is not None:
                heapq.heappush(arrivals, (following, index))
        else:
            yield heapq.heappop(waiting)[2]
