"""How does what was put aside get in after all? Read again by the way it came, with the instant it was first received.

Delivery: an entry is removed only after all it says was kept. When that fails it can be submitted again, and what
was written then is known by its content: one entry, one effect. A repaired entry takes the place of the old one
before it is submitted, so that two repairs of one entry never both count.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import structlog

from richiamo_ingest.intake import Intake
from richiamo_ingest.kalliope.notification import Noted, read_notification
from richiamo_ingest.kalliope.records import Reading
from richiamo_ingest.kalliope.routing import read_routing
from richiamo_ingest.link import Link
from richiamo_ingest.record_bodies import read_any
from richiamo_ingest.reports import REPORTS, NotUnderstood, Outcome
from richiamo_ingest.site import Site
from richiamo_ingest.spool import AnyReport
from richiamo_ingest.taking import Taking
from richiamo_kit import metrics, quarantine
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.quarantine import LARGEST_KEPT, Entry
from richiamo_kit.store.streams import keep_raw_for

_log = structlog.get_logger(__name__)
_WITHIN = 10.0
_LOOK_EVERY = 15.0

Understood = list[AnyReport] | Reading


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Submits and repairs entries, and watches over how many there are and how long they are kept."""

    intake: Intake
    taking: Taking
    site: Site
    link: Link
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Count the entries and keep raw records as long as the setting says, until cancelled."""
        kept_for: int | None = None
        while True:
            client, days = self.link.client, self.site.settings.retention_days
            if client is not None:
                try:
                    metrics.QUARANTINE_ENTRIES.set(await quarantine.size(client))
                    if kept_for != days:
                        await keep_raw_for(client, days)
                        kept_for = days
                except Unavailable as error:
                    _log.info("quarantine_not_counted", reason=str(error))
            await asyncio.sleep(_LOOK_EVERY)

    async def submit(self, payload: dict[str, Any]) -> dict[str, Any]:
        """`{"entry"}` -> `{"accepted", "duplicates", "refused": [reason]}`; what is refused again is a new entry.

        409 `still-not-understood` leaves the entry as it is; 404 when there is none of this number.
        """
        async with self._one_at_a_time:
            entry = await self._entry(payload)
            understood = await self._read(entry)
            if isinstance(understood, Reading):
                if not understood.records:
                    reason = understood.refused[0].reason if understood.refused else "It holds no call."
                    raise _still_not(reason)
                taken = await self.taking.take(
                    understood, pbx=entry.pbx, received_at=entry.received_at, query=entry.query
                )
                accepted, duplicates = taken.accepted, taken.duplicates
                refused = [one.reason for one in understood.refused]
            else:
                outcomes = await self.intake.take(understood, within=_WITHIN)
                duplicates, refused = outcomes.count(Outcome.DUPLICATE), []
                accepted = len(outcomes) - duplicates
            await self._remove(entry)
        _log.info("quarantined_submitted", entry=entry.position, new=accepted, duplicates=duplicates)
        return {"accepted": accepted, "duplicates": duplicates, "refused": refused}

    async def repair(self, payload: dict[str, Any]) -> dict[str, Any]:
        """`{"entry", "body"}` -> `{"entry", "problem"}`: the number of the repaired entry, and why it cannot be read yet."""
        body = payload.get("body")
        if not isinstance(body, str):
            raise Problem(400, "bad-request", "The repaired text is missing.")
        async with self._one_at_a_time:
            old = await self._entry(payload)
            fresh = old.edited(body)
            if len(fresh.body) > LARGEST_KEPT:
                raise Problem(
                    413, "too-large", f"The text is larger than {LARGEST_KEPT // 1024} KiB: import it as a file."
                )
            if fresh.body == old.body:
                return {"entry": old.position, "problem": await self._problem(old)}
            position = await quarantine.keep(self._client, fresh)
            if position != old.position:
                await self._remove(old)
        return {"entry": position, "problem": await self._problem(fresh)}

    async def drop(self, payload: dict[str, Any]) -> dict[str, Any]:
        """`{"entry"}` -> `{}`: forget it for good. 404 when there is none of this number."""
        async with self._one_at_a_time:
            await self._remove(await self._entry(payload))
        return {}

    @property
    def _client(self) -> Any:
        if self.link.client is None:
            raise Unavailable("not connected to the log")
        return self.link.client

    async def _entry(self, payload: dict[str, Any]) -> Entry:
        number = payload.get("entry")
        if not isinstance(number, int) or number < 1:
            raise Problem(400, "bad-request", "An entry is named by its number.")
        entry = await quarantine.entry_at(self._client, number)
        if entry is None:
            raise Problem(404, "no-such-entry", f"The quarantine holds no entry {number}.")
        return entry

    async def _remove(self, entry: Entry) -> None:
        await quarantine.remove(self._client, entry.position)
        metrics.QUARANTINE_ENTRIES.set(await quarantine.size(self._client))

    async def _problem(self, entry: Entry) -> str:
        try:
            understood = await self._read(entry)
        except Problem as problem:
            return problem.detail
        if isinstance(understood, Reading) and understood.refused:
            return understood.refused[0].reason
        return ""

    async def _read(self, entry: Entry) -> Understood:
        query = dict(parse_qsl(entry.query, keep_blank_values=True))
        try:
            match entry.source:
                case "routing":
                    return [read_routing(entry.body, query, pbx=entry.pbx, received_at=entry.received_at)]
                case "event":
                    report = read_notification(entry.body, query, pbx=entry.pbx, received_at=entry.received_at)
                    return [] if isinstance(report, Noted) else [report]
                case "spool":
                    return list(REPORTS.validate_json(entry.body))
                case _:
                    return await asyncio.to_thread(
                        read_any, entry.body, query, pbx=entry.pbx, settings=self.site.settings, at=entry.received_at
                    )
        except (NotUnderstood, ValueError) as error:
            raise _still_not(str(error)) from error


def _still_not(reason: str) -> Problem:
    return Problem(409, "still-not-understood", "This entry cannot be read yet.", reason)
