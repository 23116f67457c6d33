"""Which call records does the PBX hold for some hours? Asked over REST, in whichever form it answers."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import httpx

from richiamo_events.settings import SiteSettings
from richiamo_ingest.kalliope import values
from richiamo_ingest.kalliope.records import Reading, Row, read_records
from richiamo_ingest.poll.schedule import Window, spelled
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.clock import Clock
from richiamo_kit.kalliope_rest import (
    KalliopeAccount,
    PbxTrouble,
    Trouble,
    connection_to,
    log_in,
    trouble_of,
)

_LONGEST_CONVERSATION = 300.0
"""Seconds: a PBX that sends a byte now and then is slow too."""
_NO_HOURS = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED})


@dataclass(frozen=True, slots=True)
class KalliopeRecords:
    """The records of one PBX; `largest` is the longest answer that is taken, in bytes."""

    account: KalliopeAccount
    clock: Clock
    largest: int

    async def read(self, asked: Window, settings: SiteSettings) -> Reading:
        """Every call that began in the window, with its legs. Raises `PbxTrouble`; then nothing is known."""
        whole = Reading()
        try:
            async with asyncio.timeout(_LONGEST_CONVERSATION), connection_to(self.account) as client:
                for body in await self._bodies(client, *spelled(asked, settings.pbx_zone)):
                    if body.lstrip()[:5].lower() in {b"<html", b"<!doc"}:
                        raise NotUnderstood("it is a web page.")
                    # In a thread: a customer on the line does not wait until a large body is read.
                    reading = await asyncio.to_thread(
                        read_records,
                        body,
                        pbx=settings.pbx_name,
                        zone=settings.pbx_zone,
                        received_at=self.clock.now(),
                    )
                    if (
                        reading.refused
                        and not reading.records
                        and not any(_is_call(one.row) for one in reading.refused)
                    ):
                        raise NotUnderstood("it holds no call records.")
                    whole.records.extend(reading.records)
                    whole.refused.extend(reading.refused)
        except TimeoutError as error:
            raise PbxTrouble(Trouble.SLOW) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise trouble_of(error) from error
        except NotUnderstood as error:
            raise PbxTrouble(Trouble.UNREADABLE, reason=str(error)) from error
        return whole

    async def _bodies(self, client: httpx.AsyncClient, begin: str, end: str) -> list[bytes]:
        """By hours; from a PBX that knows no hours, by whole days."""
        hours = {"cdr": {"begin": begin, "end": end}}
        status, body = await self._ask(client, "POST", "/rest/cdr/detailed", hours)
        if status not in _NO_HOURS:
            return [body] if body is not None else []
        bodies: list[bytes] = []
        for day in _days(begin, end):
            path = f"/rest/cdr/detailed/{day:%Y/%m/%d}"
            status, body = await self._ask(client, "GET", path, None)
            if status in _NO_HOURS:
                raise PbxTrouble(Trouble.REFUSED, status=status)
            bodies.extend([body] if body is not None else [])
        return bodies

    async def _ask(self, client: httpx.AsyncClient, verb: str, path: str, content: object) -> tuple[int, bytes | None]:
        """Status and body; no body when there is nothing to tell, or the PBX knows no such request."""
        login = await log_in(client, self.account, self.clock)
        headers = {**login.headers, "Accept": "application/json"}
        async with client.stream(verb, path, headers=headers, json=content) as answer:
            if answer.status_code in _NO_HOURS or answer.status_code == httpx.codes.NO_CONTENT:
                return answer.status_code, None
            if refused := login.refusal(answer.status_code):
                raise refused
            parts: list[bytes] = []
            size = 0
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > self.largest:
                    raise PbxTrouble(Trouble.TOO_LARGE)
                parts.append(part)
        return answer.status_code, b"".join(parts)


def _is_call(row: Row) -> bool:
    return bool(values.first(row, values.UNIQUE_ID))


def _days(begin: str, end: str) -> Iterator[date]:
    day, last = date.fromisoformat(begin[:10]), date.fromisoformat(end[:10])
    while day <= last:
        yield day
        day += timedelta(days=1)
