"""Which month of calls is imported, and in what disorder may it arrive? Drawn from a seed, the same every time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count
from random import Random
from zoneinfo import ZoneInfo

from richiamo_ops.simulate.calls import PbxCall
from richiamo_ops.simulate.people import Scene, scene
from richiamo_ops.simulate.script import past_day

DAYS = 30
_LOST_PART = 0.28
"""Of all records of a day about this part tells of a lost call; `past_day` is asked for those."""
_WORKING_DAYS = DAYS * 5.2 / 7
_REPEATED = 5
_REPORTED = 10


@dataclass(frozen=True, slots=True)
class Disorder:
    """What a PBX whose records come late, doubled and mixed up sends."""

    reported: tuple[PbxCall, ...]
    """A tenth of the calls, all of them lost ones: the dynamic routing and a notification tell of them first."""
    records: tuple[PbxCall, ...]
    """All calls, a fifth of them twice, in any order."""


def site_of(calls: int, seed: int = 1) -> Scene:
    """A call centre of such a month: a customer rings eight times or so."""
    return scene(seed, operator_count=40, customer_count=max(50, calls // 8))


def month(calls: int, place: Scene, zone: ZoneInfo, first: date, seed: int = 1) -> list[PbxCall]:
    """Just so many calls from `first` on, in the order in which they ended."""
    lost_a_day = max(3, round(calls * _LOST_PART / _WORKING_DAYS))
    days = (past_day(seed, place, first + timedelta(days=day), zone, calls=lost_a_day) for day in count())
    found: dict[str, PbxCall] = {}
    for step in chain.from_iterable(days):
        found.setdefault(step.call.unique_id, step.call)
        if len(found) == calls:
            break
    return sorted(found.values(), key=lambda call: (call.ended_at, call.unique_id))


def disorder(calls: Sequence[PbxCall], chance: Random) -> Disorder:
    """One disorder of these calls."""
    lost = [call for call in calls if call.inbound and call.queue and not call.answered_by]
    reported = chance.sample(lost, min(len(lost), len(calls) // _REPORTED))
    records = [*calls, *chance.sample(calls, len(calls) // _REPEATED)]
    chance.shuffle(records)
    return Disorder(tuple(reported), tuple(records))


def parts(calls: Sequence[PbxCall], size: int) -> Iterator[tuple[PbxCall, ...]]:
    """The calls in groups of `size`, in order."""
    for start in range(0, len(calls), size):
        yield tuple(calls[start : start + size])
