"""Is the PBX set up as Richiamo needs it? Asked as the poll asks, and answered in words; nothing is kept."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from richiamo_events.history import epoch_of
from richiamo_events.records import CallRecord
from richiamo_events.settings import SiteSettings, validate
from richiamo_ingest.kalliope.records import Reading
from richiamo_ingest.poll.asking import KalliopeRecords
from richiamo_ingest.poll.poller import account_of
from richiamo_ingest.poll.schedule import Window
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem
from richiamo_kit.kalliope_rest import Finding, PbxTrouble, Trouble, found

MAY_DIFFER = frozenset({"pbx_url", "pbx_domain", "pbx_timezone", "cdr_user"})
"""The settings that can be tried before they are saved."""
_PATIENCE = 10.0
"""Seconds that the PBX may be silent: a person waits for this answer."""
_LOOK_BACK = (timedelta(hours=1), timedelta(hours=24))
_QUARTER = 900


async def check_records(site: SiteSettings, settings: IngestSettings, clock: Clock) -> Finding:
    """Log in, read the last calls and look at them; the first thing that is wrong, or how many calls there were."""
    try:
        account = replace(account_of(site, settings), timeout_seconds=min(_PATIENCE, settings.cdr_timeout_seconds))
        records = KalliopeRecords(account, clock, settings.largest_records_body)
        now = clock.now()
        reading = Reading()
        for past in _LOOK_BACK:
            reading = await records.read(Window(now - past, now), site)
            if reading.records or reading.refused:
                break
        if reading.masked:
            raise PbxTrouble(Trouble.MASKED)
        hours = hours_off(reading.records)
        if hours:
            raise PbxTrouble(Trouble.TIMEZONE, hours=f"{hours:+g}", timezone=site.pbx_timezone or site.timezone)
    except PbxTrouble as trouble:
        return found(trouble)
    calls, newest = len(reading.records), max((record.at for record in reading.records), default=None)
    return Finding(None, _told(calls, newest), {"calls": calls, "newest": newest.isoformat() if newest else None})


def tried(site: SiteSettings, values: Mapping[str, Any]) -> SiteSettings:
    """The settings with what somebody typed but has not saved. Raises the problem `invalid` (422)."""
    typed = {name: value for name, value in values.items() if name in MAY_DIFFER}
    wrong = validate(typed)
    if wrong:
        raise Problem(422, "invalid", "These settings cannot be tried.", errors=wrong)
    return site.with_values(typed)


def hours_off(records: list[CallRecord]) -> float:
    """By how many hours the written starts differ from the instants inside the ids: 0 when the zone is right.

    The epoch of a `unique_id` knows no zone; a start that was read in the wrong one is off by quarters of an hour.
    """
    apart = [
        (record.started_at - epoch).total_seconds()
        for record in records
        if record.started_at is not None and (epoch := epoch_of(record.call)) is not None
    ]
    return round(median(apart) / _QUARTER) / 4 if apart else 0.0


def _told(calls: int, newest: datetime | None) -> str:
    if newest is None:
        return (
            "The PBX lets Richiamo in. It recorded no call in the last day, so it cannot be said whether it hides "
            "numbers."
        )
    return f"All is well, the numbers are whole. Calls read: {calls}, the newest of {newest:%Y-%m-%d %H:%M} UTC."
