"""How does the worklist follow the log? Each batch is folded per caller, and only what changed is written.

Every version of a request's row is kept with the instants between which it was the truth of the log, so
that the list of any past instant is a WHERE. Applying a batch twice changes nothing: the fold skips what it
has seen, and every statement is an upsert.
"""
# ruff: noqa: S608 - the names put into statements are constants of this package; values are parameters.

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.types.json import Json

from richiamo_events import subjects
from richiamo_events.caller import Caller, dump, evolve, load, unknown
from richiamo_events.directory import CallerDirectory
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import (
    CallerErased,
    CallFlushed,
    Decision,
    OperatorChanged,
    RecallFailed,
    RecallSucceeded,
    SettingsChanged,
)
from richiamo_events.settings import Rules, SiteSettings
from richiamo_queue.worklist.rows import RequestRow, rows_of
from richiamo_queue.worklist.schema import REQUEST_COLUMNS, ddl

SCHEMA = "view_worklist"


class _Version(NamedTuple):
    """A row and the instant from which the log said so."""

    since: datetime
    row: RequestRow


@dataclass(slots=True)
class _Batch:
    """What one batch changes, gathered before a statement is sent."""

    callers: dict[CallerId, Caller] = field(default_factory=dict)
    before: dict[CallerId, tuple[RequestRow, ...]] = field(default_factory=dict)
    shared: set[CallerId] = field(default_factory=set)
    closed: list[tuple[datetime, str, str]] = field(default_factory=list)
    versions: dict[tuple[str, str], _Version] = field(default_factory=dict)
    past: list[tuple[RequestRow, datetime, datetime]] = field(default_factory=list)
    flushes: dict[tuple[str, str], int] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    recalls: dict[str, datetime] = field(default_factory=dict)
    erased: set[CallerId] = field(default_factory=set)
    withheld: dict[str, Caller] = field(default_factory=dict)
    touched: set[CallerId] = field(default_factory=set)


