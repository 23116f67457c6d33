"""What would the reports say under other rules? The same log, folded again beside, compared figure by figure."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from cyclopts import Parameter
from openpyxl import Workbook
from psycopg import AsyncConnection, sql
from rich.console import Console
from rich.table import Table

from richiamo_events.envelope import Recorded
from richiamo_events.language import SettingsChanged
from richiamo_events.settings import validate
from richiamo_events.subjects import ALL
from richiamo_kit import database
from richiamo_kit.clock import SystemClock
from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projector
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.site import Site, reached
from richiamo_reporting.facts.projection import SCHEMA, ReportingFacts
from richiamo_reporting.questions import Question, read
from richiamo_reporting.reports import Reports

Row = tuple[str, str, int, int]
"""Day (or the whole period), figure, as it is, as it would be."""

_OUTCOMES = ("total", "served", "recalled", "flushed", "unanswered", "unhandled")


class OtherRules(JetStreamEventStore):
    """The log as it would read had these settings never been anything else; nothing is ever written."""

    def __init__(self, store: JetStreamEventStore, settings: Mapping[str, object]) -> None:
        super().__init__(store.client)
        self._settings = settings

    async def read(
        self, after: int = 0, *, subject: str = ALL, until: int | None = None
    ) -> AsyncGenerator[Recorded, None]:
        """See `EventStore.read`."""
        async with aclosing(super().read(after, subject=subject, until=until)) as events:
            async for event in events:
                if isinstance(event.data, SettingsChanged):
                    kept = {name: value for name, value in event.data.values.items() if name not in self._settings}
                    yield replace(event, data=SettingsChanged(values=kept))
                else:
                    yield event


def what_if(
    *,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", consume_multiple=False)],
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    out: Path | None = None,
) -> int:
    """Evaluate the log with other settings, beside the real views, and print the Dashboard of both.

    Example: richiamo what-if --set success_threshold_seconds=10 --from 2026-03-01 --to 2026-03-31

    Parameters
    ----------
    set_
        A setting and its value, as name=value; may be given several times.
    from_
        First day; without it today.
    to
        Last day; without it today.
    out
        A workbook to write both columns and the difference to.
    """
    return asyncio.run(_what_if(settings_of(set_), from_, to, out))


def settings_of(given: Sequence[str]) -> dict[str, object]:
    """The settings of `name=value` texts. Raises `Problem` in words."""
    settings: dict[str, object] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise Problem(400, "no-setting", f"{text!r} is no setting: write name=value.")
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    for name, why in validate(settings).items():
        raise Problem(400, "no-setting", f"{name}: {why}")
    return settings


async def _what_if(settings: dict[str, object], from_: str | None, to: str | None, out: Path | None) -> int:
    console = Console(highlight=False)
    question = read(Question, {"from": from_, "to": to})
    async with reached("what-if") as site:
        with Console(stderr=True).status("folding the log with the other rules"):
            rows = await compared(site, settings, question)
    table = Table("", "", "now", "what if", "difference")
    for day, figure, now, other in rows:
        table.add_row(day, figure, str(now), str(other), f"{other - now:+d}" if other != now else "")
    console.print(table)
    if out is not None:
        _write(out, rows)
    return 0


async def compared(site: Site, settings: Mapping[str, object], question: Question) -> list[Row]:
    """The Dashboard's figures with the real rules and with the others; the scratch schema is gone afterwards."""
    scratch = f"what_if_{uuid4().hex[:12]}"
    initial = site.defaults.with_values(settings)
    pool = database.make_pool(site.database_url, most=2, application="richiamo-what-if")
    async with (
        await database.connect(site.database_url, autocommit=True, application="richiamo-what-if") as owner,
        pool,
    ):
        await _drop_left_over(owner)
        await database.try_lock(owner, _lock_of(scratch))
        try:
            projection = ReportingFacts(initial, schema=scratch)
            await Projector(OtherRules(site.store, settings), projection, site.database_url).catch_up()
            now = await Reports(pool, site.directory, site.defaults, SystemClock(), SCHEMA).dashboard(question)
            other = await Reports(pool, site.directory, initial, SystemClock(), scratch).dashboard(question)
        finally:
            await _drop(owner, scratch)
    return [
        *_rows("period", now["totals"], other["totals"]),
        *(row for one, two in zip(now["days"], other["days"], strict=True) for row in _rows(one["day"], one, two)),
    ]


async def _drop_left_over(owner: AsyncConnection) -> None:
    """Drop what a killed run left: the schemas whose owner's connection, and with it its lock, is gone."""
    found = await owner.execute(r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 'what\_if\_%'")
    for (schema,) in await found.fetchall():
        if await database.try_lock(owner, _lock_of(schema)):
            await _drop(owner, schema)


def _lock_of(schema: str) -> str:
    return f"what if {schema}"


async def _drop(owner: AsyncConnection, schema: str) -> None:
    await owner.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def _rows(day: str, now: Mapping[str, Any], other: Mapping[str, Any]) -> list[Row]:
    return [(day, figure, now[figure], other[figure]) for figure in _OUTCOMES]


def _write(out: Path, rows: Sequence[Row]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("what if")
    sheet.freeze_panes = "A2"
    sheet.append(["day", "figure", "now", "what if", "difference"])
    for day, figure, now, other in rows:
        sheet.append([day, figure, now, other, other - now])
    book.save(out)
