"""What is looked after every night, while nobody works? Everything is checked, and what is wrong is said and measured."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from rich.console import Console

from richiamo_kit.errors import Problem, Unavailable
from richiamo_ops.asking import Ask, asking
from richiamo_ops.check import breaches
from richiamo_ops.site import Site, reached, settings_now

_AT = time_of_day(3, 30)
"""Of the site's day: it exists in every night, and the doubled hour is over."""
_DAYS = 31
_LONGEST_WAIT = 900.0
"""Seconds after which the clock is looked at again, for it may have been set."""
_FAILED = -1


def nightly() -> int:
    """Check everything each night at half past three, until ended; `richiamo up` keeps this running.

    Example: richiamo nightly
    """
    return asyncio.run(_nights())


async def _nights() -> int:
    while True:
        async with reached("nightly") as site:
            zone = (await settings_now(site)).zone
        night = next_night(datetime.now(UTC), zone)
        while (left := (night - datetime.now(UTC)).total_seconds()) > 0:
            await asyncio.sleep(min(left, _LONGEST_WAIT))
        await one_night()


def next_night(now: datetime, zone: ZoneInfo) -> datetime:
    """The next half past three of the zone after `now`, in UTC."""
    day = now.astimezone(zone).date()
    for ahead in (0, 1):
        night = datetime.combine(day + timedelta(days=ahead), _AT, zone).astimezone(UTC)
        if night > now:
            return night
    raise AssertionError("tomorrow is after now")


async def one_night() -> int:
    """Check once and tell what was found; answers how many breaches, -1 when it could not be checked."""
    async with reached("nightly") as site, asking(site, patience=300.0) as ask:
        found = await _found(site, ask)
        await ask("richiamo.reporting.checked", {"faults": found, "ended": time.time()})
    return found


async def _found(site: Site, ask: Ask) -> int:
    console = Console(highlight=False, soft_wrap=True)
    faults = 0
    try:
        async for fault in breaches(site, ask, _DAYS, with_views=True):
            faults += 1
            console.print(fault, markup=False)
    except (Problem, Unavailable) as error:
        console.print(f"The nightly check could not be made: {error}", markup=False)
        return _FAILED
    return faults