class WorklistProjection:
    """The view `view_worklist`; `schema` is another one while it is rebuilt."""

    def __init__(self, directory: CallerDirectory, site: SiteSettings, *, schema: str = SCHEMA) -> None:
        self.schema = schema
        self._directory = directory
        self._site = site
        self._rules = Rules.initial(site)

    def ddl(self) -> Sequence[str]:
        return ddl(self.schema)

    async def start(self, connection: AsyncConnection) -> None:
        """Read the setting changes; everything else is read when a batch needs it."""
        self._rules = Rules.initial(self._site)
        rows = await connection.execute(
            f"SELECT position, recorded_at, values FROM {self.schema}.setting_change ORDER BY position"
        )
        for position, recorded_at, values in await rows.fetchall():
            self._rules = self._rules.changed(_setting_change(position, recorded_at, values))

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        """Fold the batch and write what changed; answers the callers that it touched."""
        work = _Batch()
        await self._load(connection, batch, work)
        for event in batch:
            match event.data:
                case SettingsChanged():
                    await self._change_rules(connection, event, event.data)
                case OperatorChanged():
                    continue
                case _ if event.data.caller is None:
                    self._fold_withheld(event, work)
                case _:
                    self._fold(event, event.data.caller, work)
        await self._write(connection, work)
        return work.touched

    async def _load(self, connection: AsyncConnection, batch: Sequence[Recorded], work: _Batch) -> None:
        """Read the states that the batch needs; callers the view has never seen start empty."""
        ids: set[CallerId] = set()
        calls: set[str] = set()
        for event in batch:
            if isinstance(event.data, OperatorChanged | SettingsChanged):
                continue
            if event.data.caller is not None:
                ids.add(event.data.caller)
            elif (call := getattr(event.data, "call", None)) is not None:
                calls.add(str(call))
        if ids:
            rows = await connection.execute(
                f"SELECT caller_id, state, shared FROM {self.schema}.caller WHERE caller_id = ANY(%s)", [list(ids)]
            )
            for caller_id, state, shared in await rows.fetchall():
                caller = load(state)
                work.callers[caller_id] = caller
                work.before[caller_id] = rows_of(caller)
                if shared:
                    work.shared.add(caller_id)
        if calls:
            rows = await connection.execute(
                f"SELECT call, state FROM {self.schema}.withheld WHERE call = ANY(%s)", [list(calls)]
            )
            work.withheld = {call: load(state) for call, state in await rows.fetchall()}

    async def _change_rules(self, connection: AsyncConnection, event: Recorded, change: SettingsChanged) -> None:
        written = await connection.execute(
            f"INSERT INTO {self.schema}.setting_change (position, recorded_at, values) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING position",
            [event.position, event.recorded_at, Json(change.values)],
        )
        if await written.fetchone() is not None:
            self._rules = self._rules.changed(event)

    def _fold(self, event: Recorded, caller_id: CallerId, work: _Batch) -> None:
        """One event of one caller: its next state, and the versions of its rows that end and begin."""
        before = work.callers.get(caller_id) or unknown(caller_id)
        after = evolve(before, event, self._rules)
        if after is before:
            return
        work.callers[caller_id] = after
        work.touched.add(caller_id)
        if event.subject != subjects.caller(caller_id):
            work.shared.add(caller_id)
        old = {row.request_id: row for row in work.before.get(caller_id, ())}
        rows = rows_of(after)
        work.before[caller_id] = rows
        new = {row.request_id: row for row in rows}
        for request_id, row in old.items():
            if new.get(request_id) != row:
                self._end_version(row, event.recorded_at, work)
        for request_id, row in new.items():
            if old.get(request_id) != row:
                work.versions[caller_id, request_id] = _Version(event.recorded_at, row)
        self._note(event, before, work)

    @staticmethod
    def _end_version(row: RequestRow, at: datetime, work: _Batch) -> None:
        begun = work.versions.pop((row.caller_id, row.request_id), None)
        if begun is None:
            work.closed.append((at, row.caller_id, row.request_id))
        elif begun.since < at:
            work.past.append((row, begun.since, at))

    @staticmethod
    def _note(event: Recorded, before: Caller, work: _Batch) -> None:
        """What else the event tells: the flush it belongs to, its command, the end of a recall, an erasure."""
        match event.data:
            case CallFlushed(flush=flush, caller=caller_id):
                work.flushes[flush, caller_id] = event.position
            case RecallSucceeded(ended_at=ended_at) | RecallFailed(ended_at=ended_at) as fact:
                running = before.recall.operator if before.recall else None
                operator = fact.operator or running
                if operator:
                    work.recalls[operator] = max(ended_at, work.recalls.get(operator, ended_at))
            case CallerErased(caller=caller_id):
                work.erased.add(caller_id)
            case _:
                pass
        decided = isinstance(event.data, Decision) or getattr(event.data, "call", "") is None
        if decided and event.correlation_id:
            work.decided[event.correlation_id] = event.position

    def _fold_withheld(self, event: Recorded, work: _Batch) -> None:
        """A withheld call is folded like a caller of its own, since nothing connects two of them."""
        call = getattr(event.data, "call", None)
        if call is None:
            return
        before = work.withheld.get(str(call)) or unknown(CallerId(f"withheld {call}"))
        work.withheld[str(call)] = evolve(before, event, self._rules)

    async def _write(self, connection: AsyncConnection, work: _Batch) -> None:
        async with connection.cursor() as cursor:
            if work.touched:
                rows = self._caller_rows(work)
                await cursor.execute(_UPSERT_CALLER.format(schema=self.schema), [json.dumps(rows, default=str)])
            if work.closed:
                await cursor.execute(_END_VERSIONS.format(schema=self.schema), _columns(work.closed))
            versions = [_version_row(row, since, until) for row, since, until in work.past]
            versions += [_version_row(version.row, version.since, None) for version in work.versions.values()]
            if versions:
                async with cursor.copy(_COPY_REQUESTS.format(schema=self.schema)) as copy:
                    for row in versions:
                        await copy.write_row(row)
            if work.flushes:
                await cursor.execute(
                    f"INSERT INTO {self.schema}.flush (flush_id, caller_id, position)"
                    " SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING",
                    _columns([(flush, caller, position) for (flush, caller), position in work.flushes.items()]),
                )
            if work.decided:
                await cursor.execute(
                    f"INSERT INTO {self.schema}.decided AS old (correlation_id, position)"
                    " SELECT * FROM unnest(%s::text[], %s::bigint[]) ON CONFLICT (correlation_id)"
                    " DO UPDATE SET position = greatest(old.position, EXCLUDED.position)",
                    _columns(list(work.decided.items())),
                )
            if work.recalls:
                await cursor.executemany(
                    f"INSERT INTO {self.schema}.recall_ended AS old (operator, ended_at) VALUES (%s, %s)"
                    " ON CONFLICT (operator) DO UPDATE SET ended_at = greatest(old.ended_at, EXCLUDED.ended_at)",
                    list(work.recalls.items()),
                )
            if work.withheld:
                await cursor.executemany(
                    f"INSERT INTO {self.schema}.withheld (call, state, at, queue) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT (call) DO UPDATE SET state = EXCLUDED.state, at = EXCLUDED.at,"
                    " queue = EXCLUDED.queue",
                    [_withheld_row(call, state) for call, state in work.withheld.items()],
                )
        await self._write_numbers(connection, work)

    def _caller_rows(self, work: _Batch) -> list[dict[str, Any]]:
        return [_caller_row(work.callers[caller_id], caller_id in work.shared) for caller_id in work.touched]

    async def _write_numbers(self, connection: AsyncConnection, work: _Batch) -> None:
        """Ask the directory for the numbers of callers that ever lost a call; forget those erased.

        Which callers those are depends on the log alone, not on how it was cut into batches.
        """
        if work.erased:
            await connection.execute(f"DELETE FROM {self.schema}.number WHERE caller_id = ANY(%s)", [list(work.erased)])
        shown = [
            one for one, state in work.callers.items() if one in work.touched and state.position and not state.erased
        ]
        if not shown:
            return
        rows = await connection.execute(
            f"SELECT caller_id FROM {self.schema}.number WHERE caller_id = ANY(%s)", [shown]
        )
        known = {row[0] for row in await rows.fetchall()}
        numbers = await self._directory.numbers_of([one for one in shown if one not in known])
        found = [(one, number, _digits(number)) for one, number in numbers.items()]
        if found:
            await connection.execute(
                f"INSERT INTO {self.schema}.number (caller_id, number, digits)"
                " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING",
                _columns(found),
            )


