"""Do the views say of some callers what the log says? So many, chosen by a seed, in one reading of the log.

Chosen are the callers whose keyed hash is smallest: whoever is not among them when the log first names them never will
be later, so that nothing has to be read twice, and no more is kept than what the chosen did.
"""

import hashlib
import heapq
from itertools import islice

from psycopg import AsyncConnection, sql

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import OperatorChanged, SettingsChanged
from richiamo_kit.projector import Projection
from richiamo_kit.store.port import EventStore
from richiamo_ops.comparing import position_of

_BATCH = 1000
_OF_CALLERS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND column_name IN ('caller', 'caller_id', 'owner') ORDER BY table_name
"""
_COUNT = """
SELECT count(*) FROM (
    (SELECT t::text FROM {running} t WHERE {caller} = ANY(%(callers)s)
     EXCEPT ALL SELECT t::text FROM {beside} t WHERE {caller} = ANY(%(callers)s))
    UNION ALL
    (SELECT t::text FROM {beside} t WHERE {caller} = ANY(%(callers)s)
     EXCEPT ALL SELECT t::text FROM {running} t WHERE {caller} = ANY(%(callers)s))
) AS different
"""


class Sample:
    """The events of at most `size` callers, with the settings and users that they are folded by."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self._key = str(seed).encode()
        self._of_site: list[Recorded] = []
        self._of_caller: dict[CallerId, list[Recorded]] = {}
        self._furthest: list[tuple[int, CallerId]] = []
        self._position = 0

    def take(self, event: Recorded) -> None:
        """The next event of the log, from its first on."""
        self._position = event.position
        if isinstance(event.data, OperatorChanged | SettingsChanged):
            self._of_site.append(event)
        elif (caller := event.data.caller) is not None:
            if caller in self._of_caller:
                self._of_caller[caller].append(event)
            else:
                self._meet(caller, event)

    def _meet(self, caller: CallerId, event: Recorded) -> None:
        distance = int.from_bytes(hashlib.blake2b(caller.encode(), key=self._key, digest_size=8).digest())
        if len(self._of_caller) < self.size or distance < -self._furthest[0][0]:
            heapq.heappush(self._furthest, (-distance, caller))
            self._of_caller[caller] = [event]
            if len(self._of_caller) > self.size:
                del self._of_caller[heapq.heappop(self._furthest)[1]]

    @property
    def callers(self) -> list[CallerId]:
        return sorted(self._of_caller)

    async def up_to(self, store: EventStore, position: int) -> list[Recorded]:
        """The events of the chosen up to a position, in order; what the log has taken since is read before."""
        async for event in store.read(self._position, until=position):
            self._position = event.position
            if isinstance(event.data, OperatorChanged | SettingsChanged):
                self._of_site.append(event)
            elif event.data.caller in self._of_caller:
                self._of_caller[event.data.caller].append(event)
        return [
            event
            for event in heapq.merge(self._of_site, *self._of_caller.values(), key=lambda one: one.position)
            if event.position <= position
        ]


async def sampled_differences(
    connection: AsyncConnection, store: EventStore, running: str, beside: Projection, sample: Sample
) -> dict[str, int]:
    """Rows of the chosen that are in one of the two only, by table; leaves nothing behind.

    Compared are the tables that name a caller, all as of one position. `connection` commits by itself.
    """
    async with connection.transaction(force_rollback=True):
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        events = iter(await sample.up_to(store, await position_of(connection, running)))
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(beside.schema)))
        for statement in beside.ddl():
            await connection.execute(statement.encode())
        await beside.start(connection)
        while batch := list(islice(events, _BATCH)):
            await beside.apply(connection, batch)
        found: dict[str, int] = {}
        for table, column in await (await connection.execute(_OF_CALLERS, (beside.schema,))).fetchall():
            counted = await connection.execute(
                sql.SQL(_COUNT).format(
                    running=sql.Identifier(running, table),
                    beside=sql.Identifier(beside.schema, table),
                    caller=sql.Identifier(column),
                ),
                {"callers": sample.callers},
            )
            row = await counted.fetchone()
            if row is not None and row[0]:
                found[table] = row[0]
    return found
