"""When is the PBX asked for records, and for which hours? Pure: the mark and an instant in, a window out.

The mark is how far everything was read. What is left out by an outage, ours or the PBX's, lies after it, so
the window grows by itself; it is read in slices, which shrink while the PBX is too slow for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from richiamo_events.settings import SiteSettings
from richiamo_kit.kalliope_rest import PbxTrouble, Trouble

SHORTEST_PAUSE = timedelta(seconds=60)
"""No poll follows another sooner, whatever happens (`docs/connect-kalliope.md`)."""
LONGEST_PAUSE = timedelta(minutes=15)
"""After how long a PBX that fails is asked again at the latest, unless the interval itself is longer."""
FIRST_LOOK_BACK = timedelta(hours=24)
WIDE_EVERY = timedelta(hours=24)
WIDE = timedelta(hours=26)
"""Once a day this much is read again: calls longer than the overlap, and records that the PBX wrote late."""
LONGEST_SLICE = timedelta(hours=24)
SHORTEST_SLICE = timedelta(minutes=15)
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the records of one PBX were read, and how the last try went."""

    through: datetime
    wide_at: datetime
    slice: timedelta = LONGEST_SLICE
    tried_at: datetime | None = None
    succeeded_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    trouble: Trouble | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What is wrong and what helps, in English; empty when the last poll went well."""
        return str(PbxTrouble(self.trouble, **self.values)) if self.trouble else ""


@dataclass(frozen=True, slots=True)
class Window:
    """The calls that began from `begin` to `end`; once they are read the mark stands at `end`."""

    begin: datetime
    end: datetime
    wide: bool = False


def first_mark(now: datetime) -> Mark:
    """Where a poll begins that has never been: a day ago. Older history comes from files."""
    return Mark(through=now - FIRST_LOOK_BACK, wide_at=now)


def due(mark: Mark, settings: SiteSettings, *, anew: bool) -> datetime | None:
    """From when on the PBX may be asked; None: at once. `anew`: after a start or a changed setting failures are
    forgotten, for somebody may just have mended what was wrong.
    """
    if mark.tried_at is None:
        return None
    interval = max(SHORTEST_PAUSE, timedelta(seconds=settings.cdr_poll_seconds))
    if mark.failures and not anew:
        # The exponent is bounded, for a timedelta is.
        pause = min(SHORTEST_PAUSE * (1 << min(mark.failures - 1, 10)), max(interval, LONGEST_PAUSE))
    elif mark.failures or _behind(mark):
        pause = SHORTEST_PAUSE
    else:
        pause = interval
    return mark.tried_at + pause


def window(mark: Mark, settings: SiteSettings, now: datetime) -> Window:
    """Which calls to ask for now."""
    overlap = timedelta(minutes=settings.cdr_overlap_minutes)
    through = min(mark.through, now)  # A clock that ran ahead for a while leaves no hole.
    end = min(now, through + mark.slice)
    if end == now and now - mark.wide_at >= WIDE_EVERY:
        return Window(min(through - overlap, now - WIDE), end, wide=True)
    return Window(through - overlap, end, wide=False)


def spelled(asked: Window, zone: ZoneInfo) -> tuple[str, str]:
    """The window as the PBX's wall clock shows it, both ends included.

    Wide enough for a clock that is put back in between, whose hour comes twice, and for a PBX whose clock is ahead.
    """
    begin, end = asked.begin.astimezone(zone), asked.end.astimezone(zone)
    margin = _MARGIN if begin.utcoffset() != end.utcoffset() else timedelta()
    form = "%Y-%m-%d %H:%M:%S"
    return (begin.replace(tzinfo=None) - margin).strftime(form), (end.replace(tzinfo=None) + _MARGIN).strftime(form)


def went_well(mark: Mark, asked: Window, now: datetime) -> Mark:
    """The mark after an answer that was read to its end."""
    return Mark(
        through=asked.end,
        wide_at=now if asked.wide else mark.wide_at,
        slice=min(LONGEST_SLICE, mark.slice * 2),
        tried_at=now,
        succeeded_at=now,
    )


def went_wrong(mark: Mark, asked: Window | None, now: datetime, trouble: PbxTrouble) -> Mark:
    """The mark after a failure: where it was, so that nothing is left out."""
    smaller = trouble.trouble in {Trouble.SLOW, Trouble.TOO_LARGE}
    return replace(
        mark,
        # A wide reading that fails must not keep the small ones from going on: tomorrow again.
        wide_at=now if asked and asked.wide else mark.wide_at,
        slice=max(SHORTEST_SLICE, mark.slice / 2) if smaller else mark.slice,
        tried_at=now,
        failures=mark.failures + 1,
        failing_since=mark.failing_since or now,
        trouble=trouble.trouble,
        values=dict(trouble.values),
    )


def _behind(mark: Mark) -> bool:
    """Whether the last slice ended before its poll: there is more to read already."""
    return mark.tried_at is not None and mark.tried_at - mark.through > SHORTEST_PAUSE
