"""Which months are worth trying? Small ones, crowded around midnights and both changes of the clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallFlushed, CallMissed, Rank
from tests.reporting.log import Log

CALLERS = ("ada", "ben", "cleo")
QUEUES = ("Vendite", "Assistenza", "")
ZONES = ("Europe/Rome", "UTC", "America/New_York", "Asia/Kolkata")
_TALKS = (0.0, 4.999, 5.0, 5.001, 7.3, 61.25)
_DELAYS = (timedelta(seconds=5), timedelta(minutes=3), timedelta(hours=5), timedelta(days=2))


@dataclass(frozen=True)
class Month:
    """A log, the days to ask about, the zone, and the instants as of which to ask."""

    events: list[Recorded]
    days: list[date]
    zone: ZoneInfo
    instants: list[datetime]
    now: datetime


@dataclass(frozen=True)
class _Planned:
    recorded_at: datetime
    what: str
    arguments: tuple[object, ...]


@st.composite
def months(draw: st.DrawFn) -> Month:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    first = draw(st.sampled_from([date(2026, 3, 27), date(2026, 10, 23), date(2026, 6, 1)]))
    days = [first + timedelta(days=n) for n in range(4)]
    moments = _moments(days, zone)
    moment = st.sampled_from(moments)
    planned = [draw(_steps(moment)) for _ in range(draw(st.integers(min_value=3, max_value=30)))]
    planned.sort(key=lambda step: step.recorded_at)
    log = Log(moments[0])
    for number, step in enumerate(planned):
        log.now = step.recorded_at
        _write(log, step, number)
    recorded = [event.recorded_at for event in log.events]
    instants = draw(st.lists(st.one_of(moment, st.sampled_from(recorded)), min_size=1, max_size=2, unique=True))
    now = draw(st.sampled_from([max(recorded), max(recorded) + timedelta(days=1), max(recorded) + timedelta(days=9)]))
    return Month(log.events, days, zone, instants, now)


def _moments(days: list[date], zone: ZoneInfo) -> list[datetime]:
    """Seconds around each midnight, in the hour that is doubled or missing, and at noon."""
    found = []
    for day in days:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        found += [midnight + timedelta(seconds=n) for n in (-8, -1, 0, 1)]
        found += [midnight + timedelta(hours=n, minutes=30) for n in (1, 2, 3, 12)]
        found += [midnight + timedelta(hours=12, minutes=30, seconds=n) for n in (1, 7)]
    return sorted(found)


@st.composite
def _steps(draw: st.DrawFn, moment: st.SearchStrategy[datetime]) -> _Planned:
    caller = draw(st.sampled_from(CALLERS))
    call = draw(st.integers(min_value=1, max_value=5))
    queue = draw(st.sampled_from(QUEUES))
    at = draw(moment)
    late = draw(st.sampled_from(_DELAYS))
    what = draw(
        st.sampled_from(
            ["missed"] * 5
            + ["routed", "withheld", "served", "served", "recall", "recall", "recall"]
            + ["flush", "flush", "undo", "void", "dispute", "reserve", "reserve", "release", "threshold"]
        )
    )
    match what:
        case "missed" | "routed" | "withheld":
            kind = draw(st.sampled_from(["queue", "queue", "checktime"]))
            return _Planned(at + late, what, (caller, call, at, queue, kind))
        case "served":
            answered_on = draw(st.sampled_from(["Vendite", "Assistenza", None]))
            nobody = draw(st.booleans()) and draw(st.booleans())
            return _Planned(at + late, what, (None if nobody else caller, call, at, answered_on))
        case "recall":
            return _Planned(at + timedelta(seconds=90) + late, what, (caller, call, at, draw(st.sampled_from(_TALKS))))
        case "flush":
            covered = draw(st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=4, unique=True))
            return _Planned(at, what, (caller, tuple(covered)))
        case "undo":
            return _Planned(at, what, (caller,))
        case "threshold":
            return _Planned(at, what, (draw(st.sampled_from([5.0, 6.0, 60.0])),))
        case _:
            return _Planned(at, what, (caller, call))


def _write(log: Log, step: _Planned, number: int) -> None:
    match step.what, step.arguments:
        case "missed", (str(caller), call, datetime() as at, str(queue), str(kind)):
            log.missed(caller, f"{caller}-{call}", at + timedelta(milliseconds=999), queue, kind)
        case "withheld", (_, call, datetime() as at, str(queue), str(kind)):
            log.missed(None, f"nobody-{call}", at, queue, kind)
        case "routed", (str(caller), call, _, str(queue), str(kind)):
            log.add(
                CallMissed(
                    caller=CallerId(caller),
                    call=CallId("main", f"{caller}-{call}"),
                    rank=Rank.ROUTING,
                    received_at=log.now,
                    queue=queue,
                    type=kind,
                )
            )
        case "served", (str(caller), call, datetime() as at, str() | None as queue):
            log.served(caller, f"{caller}-{call}", at, queue)
        case "served", (None, call, datetime() as at, str() | None as queue):
            log.served(None, f"nobody-{call}", at, queue)
        case "recall", (str(caller), call, datetime() as at, float(talk)):
            log.recall(caller, f"{caller}-out-{call}", at, talk)
        case "flush", (str(caller), tuple() as covered):
            log.flush(caller, f"{caller}-f{number}", [f"{caller}-{call}" for call in covered])
        case "undo", (str(caller),):
            made = [event.data.flush for event in log.events if isinstance(event.data, CallFlushed)]
            theirs = [flush for flush in made if flush.startswith(f"{caller}-")]
            if theirs:
                log.undo(caller, theirs[-1])
        case "void", (str(caller), call):
            log.void(caller, f"{caller}-{call}")
        case "dispute", (str(caller), call):
            log.dispute(caller, f"{caller}-out-{call}")
        case "reserve", (str(caller), _):
            log.reserve(caller, f"r{number}")
        case "release", (str(caller), _):
            held = [event.data for event in log.events if getattr(event.data, "caller", "") == caller]
            newest = [getattr(data, "reservation", None) for data in held if hasattr(data, "reservation")]
            if newest:
                log.release(caller, str(newest[-1]))
        case "threshold", (float(value),):
            log.settings(success_threshold_seconds=value)
        case _:
            raise AssertionError(step)
