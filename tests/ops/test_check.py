"""Does the check see what is wrong with log and directory, and keep quiet about what is well?"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from richiamo_kit.store.api import api
from richiamo_kit.store.streams import CDR, EVENTS, configurations
from richiamo_ops.check import breaches
from richiamo_ops.forgetting_again import in_directory
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


async def test_an_entry_under_way_is_no_orphan_and_an_old_one_is(site: Site) -> None:
    caller = await site.directory.resolve("+390501000009")
    client = site.store.client
    now = datetime.now(UTC)
    assert await in_directory(client, before=now - timedelta(minutes=10)) == set()
    assert await in_directory(client, before=now + timedelta(minutes=10)) == {caller}
    assert await found(site) == []


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
