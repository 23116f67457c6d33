"""Does the directory know whom the log names, and nobody else? Both are counted in PostgreSQL, not in memory.

Millions of callers are sorted and compared there, in tables that end with the connection.
"""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime

from nats.aio.client import Client
from psycopg import AsyncConnection, sql

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import CallerErased, CallMissed, OperatorChanged, SettingsChanged
from richiamo_kit.directory import NatsDirectory
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import DIRECTORY, DIRECTORY_PREFIX

_AT_ONCE = 5_000
_TABLES = (
    "CREATE TEMPORARY TABLE in_log (caller text PRIMARY KEY, lost boolean NOT NULL, erased boolean NOT NULL)",
    "CREATE TEMPORARY TABLE entry (caller text, digest text, stored_at timestamptz)",
    "CREATE TEMPORARY TABLE pointer (caller text, digest text)",
)
_NAME = """
INSERT INTO in_log SELECT * FROM unnest(%s::text[], %s::boolean[], %s::boolean[])
ON CONFLICT (caller) DO UPDATE SET lost = in_log.lost OR excluded.lost, erased = in_log.erased OR excluded.erased
"""
_UNKNOWN = """
SELECT caller FROM in_log WHERE lost AND NOT erased
EXCEPT SELECT caller FROM entry JOIN pointer USING (caller, digest)
ORDER BY caller
"""
_STILL_KNOWN = "SELECT DISTINCT caller FROM entry JOIN in_log USING (caller) WHERE erased ORDER BY caller"
_STRANGERS = "SELECT caller FROM entry WHERE stored_at < %s EXCEPT SELECT caller FROM in_log ORDER BY caller"


class Census:
    """Take the directory first, then the log: whoever enters meanwhile then has an entry that is not looked for."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._met: dict[CallerId, tuple[bool, bool]] = {}

    async def take_directory(self, client: Client) -> None:
        """Take every entry, and every pointer that leads to one."""
        for table in _TABLES:
            await self._connection.execute(sql.SQL(table))
        async with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY entry FROM STDIN") as copy,
            aclosing(read_stream(client, DIRECTORY, subject=f"{DIRECTORY_PREFIX}.h.*")) as entries,
        ):
            async for stored in entries:
                digest = stored.subject.rpartition(".")[2]
                await copy.write_row((json.loads(stored.body)["id"], digest, stored.stored_at))
        async with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY pointer FROM STDIN") as copy,
            aclosing(read_stream(client, DIRECTORY, subject=f"{DIRECTORY_PREFIX}.i.*")) as pointers,
        ):
            async for stored in pointers:
                await copy.write_row((stored.subject.rpartition(".")[2], stored.body.decode()))

    async def take(self, event: Recorded) -> None:
        """The next event of the log."""
        if isinstance(event.data, SettingsChanged | OperatorChanged) or event.data.caller is None:
            return
        lost, erased = self._met.get(event.data.caller, (False, False))
        self._met[event.data.caller] = (
            lost or isinstance(event.data, CallMissed),
            erased or isinstance(event.data, CallerErased),
        )
        if len(self._met) == _AT_ONCE:
            await self._write()

    async def faults(self, directory: NatsDirectory, *, before: datetime) -> AsyncIterator[str]:
        """A sentence for each caller whom one of the two lacks; an entry made after `before` may be under way."""
        await self._write()
        async for caller in self._callers(_UNKNOWN):
            # Entered since, or written twice by different hands: the directory has the last word.
            if await directory.number_of(caller) is None:
                yield f"directory: the log holds lost calls of caller {caller}, and the directory does not know its number."
        async for caller in self._callers(_STILL_KNOWN):
            yield f"directory: caller {caller} was erased, and the directory still knows the number: erase it again."
        async for caller in self._callers(_STRANGERS, before):
            yield f"directory: it knows the number of caller {caller}, of whom the log knows nothing."

    async def _callers(self, question: str, *parameters: object) -> AsyncIterator[CallerId]:
        async with self._connection.transaction(), self._connection.cursor("census") as cursor:
            await cursor.execute(sql.SQL(question), parameters)
            async for (caller,) in cursor:
                yield CallerId(caller)

    async def _write(self) -> None:
        if self._met:
            lost, erased = zip(*self._met.values(), strict=True)
            await self._connection.execute(sql.SQL(_NAME), (list(self._met), list(lost), list(erased)))
            self._met.clear()
