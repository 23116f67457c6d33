"""How does the simulated PBX speak to Richiamo? Over HTTP to the ingest port, like a real one."""

import asyncio
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import httpx

from richiamo_ops.simulate.calls import PbxCall
from richiamo_ops.simulate.steps import EdgeStep, ReportNotice, ReportRecord, ReportRouting
from richiamo_ops.simulate.tally import Tally
from richiamo_ops.simulate.wire import Message, RecordForm, notification, records, routing

_ROUTING = "/voipToCall/kalliopeToCall/insert/"
_NOTICE = "/pbx/kalliope/event"
_RECORDS = "/pbx/cdr"
_ATTEMPTS = 30


class Pbx:
    """The PBX's side of the line.

    Routing and notifications are sent once (a PBX does not repeat them); call records are sent again
    for half a minute while nobody answers, as the next poll would find them.
    """

    def __init__(self, client: httpx.AsyncClient, tally: Tally, zone: ZoneInfo) -> None:
        self._client = client
        self._tally = tally
        self._zone = zone

    async def report(self, step: EdgeStep) -> None:
        """Say one thing to Richiamo and count its answer."""
        match step:
            case ReportRouting():
                await self._once("routing", _ROUTING, routing(step.call, step.queue))
            case ReportNotice():
                path = f"{_NOTICE}?event=pbx.queue.unservedcall"
                await self._once("notice", path, notification(step.call, step.form))
            case ReportRecord():
                await self.send_records((step.call,), step.form)

    async def send_records(self, calls: Sequence[PbxCall], form: RecordForm) -> None:
        """Push call records, again and again for half a minute if nobody answers."""
        message = records(tuple(calls), form, self._zone)
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(1.0)
            response = await self._post(_RECORDS, message)
            if response is not None and response.status_code == httpx.codes.ACCEPTED:
                answer = response.json()
                self._tally.add("records", int(answer["accepted"]))
                self._tally.add("duplicates", int(answer["duplicates"]))
                self._tally.add("refused", len(answer["refused"]))
                for refusal in answer["refused"][:1]:
                    self._tally.problem = f"record refused: {refusal['reason']}"
                return
            if response is not None and response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                self._refused(response)
                return
        self._tally.add("unreachable", len(calls))

    async def _once(self, what: str, path: str, message: Message) -> None:
        response = await self._post(path, message)
        if response is None:
            self._tally.add("unreachable")
        elif response.status_code == httpx.codes.OK and "<value>0<" not in response.text:
            self._tally.add(what)
        else:
            self._refused(response)

    async def _post(self, path: str, message: Message) -> httpx.Response | None:
        try:
            return await self._client.post(path, content=message.body, headers={"Content-Type": message.content_type})
        except httpx.TransportError as error:
            self._tally.problem = f"ingest did not answer ({type(error).__name__})"
            return None

    def _refused(self, response: httpx.Response) -> None:
        self._tally.add("refused")
        self._tally.problem = f"ingest answered {response.status_code}: {response.text[:120]}"
