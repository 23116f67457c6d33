"""Which versions are born and which end while a batch is folded? Kept in memory, then written at once.

Every event's change is taken by itself, so batches of any size leave the same rows. A version that was
born and ended at one recorded instant never held, and is not kept.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection, sql

from richiamo_reporting.facts.derive import RowKey, Rows, Values
from richiamo_reporting.facts.tables import Table

FOR_EVER = "infinity"


@dataclass(frozen=True, slots=True)
class _Born:
    values: Values
    since: datetime


class Versions:
    """The changes of one batch."""

    def __init__(self) -> None:
        self._standing: dict[RowKey, _Born] = {}
        self._passed: dict[Table, list[Values]] = defaultdict(list)
        self._ended: dict[Table, list[tuple[str, object, datetime]]] = defaultdict(list)

    def change(self, before: Rows, after: Rows, at: datetime) -> bool:
        """Take the difference that one event recorded at `at` made; whether there was any."""
        changed = False
        for key, values in before.items():
            if after.get(key) != values:
                changed = True
                self._end(key, values, at)
        for key, values in after.items():
            if before.get(key) != values:
                changed = True
                self._standing[key] = _Born(values, at)
        return changed

    def _end(self, key: RowKey, values: Values, at: datetime) -> None:
        table, caller, _ = key
        born = self._standing.pop(key, None)
        if born is None:
            self._ended[table].append((caller, values[0], at))
        elif born.since < at:
            self._passed[table].append((caller, *values, born.since, at))

    async def write(self, connection: AsyncConnection, schema: str) -> None:
        """Write everything, in the transaction that is open."""
        for table, ended in self._ended.items():
            names = {
                "table": sql.Identifier(schema, table.name),
                "key": sql.Identifier(table.key),
                "kind": sql.SQL(table.columns[0][1].removesuffix(" NOT NULL")),
            }
            which = json.dumps([{"who": who, "key": key, "at": at} for who, key, at in ended], default=str)
            await connection.execute(sql.SQL(_DROP).format(**names), (which,))
            await connection.execute(sql.SQL(_END).format(**names), (which,))
        fresh: dict[Table, list[Values]] = defaultdict(list, {table: [*rows] for table, rows in self._passed.items()})
        for (table, caller, _), born in self._standing.items():
            fresh[table].append((caller, *born.values, born.since, FOR_EVER))
        for table, rows in fresh.items():
            await _copy(connection, schema, table, rows)


_DROP = """
DELETE FROM {table} USING json_to_recordset(%s) AS ended (who text, key {kind}, at timestamptz)
WHERE caller = ended.who AND {key} = ended.key AND recorded_to = 'infinity' AND recorded_from >= ended.at
"""
_END = """
UPDATE {table} SET recorded_to = ended.at FROM json_to_recordset(%s) AS ended (who text, key {kind}, at timestamptz)
WHERE caller = ended.who AND {key} = ended.key AND recorded_to = 'infinity'
"""


async def _copy(connection: AsyncConnection, schema: str, table: Table, rows: list[Values]) -> None:
    statement = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
        table=sql.Identifier(schema, table.name),
        columns=sql.SQL(", ").join(map(sql.Identifier, table.names)),
    )
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row(row)
