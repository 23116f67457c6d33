"""Does the check see what is wrong with log and directory, and keep quiet about what is well?"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallId
from richiamo_events.language import CallerErased
from richiamo_kit import database
from richiamo_kit.store.api import api
from richiamo_kit.store.messages import newest_on
from richiamo_kit.store.streams import CDR, DIRECTORY, DIRECTORY_PREFIX, EVENTS, configurations
from richiamo_ops.census import Census
from richiamo_ops.check import breaches
from richiamo_ops.site import Site
from tests.ops.test_rebuild import lose

pytestmark = pytest.mark.servers


async def reports_are_well(subject: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The identities have tests of their own; here the service that checks them has nothing to say."""
    return {"breaches": []} if subject.endswith(".check") else {"days": [{"day": "2026-03-02", **payload}]}


async def found(site: Site) -> list[str]:
    return [fault async for fault in breaches(site, reports_are_well, 1, with_views=False)]


async def test_a_sound_installation_is_well(site: Site) -> None:
    assert await found(site) == []
    await lose(site, 1)
    assert await found(site) == []


async def test_a_caller_whom_the_directory_lost_is_named(site: Site) -> None:
    await lose(site, 1)
    caller = await site.directory.resolve("+390501000001")
    await site.directory.forget(caller)
    (fault,) = await found(site)
    assert caller in fault
    assert "does not know its number" in fault


async def test_half_an_entry_leads_nowhere(site: Site) -> None:
    await lose(site, 1)
    caller = await site.directory.resolve("+390501000001")
    pointer = await newest_on(site.store.client, DIRECTORY, f"{DIRECTORY_PREFIX}.i.{caller}")
    assert pointer is not None
    await api(site.store.client, f"STREAM.MSG.DELETE.{DIRECTORY}", {"seq": pointer.position})
    site.directory.drop(caller)
    (fault,) = await found(site)
    assert caller in fault


async def test_who_was_erased_and_is_still_known_is_named(site: Site) -> None:
    await lose(site, 1)
    caller = await site.directory.resolve("+390501000001")
    erased = NewEvent(
        id="erased",
        subject=subjects.caller(caller),
        data=CallerErased(caller=caller, by="admin", reason="", calls=(CallId("main", "1.0"),)),
        occurred_at=datetime.now(UTC),
        actor="admin",
        correlation_id="",
    )
    await site.store.append([erased])
    (fault,) = await found(site)
    assert f"caller {caller} was erased" in fault


async def test_an_entry_under_way_is_no_stranger_and_an_old_one_is(site: Site, database_url: str) -> None:
    caller = await site.directory.resolve("+390501000009")
    assert await found(site) == []
    async with await database.connect(database_url, autocommit=True) as connection:
        census = Census(connection)
        await census.take_directory(site.store.client)
        long_ago, later = datetime.now(UTC) - timedelta(minutes=10), datetime.now(UTC) + timedelta(minutes=10)
        assert [fault async for fault in census.faults(site.directory, before=long_ago)] == []
        (fault,) = [fault async for fault in census.faults(site.directory, before=later)]
    assert f"caller {caller}, of whom the log knows nothing" in fault


async def test_a_hole_in_the_log_and_records_kept_for_ever_are_told(site: Site) -> None:
    client = site.store.client
    open_to_all = {**configurations()[EVENTS], "deny_delete": False, "deny_purge": False}
    await api(client, f"STREAM.DELETE.{EVENTS}")
    await api(client, f"STREAM.CREATE.{EVENTS}", {"name": EVENTS, **open_to_all})
    for number in (1, 2, 3):
        await lose(site, number)
    await api(client, f"STREAM.MSG.DELETE.{EVENTS}", {"seq": 2})
    for_ever = {**configurations()[CDR], "max_age": 0}
    await api(client, f"STREAM.UPDATE.{CDR}", {"name": CDR, **for_ever})
    faults = await found(site)
    assert faults[0].startswith("log: 1 positions hold no event")
    assert "CDR: raw records with numbers are kept for ever" in faults[1]
