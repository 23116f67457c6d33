"""Does one number have one caller, and does forgetting leave nothing behind?"""

import asyncio
from pathlib import Path

from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.servers import NatsServer
from richiamo_kit.store.jetstream import JetStreamEventStore, connect

NUMBER = "+390501234567"


async def test_of_a_hundred_at_once_all_get_the_same_caller(event_store: JetStreamEventStore, tmp_path: Path) -> None:
    key = read_key(tmp_path / "directory.key")
    directories = [NatsDirectory(event_store.client, key) for _ in range(100)]
    callers = await asyncio.gather(*(directory.resolve(NUMBER) for directory in directories))
    assert len(set(callers)) == 1
    assert await NatsDirectory(event_store.client, key).number_of(callers[0]) == NUMBER
    assert await NatsDirectory(event_store.client, key).find("+390609999") is None


async def test_forgetting_leaves_no_digits_on_disk_and_reaches_other_processes(
    event_store: JetStreamEventStore, nats_server: NatsServer, tmp_path: Path
) -> None:
    key = read_key(tmp_path / "directory.key")
    other_client = await connect(nats_server.url, name="another process")
    try:
        ours, theirs = NatsDirectory(event_store.client, key), NatsDirectory(other_client, key)
        caller = await ours.resolve(NUMBER)
        assert await theirs.resolve(NUMBER) == caller
        await ours.forget(caller)
        await ours.forget(caller)
        async with asyncio.timeout(5):
            while await theirs.find(NUMBER) is not None:
                await asyncio.sleep(0.01)
        assert await theirs.number_of(caller) is None
        assert await theirs.resolve(NUMBER) != caller, "the same number that calls again is a new caller"
        again = await theirs.resolve(NUMBER)
        await theirs.forget(again)
    finally:
        await other_client.close()
    for file in nats_server.folder.rglob("*"):
        if file.is_file():
            assert NUMBER.encode() not in file.read_bytes(), file


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "directory.key"
    key = read_key(file)
    assert read_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
