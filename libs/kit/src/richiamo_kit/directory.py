"""Where do numbers live? The caller directory on a NATS bucket: the one place that leads from an id to a person.

Two entries a caller: `h.<keyed hash of the number>` holds id and number, `i.<id>` holds the hash. The second
is written first and holds no digits, so whatever a crash leaves behind says nothing about anybody.
"""

import asyncio
import hmac
import json
import os
import secrets
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from richiamo_events.history import whole_second
from richiamo_events.ids import CallerId
from richiamo_events.numbers import normalise
from richiamo_kit.erasures import Erasure, register, registered
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.group_commit import GroupCommit
from richiamo_kit.store.messages import Stored, newest_on
from richiamo_kit.store.publish import EXPECTED_POSITION, Acknowledged, Outgoing
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import DIRECTORY, DIRECTORY_PREFIX, FORGOTTEN

_REMEMBERED = 50_000
_MANY = 50
"""Unknown callers from which on it pays to read the directory in its own order."""
_AHEAD = 8_000
"""How many positions are read then: some 4,000 callers, as each has two entries."""
_LOOKUPS_AT_ONCE = 64
_WRONG_POSITION = {10071, 10164}
_KEY_BYTES = 32


def read_key(file: Path) -> bytes:
    """The key of the hash; made at the first start (mode 0600) by whichever service comes first.

    Raises `ValueError` for a file that holds no key.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        fresh = file.with_name(f".{file.name}.{uuid4().hex}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(_KEY_BYTES))
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(fresh, file)  # Fails if another service was faster: its key counts.
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = bytes.fromhex(file.read_text().strip())
    if len(key) < _KEY_BYTES:
        raise ValueError(f"{file} holds no key of {_KEY_BYTES} bytes")
    return key


class NatsDirectory:
    """`CallerDirectory` on the bucket's stream, which `ensure_streams` makes."""

    def __init__(self, client: Client, key: bytes) -> None:
        self._client = client
        self._group = GroupCommit(client)
        self._key = key
        self._ids: OrderedDict[str, CallerId] = OrderedDict()
        self._numbers: OrderedDict[CallerId, str] = OrderedDict()
        self._forgotten: set[CallerId] = set()
        self._erased: dict[str, datetime] = {}
        self._erasures_read = -1
        self._reading_erasures = asyncio.Lock()
        self._reconnects = 0
        self._listening = False

    async def resolve(self, number: str) -> CallerId:
        """The caller of this number; a new one when it has none. Racing calls get one answer."""
        return (await self.resolve_all([number]))[number]

    async def resolve_all(self, numbers: Collection[str]) -> dict[str, CallerId]:
        """See `CallerDirectory.resolve_all`."""
        each = list(dict.fromkeys(numbers))
        found = dict(zip(each, await asyncio.gather(*map(self.find, each)), strict=True))
        fresh = {number: CallerId(uuid4().hex) for number, caller in found.items() if caller is None}
        if fresh:
            _require(await self._group.send_all([self._pointer(*one) for one in fresh.items()]))
            answers = await self._group.send_all([self._entry(*one) for one in fresh.items()])
            for (number, caller), answer in zip(fresh.items(), answers, strict=True):
                fresh[number] = await self._standing(number, caller, answer)
                self._remember(number, fresh[number])
        return {number: caller or fresh[number] for number, caller in found.items()}

    async def _standing(self, number: str, caller: CallerId, answer: Acknowledged | JetStreamError) -> CallerId:
        """Whose entry the number has after an attempt to make one for `caller`."""
        if isinstance(answer, Acknowledged):
            return caller
        if answer.code not in _WRONG_POSITION:
            raise Unavailable(str(answer)) from answer
        # Somebody was faster, or it was our own repeat: what stands there counts.
        standing = await newest_on(self._client, DIRECTORY, _by_hash(self._hash(number)))
        if standing is None:
            raise Unavailable("the directory entry moved while it was made") from answer
        winner = CallerId(json.loads(standing.body)["id"])
        if winner != caller:
            await self._erase(await newest_on(self._client, DIRECTORY, _by_id(caller)))
        return winner

    def _pointer(self, number: str, caller: CallerId) -> Outgoing:
        return Outgoing(_by_id(caller), {}, self._hash(number).encode())

    def _entry(self, number: str, caller: CallerId) -> Outgoing:
        body = json.dumps({"id": caller, "number": number}).encode()
        return Outgoing(_by_hash(self._hash(number)), {EXPECTED_POSITION: "0"}, body)

    async def find(self, number: str) -> CallerId | None:
        """The caller of this number, or None; never creates one."""
        await self._listen()
        digest = self._hash(number)
        if digest in self._ids:
            self._ids.move_to_end(digest)
            return self._ids[digest]
        stored = await newest_on(self._client, DIRECTORY, _by_hash(digest))
        if stored is None:
            return None
        caller = CallerId(json.loads(stored.body)["id"])
        self._remember(number, caller)
        return caller

    async def number_of(self, caller: CallerId) -> str | None:
        """The number of this caller; None when there is none, or when the caller was erased."""
        await self._listen()
        if caller in self._numbers:
            self._numbers.move_to_end(caller)
            return self._numbers[caller]
        stored = await self._entry_of(caller)
        if stored is None:
            return None
        number = str(json.loads(stored.body)["number"])
        self._remember(number, caller)
        return number

    async def numbers_of(self, callers: Sequence[CallerId]) -> dict[CallerId, str]:
        """See `CallerDirectory.numbers_of`. Quickest in the order of their first calls."""
        await self._listen()
        unknown = [one for one in callers if one not in self._numbers]
        if len(unknown) >= _MANY:
            await self._read_on(unknown[0])
        found = {one: self._numbers[one] for one in callers if one in self._numbers}
        rest = [one for one in callers if one not in found]
        for first in range(0, len(rest), _LOOKUPS_AT_ONCE):
            some = rest[first : first + _LOOKUPS_AT_ONCE]
            numbers = await asyncio.gather(*map(self.number_of, some))
            found.update((one, number) for one, number in zip(some, numbers, strict=True) if number is not None)
        return found

    async def _read_on(self, caller: CallerId) -> None:
        """Remember the entries that follow this caller's: who rings after another mostly stands after them too."""
        stored = await self._entry_of(caller)
        if stored is None:
            return
        before, until = stored.position - 1, stored.position + _AHEAD
        entries = read_stream(self._client, DIRECTORY, before, subject=_by_hash("*"), until=until)
        async with aclosing(entries):
            async for one in entries:
                entry = json.loads(one.body)
                self._remember(entry["number"], CallerId(entry["id"]))

    async def _entry_of(self, caller: CallerId) -> Stored | None:
        """The entry that holds the number of this caller."""
        pointer = await newest_on(self._client, DIRECTORY, _by_id(caller))
        if pointer is None:
            return None
        stored = await newest_on(self._client, DIRECTORY, _by_hash(pointer.body.decode()))
        return stored if stored is not None and json.loads(stored.body)["id"] == caller else None

    async def register_erasure(self, caller: CallerId, at: datetime) -> None:
        """See `CallerDirectory.register_erasure`."""
        pointer = await newest_on(self._client, DIRECTORY, _by_id(caller))
        if pointer is not None:
            await register(self._client, Erasure(pointer.body.decode(), caller, at))

    async def erased_since(self, number: str, at: datetime) -> bool:
        """See `CallerDirectory.erased_since`."""
        await self._listen()
        if self._erasures_read < 0:
            await self.read_erasures()
        erased = self._erased.get(self._hash(number)) if self._erased else None
        return erased is not None and at < erased

    async def read_erasures(self) -> None:
        """Read what the register holds now; it is small, so that all of it is kept in memory."""
        async with self._reading_erasures:
            newest = max(self._erasures_read, 0)
            async for position, erasure in registered(self._client, newest):
                newest = position
                at = whole_second(erasure.at)
                self._erased[erasure.digest] = max(at, self._erased.get(erasure.digest, at))
            self._erasures_read = newest

    async def forget(self, caller: CallerId) -> None:
        """Remove the entry and overwrite its bytes on disk; harmless when repeated."""
        self.drop(caller)
        pointer = await newest_on(self._client, DIRECTORY, _by_id(caller))
        if pointer is not None:
            await self._erase(await self._entry_of(caller))
            await self._erase(pointer)
        try:
            await self._client.publish(FORGOTTEN, caller.encode())
        except nats.errors.Error as error:
            raise Unavailable(f"the other services could not be told to forget: {error}") from error

    async def _listen(self) -> None:
        """Hear of callers that other processes forget, so that a number never leads to an erased caller."""
        reconnects = self._client.stats["reconnects"]
        if reconnects != self._reconnects:
            # Somebody may have been forgotten while we could not hear it.
            self._reconnects = reconnects
            self._ids.clear()
            self._numbers.clear()
            await self.read_erasures()
        if not self._listening:
            self._listening = True
            await self._client.subscribe(FORGOTTEN, cb=self._hear)

    async def _hear(self, message: Msg) -> None:
        self.drop(CallerId(message.data.decode()))
        await self.read_erasures()

    def drop(self, caller: CallerId) -> None:
        """Forget what this process remembers of a caller, after another process removed it."""
        self._forgotten.add(caller)
        # The spellings that were read hold digits too.
        normalise.cache_clear()
        number = self._numbers.pop(caller, None)
        if number is not None:
            self._ids.pop(self._hash(number), None)

    def _hash(self, number: str) -> str:
        return hmac.digest(self._key, number.encode(), "sha256").hex()

    def _remember(self, number: str, caller: CallerId) -> None:
        if caller in self._forgotten:
            # The answer was under way when the caller was forgotten.
            return
        self._ids[self._hash(number)] = caller
        self._numbers[caller] = number
        while len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)
        while len(self._numbers) > _REMEMBERED:
            self._numbers.popitem(last=False)

    async def _erase(self, stored: Stored | None) -> None:
        if stored is None:
            return
        try:
            # Without `no_erase` the server overwrites the message's bytes; a purge would leave them in the block file.
            await api_patiently(
                self._client, f"STREAM.MSG.DELETE.{DIRECTORY}", {"seq": stored.position, "no_erase": False}
            )
        except JetStreamError as error:
            if error.status != 404 and "not found" not in error.description:
                raise Unavailable(str(error)) from error


def _require(answers: Iterable[Acknowledged | JetStreamError]) -> None:
    for answer in answers:
        if isinstance(answer, JetStreamError):
            raise Unavailable(str(answer)) from answer


def _by_hash(digest: str) -> str:
    return f"{DIRECTORY_PREFIX}.h.{digest}"


def _by_id(caller: CallerId) -> str:
    return f"{DIRECTORY_PREFIX}.i.{caller}"
