"""Which calls belong to another customer since the rules for numbers changed? Finds them in the raw records, moves them.

The raw records that are left are read with the rules of now. A call whose number reads otherwise than under whom the
log has it is voided there and told again under the right caller, together or not at all.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from psycopg_pool import AsyncConnectionPool
from pydantic import ValidationError
from rich.console import Console
from rich.progress import track
from rich.prompt import Confirm

from richiamo_events.ids import CallerId, CallId
from richiamo_events.numbers import Number, NumberRules, masked
from richiamo_events.records import RECORD, CallRecord, Nothing, verdict
from richiamo_ingest.call_index import SCHEMA, DatabaseCallIndex
from richiamo_ingest.facts import customers_number
from richiamo_kit import database
from richiamo_kit.projector import wait_for
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import CDR
from richiamo_ops.moving import Place, Trail, moved
from richiamo_ops.site import Site, instant, reached, settings_now

_AT_ONCE = 500
_SHOWN = 5
_VIEW_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A call that counts under `now` and whose number reads as `number`; None: withheld."""

    record: CallRecord
    now: Place
    number: str | None


def renumber(
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Read the raw records again with the number rules of now, and bring each call to the right customer.

    To be used after the country, the outside prefix, the length of internal numbers or the rewrite rules changed. Says
    first how many calls would move. Calls whose raw records are past their retention stay where they are.

    Example: richiamo renumber --from 2026-03-01

    Parameters
    ----------
    from_
        Only calls that began at this instant or later; without it all that are left.
    yes
        Do not ask first.
    """
    return asyncio.run(_renumber(from_, yes=yes))


async def _renumber(from_: str | None, *, yes: bool) -> int:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    async with reached("renumber") as site:
        settings = await settings_now(site)
        since = datetime.min.replace(tzinfo=UTC) if from_ is None else instant(from_, settings)
        with console.status("reading the raw records"):
            found = await misplaced(site, settings.numbers, since)
        if not found:
            console.print("Every call is under the number that its record says. Nothing was changed.")
            return 0
        await _tell(console, site, found)
        if not yes and not Confirm.ask("Move them?", console=console, default=False):
            console.print("Nothing was changed.")
            return 1
        with console.status("reading what the log says of them"):
            trails = await trails_of(site, [one.record.call for one in found])
        done = 0
        async for has_moved in move(site, found, trails):
            done += has_moved
        console.print(f"{done} calls moved; {len(found) - done} stay: they are of customers who were erased.")
    return 0


async def misplaced(site: Site, rules: NumberRules, since: datetime) -> list[Misplaced]:
    """The calls that began at `since` or later and whose best record names another number than the log has."""
    async with database.make_pool(site.database_url, most=1, application="richiamo-renumber") as pool:
        await wait_for(pool, SCHEMA, await site.store.last_position(), _VIEW_WITHIN)
        suspects = {one.record.call async for one in _differing(site, pool, _records(site, since), rules)}
        # Of several records of a call the best one speaks, and it may be one that does not differ.
        best: dict[CallId, CallRecord] = {}
        async for record in _records(site, since):
            if record.call in suspects and _weight(record, rules) > _weight(best.get(record.call), rules):
                best[record.call] = record

        async def chosen() -> AsyncIterator[CallRecord]:
            for record in best.values():
                yield record

        return [one async for one in _differing(site, pool, chosen(), rules)]


async def _differing(
    site: Site, pool: AsyncConnectionPool, records: AsyncIterator[CallRecord], rules: NumberRules
) -> AsyncIterator[Misplaced]:
    index = DatabaseCallIndex(pool, within=_VIEW_WITHIN)
    async for some in _chunks(records):
        known = await index.known({record.call for record in some})
        for record in some:
            if (of_call := known.get(record.call)) is None:
                continue
            number = customers_number(record, rules)
            right = number.text if isinstance(number, Number) else None
            now = None if of_call.caller is None else await site.directory.number_of(of_call.caller)
            erased = of_call.caller is not None and now is None
            if right != now and not erased:
                yield Misplaced(record, of_call.caller, right)


async def _records(site: Site, since: datetime) -> AsyncIterator[CallRecord]:
    """The raw records that say something of a customer and whose digits are left."""
    async for stored in read_stream(site.store.client, CDR):
        try:
            record = RECORD.validate_json(stored.body)
        except ValidationError:
            continue  # The tracker has put it aside, where it is told of.
        if record.at >= since and not record.numbers_removed:
            yield record


def _weight(record: CallRecord | None, rules: NumberRules) -> tuple[bool, int, datetime]:
    if record is None:
        return False, 0, datetime.min.replace(tzinfo=UTC)
    return not isinstance(verdict(record, rules), Nothing), record.rank, record.received_at


async def _chunks(records: AsyncIterator[CallRecord]) -> AsyncIterator[Sequence[CallRecord]]:
    some: list[CallRecord] = []
    async for record in records:
        some.append(record)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


async def trails_of(site: Site, calls: Sequence[CallId]) -> Mapping[CallId, Trail]:
    """What the log says of these calls."""
    trails = {call: Trail(call) for call in calls}
    async for event in site.store.read():
        one: CallId | None = getattr(event.data, "call", None)
        if one is not None:
            about = [one]
        else:
            about = list(getattr(event.data, "calls", ())) or list(trails if hasattr(event.data, "flush") else ())
        for call in about:
            if call in trails:
                trails[call].take(event)
    return trails


async def move(site: Site, found: Sequence[Misplaced], trails: Mapping[CallId, Trail]) -> AsyncIterator[bool]:
    """Bring each call to its caller; answers of each whether it moved. Cut short, it is done again for the rest."""
    async with database.make_pool(site.database_url, most=1, application="richiamo-renumber") as pool:
        index = DatabaseCallIndex(pool, within=_VIEW_WITHIN)
        lost: set[CallerId] = set()
        for one in track(found, "Moving", console=Console(stderr=True), transient=True):
            to: Place = None
            if one.number is not None:
                if await site.directory.erased_since(one.number, one.record.at):
                    yield False
                    continue
                to = await site.directory.resolve(one.number)
            trail = trails[one.record.call]
            if to is not None and to not in lost and (trail.was_lost or await index.ever_lost([to])):
                lost.add(to)
            events = moved(trail, to, ever_lost=to in lost, at=datetime.now(UTC))
            await site.store.append(events)
            yield bool(events)


async def _tell(console: Console, site: Site, found: Sequence[Misplaced]) -> None:
    said = Counter[str]()
    for one in found:
        now = "withheld" if one.now is None else masked(await site.directory.number_of(one.now) or "")
        said[f"{now} to {'withheld' if one.number is None else masked(one.number)}"] += 1
    customers = len({one.now for one in found})
    console.print(f"{len(found)} calls of {customers} customers belong elsewhere, among them:")
    for words, times in said.most_common(_SHOWN):
        console.print(f"  {words}: {times}")
