"""How do the facts of the reports follow the log? Fold each caller, write what changed, each with its instant.

Delivery: by the projector, batch and checkpoint in one transaction. An event that a state has seen changes
nothing, so a batch applied twice leaves the same rows. The instant of a version is the event's
`recorded_at`, never the wall clock's; should it ever step back, the highest seen so far stands for it.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

from psycopg import AsyncConnection, sql
from psycopg.types.json import Json, Jsonb

from richiamo_events.caller import Caller, dump, evolve, load, unknown
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import OperatorChanged, RecallFailed, SettingsChanged
from richiamo_events.settings import Rules, SiteSettings
from richiamo_reporting.daily import tables as daily
from richiamo_reporting.daily.cells import Cell, added, known_after
from richiamo_reporting.facts import tables
from richiamo_reporting.facts.derive import Rows, rows_of_withheld, step
from richiamo_reporting.facts.site import read_rules
from richiamo_reporting.facts.versions import Versions
from richiamo_reporting.restated import ledger
from richiamo_reporting.restated.changes import Change, changes, settled_before

SCHEMA = "view_reporting"
_CACHED = 20_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_WITHHELD_CALL = "withheld:"


class ReportingFacts:
    """The projection behind every report; `initial` is what the site's settings are before any change."""

    def __init__(self, initial: SiteSettings, schema: str = SCHEMA) -> None:
        self.schema = schema
        self._initial = initial
        self._rules = Rules.initial(initial)
        self._settings_position = 0
        self._horizon = _BEGINNING
        self._late: tuple[datetime, datetime] | None = None
        self._cache: OrderedDict[str, Caller] = OrderedDict()

    def ddl(self) -> Sequence[str]:
        return [*tables.ddl(self.schema), ledger.DDL.format(schema=self.schema), *daily.ddl(self.schema)]

    async def start(self, connection: AsyncConnection) -> None:
        """Forget what is in memory; load the settings' timeline and the newest recorded instant."""
        self._cache.clear()
        self._rules, self._settings_position = await read_rules(connection, self._initial, self.schema)
        found = await connection.execute(sql.SQL("SELECT recorded_at FROM {}").format(self._table("horizon")))
        row = await found.fetchone()
        self._horizon = row[0] if row else _BEGINNING
        self._late = await ledger.last_run(connection, self.schema)
        if await daily.zone_of(connection, self.schema) != self._rules.current.zone.key:
            await self._count_anew(connection, self._horizon)

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        """Fold the batch and write the versions that were born and those that ended."""
        folded = await self._load(connection, {owner for event in batch if (owner := owner_of(event))})
        touched: set[CallerId] = set()
        seen: set[str] = set()
        versions, late, shares = Versions(), ledger.Ledger(self._late), daily.Shares()
        for event in batch:
            self._horizon = max(self._horizon, event.recorded_at)
            match event.data:
                case SettingsChanged():
                    zone = self._rules.current.zone
                    await self._take_settings(connection, event, event.data)
                    if self._rules.current.zone != zone:
                        shares.begin_anew(self._horizon)
                    continue
                case OperatorChanged():
                    await self._take_operator(connection, event, event.data)
                    continue
                case _:
                    owner = owner_of(event)
            if not owner:
                continue
            before = folded[owner]
            after = evolve(before, event, self._rules)
            if after is before:
                continue
            folded[owner] = after
            seen.add(owner)
            old, new = _rows_of(owner, before, after)
            if versions.change(old, new, self._horizon):
                late.take(event, self._horizon, self._restated(old, new))
                shares.take(
                    added((old, new), (before, after), self._rules.current.zone), known_after((old, new), self._horizon)
                )
                if not owner.startswith(_WITHHELD_CALL):
                    touched.add(after.id)
        await versions.write(connection, self.schema)
        await late.write(connection, self.schema)
        self._late = late.run
        await self._save(connection, {owner: folded[owner] for owner in seen})
        if shares.anew_since is None:
            await daily.add(connection, self.schema, shares.found)
        else:
            await self._count_anew(connection, shares.anew_since)
        await daily.note(connection, self.schema, shares.changed)
        return touched

    async def _count_anew(self, connection: AsyncConnection, since: datetime) -> None:
        """The sums of the days from all states, in the site's zone of now: it has moved, or nothing is counted yet."""
        zone = self._rules.current.zone
        await daily.begin_anew(connection, self.schema, zone.key, since)
        sums: Counter[Cell] = Counter()
        async with connection.cursor(name="states") as states:
            await states.execute(sql.SQL("SELECT owner, state FROM {}").format(self._table("fold_state")))
            async for owner, state in states:
                steps = unknown(CallerId(owner)), load(state)
                for cell, by in added(_rows_of(owner, *steps), steps, zone):
                    sums[cell] += by
        await daily.add(connection, self.schema, sums)

    def _restated(self, before: Rows, after: Rows) -> Counter[Change]:
        site = self._rules.at(self._horizon)
        return changes(before, after, settled_before(self._horizon, site.settle_minutes, site.zone), site.zone)

    async def _load(self, connection: AsyncConnection, owners: set[str]) -> dict[str, Caller]:
        folded = {owner: self._cache[owner] for owner in owners if owner in self._cache}
        missing = [owner for owner in owners if owner not in folded]
        if missing:
            found = await connection.execute(
                sql.SQL("SELECT owner, state FROM {} WHERE owner = ANY(%s)").format(self._table("fold_state")),
                (missing,),
            )
            async for owner, state in found:
                folded[owner] = load(state)
        for owner in missing:
            if owner not in folded:
                folded[owner] = unknown(CallerId(owner))
        return folded

    async def _save(self, connection: AsyncConnection, folded: dict[str, Caller]) -> None:
        async with connection.cursor() as cursor:
            await cursor.execute(
                sql.SQL(
                    "INSERT INTO {} (owner, state) SELECT * FROM json_each_text(%s) "
                    "ON CONFLICT (owner) DO UPDATE SET state = excluded.state"
                ).format(self._table("fold_state")),
                (Json({owner: dump(one) for owner, one in folded.items()}),),
            )
            await cursor.execute(
                sql.SQL(
                    "INSERT INTO {} (recorded_at) VALUES (%s) ON CONFLICT (one) DO UPDATE SET recorded_at = excluded.recorded_at"
                ).format(self._table("horizon")),
                (self._horizon,),
            )
        for owner, one in folded.items():
            self._cache[owner] = one
            self._cache.move_to_end(owner)
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)

    async def _take_settings(self, connection: AsyncConnection, event: Recorded, change: SettingsChanged) -> None:
        if event.position <= self._settings_position:
            return
        self._settings_position = event.position
        self._rules = self._rules.changed(event)
        await connection.execute(
            sql.SQL("INSERT INTO {} (position, recorded_at, changed) VALUES (%s, %s, %s)").format(
                self._table("site_settings")
            ),
            (event.position, event.recorded_at, Jsonb(change.values)),
        )

    async def _take_operator(self, connection: AsyncConnection, event: Recorded, user: OperatorChanged) -> None:
        await connection.execute(
            sql.SQL(
                "INSERT INTO {0} (number, username, name, role, extension, language, active, recorded_at) "
                "VALUES ((SELECT count(*) + 1 FROM {0}), %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (username) DO UPDATE SET name = excluded.name, "
                "role = excluded.role, extension = excluded.extension, language = excluded.language, "
                "active = excluded.active, recorded_at = excluded.recorded_at"
            ).format(self._table("operator")),
            (user.username, user.name, user.role, user.extension, user.language, user.active, event.recorded_at),
        )

    def _table(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.schema, name)


def owner_of(event: Recorded) -> str | None:
    """Whose state an event belongs to: its caller's, or of a call without a number the call's own."""
    data = event.data
    if isinstance(data, SettingsChanged | OperatorChanged):
        return None
    if data.caller is not None:
        return data.caller
    if isinstance(data, RecallFailed) and data.call is None:
        return None
    return f"{_WITHHELD_CALL}{data.call}"


def _rows_of(owner: str, before: Caller, after: Caller) -> tuple[Rows, Rows]:
    if owner.startswith(_WITHHELD_CALL):
        return rows_of_withheld(before), rows_of_withheld(after)
    return step(before, after)
