"""Does every service know users and settings as the log has them? The site view on both stores."""

import asyncio

import pytest

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import Username
from richiamo_events.language import OperatorChanged, SettingsChanged
from richiamo_events.settings import SiteSettings
from richiamo_kit.errors import Unavailable
from richiamo_kit.log_view import SiteView
from richiamo_kit.store.port import EventStore
from tests.kit.events import NOON, many


def settings(id: str, **values: object) -> NewEvent:  # noqa: A002
    return NewEvent(
        id=id,
        subject=subjects.SETTINGS,
        data=SettingsChanged(values=values),
        occurred_at=NOON,
        actor="user:admin",
        correlation_id="test",
    )


def operator(name: str, extension: str) -> NewEvent:
    username = Username(name)
    return NewEvent(
        id=f"{name} {extension}",
        subject=subjects.operator(username),
        data=OperatorChanged(username=username, name=name.title(), role="operator", extension=extension),
        occurred_at=NOON,
        actor="user:admin",
        correlation_id="test",
    )


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest) -> EventStore:
    kept: EventStore = request.getfixturevalue("memory_store" if request.param == "memory" else "event_store")
    return kept


async def test_it_starts_with_what_the_log_holds_and_follows(store: EventStore) -> None:
    await store.append([settings("1", cooldown_minutes=10)])
    await store.append([operator("anna", "201")])
    view = SiteView(store, SiteSettings(country="FR"))
    await view.start()
    try:
        assert view.ready
        assert (view.settings.cooldown_minutes, view.settings.country) == (10, "FR")
        await store.append([operator("bruno", "202"), operator("anna", "203")])
        last = await store.append([settings("2", cooldown_minutes=20)])
        await view.wait_for(last)
        assert view.settings.cooldown_minutes == 20
        found = view.operators.by_extension("203")
        assert found is not None
        assert found.username == "anna"
        assert view.operators.by_extension("201") is None
    finally:
        await view.stop()
    assert not view.ready


async def test_waiting_for_an_event_of_somebody_else_ends_at_once(store: EventStore) -> None:
    view = SiteView(store)
    await view.start()
    try:
        await store.append([operator("anna", "201")])
        last = await store.append(many("a", 3))
        async with asyncio.timeout(60):
            await view.wait_for(last)
        assert view.operators.get("anna") is not None
    finally:
        await view.stop()


async def test_a_view_that_is_not_followed_says_so(store: EventStore) -> None:
    position = await store.append([settings("1", cooldown_minutes=10)])
    with pytest.raises(Unavailable):
        await SiteView(store).wait_for(position, timeout=0.01)
