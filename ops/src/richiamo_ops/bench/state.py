"""What did all the calls come to? Requests, outcomes and the Dashboard of a running site, to compare with another's.

Callers are told by their numbers, for the ids that stand for them are random in each site.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg import sql

from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.history import History, Missed
from richiamo_events.ids import CallerId
from richiamo_events.language import (
    CallMissed,
    CallServed,
    CallVoided,
    OperatorChanged,
    SettingsChanged,
)
from richiamo_events.requests import Request
from richiamo_events.settings import Rules
from richiamo_kit import database
from richiamo_kit.store.api import api_patiently
from richiamo_kit.store.streams import CDR
from richiamo_ops.asking import asking
from richiamo_ops.bench.views import caught_up
from richiamo_ops.site import Site

_TRACKED_WITHIN = 900.0


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One request and its outcome; calls by the PBX's ids."""

    number: str
    queue: str
    calls: tuple[str, ...]
    tried_at: tuple[datetime, ...]
    closed_at: str
    closed_by: str
    closing_call: str
    talk_seconds: float
    words: tuple[str, ...]
    """Type, called number, line and account code."""


@dataclass(frozen=True, slots=True)
class State:
    """All requests, the calls without a number, and the Dashboard."""

    requests: Sequence[Row]
    withheld: Sequence[str]
    dashboard: Mapping[str, Any]

    def differences(self, other: "State") -> list[str]:
        """What one of the two holds and the other does not, in words; none when they are equal."""
        mine, theirs = set(self.requests), set(other.requests)
        found = [f"only in the first: {row}" for row in sorted(mine - theirs)]
        found += [f"only in the second: {row}" for row in sorted(theirs - mine)]
        if self.withheld != other.withheld:
            found.append(f"withheld: {len(self.withheld)} and {len(other.withheld)} calls")
        if self.dashboard != other.dashboard:
            found.append(f"the Dashboards: {self.dashboard['totals']} and {other.dashboard['totals']}")
        return found


async def settled(site: Site) -> None:
    """Wait until the tracker has read every call record and each view all that came of it."""
    answer = await api_patiently(site.store.client, f"STREAM.INFO.{CDR}")
    state = answer["state"]
    newest = int(state["last_seq"]) if isinstance(state, dict) else 0
    async with (
        await database.connect(site.database_url, autocommit=True) as connection,
        asyncio.timeout(_TRACKED_WITHIN),
    ):
        while True:
            row = await (await connection.execute(sql.SQL("SELECT position FROM tracker.bookmark"))).fetchone()
            if row is not None and row[0] >= newest:
                break
            await asyncio.sleep(0.05)
    await caught_up(site)


async def state_of(site: Site, first: date, last: date, queues: Sequence[str] = ()) -> State:
    """What the log comes to now, of these queues, or all; the Dashboard is that of these days, both included."""
    rules = Rules.initial(site.defaults)
    states: dict[CallerId, Caller] = {}
    withheld = History()
    async for event in site.store.read():
        rules = rules.changed(event)
        data = event.data
        if isinstance(data, OperatorChanged | SettingsChanged):
            continue
        if data.caller is not None:
            states[data.caller] = evolve(states.get(data.caller) or unknown(data.caller), event, rules)
        elif isinstance(data, CallVoided):
            withheld = replace(withheld, voided=withheld.voided | {data.call})
        elif isinstance(data, CallMissed | CallServed):
            withheld = withheld.with_report(event.id, data)
    rows = []
    for caller in states.values():
        wanted = [one for one in caller.requests if not queues or one.queue in queues]
        if wanted:
            number = await site.directory.number_of(caller.id)
            rows += [_row(number or "", one) for one in wanted]
    async with asking(site) as ask:
        question = {"from": first.isoformat(), "to": last.isoformat(), "queue": [*queues]}
        dashboard = await ask("richiamo.reporting.dashboard", question)
    return State(
        requests=sorted(rows),
        withheld=sorted(
            f"{one.call.unique_id} {one.what.queue} {one.at}"
            for one in withheld.in_force()
            if isinstance(one.what, Missed) and (not queues or one.what.queue in queues)
        ),
        dashboard={name: dashboard[name] for name in ("totals", "days", "backlog")},
    )


def _row(number: str, request: Request) -> Row:
    return Row(
        number=number,
        queue=request.queue,
        calls=tuple(f"{one.call.unique_id} {one.at}" for one in request.calls),
        tried_at=request.tried_at,
        closed_at=str(request.closed_at or ""),
        closed_by=request.closed_by or "",
        closing_call=request.closing_call.unique_id if request.closing_call else "",
        talk_seconds=request.talk_seconds or 0.0,
        words=(request.type, request.called, request.source, request.account_code),
    )
