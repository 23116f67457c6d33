"""Does the directory keep one caller a number, and nothing of a forgotten one? Memory and NATS alike."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from richiamo_events.directory import CallerDirectory, MemoryDirectory
from richiamo_events.ids import CallerId
from richiamo_events.numbers import normalise
from richiamo_events.settings import SiteSettings
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.servers import NatsServer
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore, ensure_streams
from tests.kit.servers import Restartable, digits_anywhere, restartable

KEY = bytes(range(32))
NUMBER = "+390501234567"


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.servers)])
def directory(request: pytest.FixtureRequest) -> CallerDirectory:
    if request.param == "memory":
        return MemoryDirectory()
    store: JetStreamEventStore = request.getfixturevalue("event_store")
    return NatsDirectory(store.client, KEY)


async def test_a_number_has_one_caller_and_back(directory: CallerDirectory) -> None:
    assert await directory.find(NUMBER) is None
    caller = await directory.resolve(NUMBER)
    assert await directory.resolve(NUMBER) == caller
    assert await directory.find(NUMBER) == caller
    assert await directory.number_of(caller) == NUMBER
    assert await directory.resolve("+390501234568") != caller
    assert await directory.number_of(CallerId("nobody")) is None


async def test_a_hundred_at_once_get_the_same_caller(directory: CallerDirectory) -> None:
    assert len(set(await asyncio.gather(*(directory.resolve(NUMBER) for _ in range(100))))) == 1


async def test_who_was_forgotten_is_a_new_caller_when_the_number_calls_again(directory: CallerDirectory) -> None:
    caller = await directory.resolve(NUMBER)
    await directory.forget(caller)
    await directory.forget(caller)
    assert await directory.number_of(caller) is None
    assert await directory.find(NUMBER) is None
    again = await directory.resolve(NUMBER)
    assert again != caller
    await directory.forget(caller)
    assert await directory.find(NUMBER) == again


@pytest.mark.servers
async def test_a_hundred_processes_at_once_get_the_same_caller(event_store: JetStreamEventStore) -> None:
    for turn in range(5):
        each = [NatsDirectory(event_store.client, KEY) for _ in range(100)]
        callers = set(await asyncio.gather(*(one.resolve(f"{NUMBER}{turn}") for one in each)))
        assert len(callers) == 1
        assert await NatsDirectory(event_store.client, KEY).number_of(callers.pop()) == f"{NUMBER}{turn}"


@pytest.mark.servers
async def test_many_numbers_are_found_at_once_whatever_the_order(event_store: JetStreamEventStore) -> None:
    numbers = [f"{NUMBER}{one}" for one in range(300)]
    there = NatsDirectory(event_store.client, KEY)
    callers = await there.resolve_all(numbers)
    gone = callers.pop(numbers[7])
    await there.forget(gone)
    expected = {caller: number for number, caller in callers.items()}
    for asked in ([*expected], [*reversed(expected)], [gone, *expected], [CallerId("nobody"), *expected]):
        found = await NatsDirectory(event_store.client, KEY).numbers_of([*asked, gone])
        assert found == expected


@pytest.mark.servers
async def test_what_one_process_forgets_the_others_forget(event_store: JetStreamEventStore) -> None:
    here, there = NatsDirectory(event_store.client, KEY), NatsDirectory(event_store.client, KEY)
    caller = await there.resolve(NUMBER)
    assert await here.find(NUMBER) == caller
    await there.forget(caller)
    async with asyncio.timeout(60):
        while await here.find(NUMBER) is not None:
            await event_store.client.flush()
    assert await here.number_of(caller) is None


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Restartable]:
    async with restartable(NatsServer(tmp_path / "nats")) as running:
        yield running


@pytest.mark.servers
async def test_nothing_of_a_forgotten_number_is_left_on_the_disk(server: Restartable, tmp_path: Path) -> None:
    client = await connect(server.url)
    await ensure_streams(client)
    directory = NatsDirectory(client, KEY)
    caller = await directory.resolve(NUMBER)
    other = await directory.resolve("+390507654321")
    digits = NUMBER.removeprefix("+39").encode()
    assert digits_anywhere(tmp_path, digits)
    await directory.forget(caller)
    assert digits_anywhere(tmp_path, digits) == []
    await client.close()
    await server.kill()
    await server.start()
    client = await connect(server.url)
    directory = NatsDirectory(client, KEY)
    assert digits_anywhere(tmp_path, digits) == []
    assert await directory.number_of(other) == "+390507654321"
    assert await directory.number_of(caller) is None
    await client.close()


@pytest.mark.servers
async def test_who_hears_of_it_forgets_the_spellings_it_read_too(event_store: JetStreamEventStore) -> None:
    directory = NatsDirectory(event_store.client, KEY)
    rules = SiteSettings().numbers
    assert normalise("050 123 4567", rules) is normalise("050 123 4567", rules)
    directory.drop(CallerId("whoever"))
    assert normalise.cache_info().currsize == 0


async def test_the_key_is_made_once_for_us_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "directory.key"
    keys = await asyncio.gather(*(asyncio.to_thread(read_key, file) for _ in range(16)))
    assert len(set(keys)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["directory.key"]


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "directory.key"
    file.write_text("abcd")
    with pytest.raises(ValueError, match="holds no key"):
        read_key(file)