_UPSERT_CALLER = """
INSERT INTO {schema}.caller (caller_id, state, position, is_open, shared, reservation, operator, expires_at,
                             assigned, dial, recall_since, hidden_until)
SELECT * FROM json_to_recordset(%s) AS row (
    caller_id text, state text, position bigint, is_open boolean, shared boolean, reservation text, operator text,
    expires_at timestamptz, assigned boolean, dial text, recall_since timestamptz, hidden_until timestamptz
)
ON CONFLICT (caller_id) DO UPDATE SET
    state = EXCLUDED.state, position = EXCLUDED.position, is_open = EXCLUDED.is_open, shared = EXCLUDED.shared,
    reservation = EXCLUDED.reservation, operator = EXCLUDED.operator, expires_at = EXCLUDED.expires_at,
    assigned = EXCLUDED.assigned, dial = EXCLUDED.dial, recall_since = EXCLUDED.recall_since,
    hidden_until = EXCLUDED.hidden_until
"""

_END_VERSIONS = """
UPDATE {schema}.request AS r SET recorded_to = greatest(ended.at, r.recorded_from)
FROM unnest(%s::timestamptz[], %s::text[], %s::text[]) AS ended (at, caller_id, request_id)
WHERE r.caller_id = ended.caller_id AND r.request_id = ended.request_id AND r.recorded_to = 'infinity'
"""

_COPY_REQUESTS = "COPY {schema}.request (" + ", ".join(REQUEST_COLUMNS) + ") FROM STDIN"


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """The rows turned by a quarter, as `unnest` takes them: one statement for all, however many."""
    return [list(column) for column in zip(*rows, strict=True)]


def _version_row(row: RequestRow, since: datetime, until: datetime | None) -> tuple[Any, ...]:
    request_id, caller_id, *rest = row
    return request_id, caller_id, since, until or "infinity", *rest


def _caller_row(caller: Caller, shared: bool) -> dict[str, Any]:
    held, recall, hidden = caller.reservation, caller.recall, caller.hidden
    return {
        "caller_id": caller.id,
        "state": dump(caller),
        "position": caller.position,
        "is_open": bool(caller.open_requests),
        "shared": shared,
        "reservation": held.id if held else None,
        "operator": held.operator if held else None,
        "expires_at": held.expires_at if held else None,
        "assigned": held is not None and held.assigned_by is not None,
        "dial": recall.dial if recall else None,
        "recall_since": recall.since if recall else None,
        "hidden_until": hidden.until if hidden else None,
    }


def _withheld_row(call: str, state: Caller) -> tuple[Any, ...]:
    lost = state.missed_calls[0] if state.missed_calls else None
    return call, dump(state), lost.at if lost else None, lost.queue if lost else ""


def _setting_change(position: int, recorded_at: datetime, values: dict[str, object]) -> Recorded:
    return Recorded(
        position=position,
        recorded_at=recorded_at,
        id="",
        subject=subjects.SETTINGS,
        data=SettingsChanged(values=values),
        occurred_at=recorded_at,
        actor="",
        correlation_id="",
        causation_id="",
    )


def _digits(number: str) -> str:
    return "".join(one for one in number if one.isdigit())
