"""Which decisions does the log hold? One row each, never changed; what the PBX reported is left out."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields
from enum import Enum
from typing import Any

from psycopg import AsyncConnection, sql

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import Decision, OperatorChanged, RecallFailed, SettingsChanged
from richiamo_events.wire import type_of

SCHEMA = "view_audit"

_TABLE = """
CREATE TABLE {schema}.entry (
    position    bigint PRIMARY KEY,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    kind        text NOT NULL,
    actor       text NOT NULL,
    caller      text,
    person      text,
    details     json NOT NULL
);
CREATE INDEX ON {schema}.entry (at, position);
CREATE INDEX ON {schema}.entry (actor, position);
CREATE INDEX ON {schema}.entry (caller, position) WHERE caller IS NOT NULL;
CREATE INDEX ON {schema}.entry (person, position) WHERE person IS NOT NULL
"""
"""`person` is the user whom a change concerns; `details` the other values of the event."""

_APART = frozenset({"caller", "calls", "received_at"})


class AuditTrail:
    """The view `view_audit`; `schema` is another one while it is rebuilt."""

    def __init__(self, *, schema: str = SCHEMA) -> None:
        self.schema = schema

    def ddl(self) -> Sequence[str]:
        return [text.strip() for text in _TABLE.replace("{schema}", self.schema).split(";")]

    async def start(self, connection: AsyncConnection) -> None:
        """Nothing is kept in memory."""

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        """Write what is a decision; applied twice, a row stays as it is."""
        rows = [row for event in batch if (row := _row(event)) is not None]
        if rows:
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    sql.SQL(
                        "INSERT INTO {}.entry (position, at, recorded_at, kind, actor, caller, person, details)"
                        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
                    ).format(sql.Identifier(self.schema)),
                    rows,
                )
        return frozenset()


def _row(event: Recorded) -> tuple[Any, ...] | None:
    data = event.data
    caller: CallerId | None = None
    person: str | None = None
    if isinstance(data, OperatorChanged):
        person = data.username
    elif isinstance(data, Decision) or (isinstance(data, RecallFailed) and data.call is None):
        caller = data.caller
    elif not isinstance(data, SettingsChanged):
        return None
    details = {field.name: _plain(getattr(data, field.name)) for field in fields(data) if field.name not in _APART}
    if calls := getattr(data, "calls", ()):
        details["calls"] = len(calls)
    return (
        event.position,
        event.occurred_at,
        event.recorded_at,
        type_of(data).partition(".")[2],
        event.actor.removeprefix("user:"),
        caller,
        person,
        json.dumps(details),
    )


def _plain(value: object) -> Any:
    match value:
        case Enum():
            return value.value
        case tuple():
            return [_plain(one) for one in value]
        case CallId():
            return str(value)
        case str() | int() | float() | None | dict():
            return value
        case _:
            return str(value)
