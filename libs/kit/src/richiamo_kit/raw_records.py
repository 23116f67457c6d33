"""How are a person's digits removed from what the PBX sent? Raw records and refused messages, found and overwritten."""

import re

from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import CDR, DEAD, DIRECTORY, QUARANTINE

_SHORTEST = 5
"""Digits below which a number is an internal one that every record may hold by chance."""


def digits_of(number: str) -> str:
    """What all spellings of a number have in common: its last nine digits, or all when it has fewer."""
    return re.sub(r"\D", "", number)[-9:]


async def erase_raw_records(client: Client, number: str) -> int:
    """Overwrite every raw record and refused message that holds the number in whatever spelling; how many.

    `number` is E.164 or bare digits. Reads the streams from their start: about 20,000 records a second.
    Raises `Unavailable` when NATS does not answer; harmless when repeated.
    """
    digits = digits_of(number)
    if len(digits) < _SHORTEST:
        return 0
    # People and PBXs put spaces, dots and dashes between digits.
    spelled = re.compile(r"[\s./()-]*".join(digits).encode())
    erased = 0
    for stream in (CDR, QUARANTINE, DEAD):
        found = [
            stored.position async for stored in read_stream(client, stream) if spelled.search(stored.body) is not None
        ]
        for position in found:
            erased += await erase_message(client, stream, position)
    return erased


async def erase_message(client: Client, stream: str, position: int) -> bool:
    """Overwrite one message on the disk; false when it was gone already. Raises `Unavailable`."""
    try:
        await api_patiently(client, f"STREAM.MSG.DELETE.{stream}", {"seq": position, "no_erase": False})
    except JetStreamError as error:
        if not any(words in error.description for words in ("no message found", "not found")):
            raise Unavailable(str(error)) from error
        return False
    return True


async def kept_by_several_nodes(client: Client) -> bool:
    """Whether what is overwritten stands for a while in the nodes' consensus logs: until NATS compacts them."""
    config = (await api_patiently(client, f"STREAM.INFO.{DIRECTORY}"))["config"]
    return isinstance(config, dict) and int(config.get("num_replicas", 1)) > 1
