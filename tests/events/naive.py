"""What do the rules say, read a second time? A naive fold that shares no code with the real one.

Instead of walking through time with open requests it asks of each lost call: which closing ends it?
Calls of one queue and one cover that share their closing are one request (`domain.md` 3 to 5, 11, 14).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from richiamo_events.language import (
    CallerEvent,
    CallFlushed,
    CallMissed,
    CallServed,
    CallVoided,
    FlushUndone,
    RecallDisputed,
    RecallFailed,
    RecallSucceeded,
)

NEVER = (datetime.max.replace(tzinfo=UTC), 9, "")
Moment = tuple[datetime, int, str]
CallFact = CallMissed | CallServed | RecallSucceeded | RecallFailed
Facts = dict[str, CallFact]
Log = list[tuple[str, datetime, CallerEvent]]


@dataclass(frozen=True)
class Told:
    """One request, as much of it as the figures need."""

    id: str
    queue: str
    calls: tuple[str, ...]
    tried_at: tuple[datetime, ...]
    closed_at: datetime | None
    closed_by: str | None
    closing_call: str | None


def cut(instant: datetime) -> datetime:
    return instant - timedelta(microseconds=instant.microsecond)


def start_of(fact: CallMissed | CallServed | RecallSucceeded | RecallFailed, first_received: datetime) -> datetime:
    if fact.started_at is not None:
        return cut(fact.started_at)
    assert fact.call is not None
    head = fact.call.unique_id.split(".")[0]
    if head.isdigit() and len(head) in {9, 10}:
        epoch = datetime.fromtimestamp(int(head), UTC)
        if timedelta(hours=-24) <= epoch - first_received <= timedelta(minutes=5):
            return epoch
    return cut(first_received)


def gather(log: Log) -> tuple[Facts, dict[str, datetime], set[str], list[tuple[datetime, CallFlushed]]]:
    """The facts that count, when each call was first received, the disputed calls, the flushes in force."""
    best: dict[str, tuple[tuple[int, datetime, str], CallFact]] = {}
    first: dict[str, datetime] = {}
    void: set[str] = set()
    disputed: set[str] = set()
    undone: set[str] = set()
    flushes: list[tuple[datetime, CallFlushed]] = []
    for event_id, occurred_at, event in log:
        match event:
            case CallMissed() | CallServed() | RecallSucceeded() | RecallFailed() if event.call is not None:
                key = str(event.call)
                weight = (int(event.rank), event.received_at, event_id)
                first[key] = min(first.get(key, event.received_at), event.received_at)
                if key not in best or weight > best[key][0]:
                    best[key] = (weight, event)
            case CallVoided():
                void.add(str(event.call))
            case RecallDisputed():
                disputed.add(str(event.call))
            case FlushUndone():
                undone.add(event.flush)
            case CallFlushed():
                flushes.append((occurred_at, event))
            case _:
                pass
    facts = {key: fact for key, (_, fact) in best.items() if key not in void}
    return facts, first, disputed, [(when, flush) for when, flush in flushes if flush.flush not in undone]


def tell(log: Log, threshold: float) -> list[Told]:
    """Requests from (event id, occurred_at, event) in any order."""
    facts, first, disputed, flushes = gather(log)
    covers: dict[str, str] = {}
    for _, flush in sorted(flushes, key=lambda one: (cut(one[0]), one[1].flush)):
        for covered in flush.calls:
            covers.setdefault(str(covered), flush.flush)

    lost = {
        key: ((start_of(fact, first[key]), 0, key), fact.queue)
        for key, fact in facts.items()
        if isinstance(fact, CallMissed)
    }
    tries: list[Moment] = []
    closings: list[tuple[Moment, str | None, str, str | None]] = []  # moment, cover or None for all, how, call
    for key, fact in facts.items():
        if isinstance(fact, CallServed):
            closings.append(((cut(fact.answered_at), 2, key), None, "served", key))
        elif isinstance(fact, RecallSucceeded | RecallFailed):
            tries.append((start_of(fact, first[key]), 1, key))
            if fact.answered_at is not None and fact.talk_seconds > threshold and key not in disputed:
                closings.append(((cut(fact.answered_at), 2, key), None, "recalled", key))
    for occurred_at, flush in flushes:
        mine = [lost[key][0][0] for key in lost if covers.get(key) == flush.flush]
        at = max([cut(occurred_at), *mine])
        closings.append(((at, 3, flush.flush), flush.flush, "flushed", None))
    closings.sort(key=lambda closing: closing[0])

    groups: dict[tuple[str, str | None, Moment], list[str]] = defaultdict(list)
    ended: dict[Moment, tuple[str | None, str | None]] = {}
    for key, (moment, queue) in lost.items():
        cover = covers.get(key)
        for end, scope, how, closer in closings:
            if end > moment and (scope is None or scope == cover):
                groups[queue, cover, end].append(key)
                ended[end] = (how, closer)
                break
        else:
            groups[queue, cover, NEVER].append(key)
    told = []
    for (queue, _, end), keys in groups.items():
        keys.sort(key=lambda key: lost[key][0])
        begin = lost[keys[0]][0]
        how_ended, closer_of = ended.get(end, (None, None))
        told.append(
            (
                begin,
                Told(
                    id=keys[0],
                    queue=queue,
                    calls=tuple(keys),
                    tried_at=tuple(sorted(moment[0] for moment in tries if begin < moment < end)),
                    closed_at=None if end is NEVER else end[0],
                    closed_by=how_ended,
                    closing_call=closer_of,
                ),
            )
        )
    return [one for _, one in sorted(told, key=lambda pair: pair[0])]
