"""Are a person's digits gone from what the PBX sent, on the disk too, and nobody else's?"""

import json

from richiamo_kit.raw_records import erase_message, erase_raw_records
from richiamo_kit.servers import NatsServer
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.publish import publish


async def test_every_spelling_goes_and_the_others_stay(
    event_store: JetStreamEventStore, nats_server: NatsServer
) -> None:
    client = event_store.client
    spellings = ["0501234567", "+39 050 1234567", "0039-050-123.4567"]
    for number, caller in enumerate([*spellings, "0507654321"]):
        await publish(client, "richiamo.cdr.main", json.dumps({"caller": caller}).encode(), message_id=f"r{number}")
    await publish(client, "richiamo.quarantine.main", b"<caller>0501234567</caller", message_id="q")
    assert await erase_raw_records(client, "+390501234567") == 4
    assert await erase_raw_records(client, "+390501234567") == 0
    kept = nats_server.folder.rglob("*.blk")
    content = b"".join(file.read_bytes() for file in kept)
    assert b"1234567" not in content
    assert b"0507654321" in content


async def test_they_go_also_when_the_newest_message_of_the_stream_was_removed(event_store: JetStreamEventStore) -> None:
    client = event_store.client
    for number in range(3):
        await publish(client, "richiamo.cdr.main", b'{"caller": "0501234567"}', message_id=f"r{number}")
    assert await erase_message(client, "CDR", 3)
    assert not await erase_message(client, "CDR", 3)
    assert await erase_raw_records(client, "+390501234567") == 2
