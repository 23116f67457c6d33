"""What does a Kalliope answer over REST? Salt, call records, click to call; slow and broken when told so."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import cast
from xml.etree import ElementTree as ET

from fastapi import FastAPI, HTTPException, Request, Response

from tests.kalliope.cdr import Form, Generation, Record, render, rows
from tests.kalliope.digest import Doorkeeper, NotRecognised
from tests.kalliope.period import Period, from_body, from_path

SALT = "b5a8fdcf2f8d5acdad33c4a072a97d7a"
_FORMS: tuple[Form, ...] = ("application/json", "application/xml", "text/csv")


@dataclass(frozen=True, slots=True)
class Dialled:
    """A click to call that the PBX accepted; it never tells the id of the call that follows."""

    destination: str
    source: str
    by: str
    at: datetime


@dataclass(slots=True)
class Trouble:
    """How the next answers go wrong, the oldest first: each is a status, a delay, or half a body."""

    status: int = 200
    delay_seconds: float = 0.0
    cut_to_bytes: int | None = None
    garbage: bytes | None = None


@dataclass(slots=True)
class KalliopePbx:
    """One PBX of one domain. `admin` sees masked numbers; only `click2call` may dial, and it may not read records.

    `only_form`: it ignores `Accept`. `knows_hours`: it takes a period in the body, else only days in the path.
    """

    generation: Generation = "later"
    dial_verb: str = "GET"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    passwords: dict[str, str] = field(default_factory=lambda: {"admin": "admin", "cdr": "secret", "click2call": "c2c"})
    privacy: set[str] = field(default_factory=lambda: {"cdr"})
    may_read: set[str] = field(default_factory=lambda: {"admin", "cdr"})
    only_form: Form | None = None
    knows_hours: bool = True
    records: list[Record] = field(default_factory=list)
    dialled: list[Dialled] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    domain: str = "default"

    def app(self) -> FastAPI:
        """The REST interface as an ASGI application."""
        app = FastAPI(openapi_url=None)
        door = Doorkeeper(self.passwords, SALT, self.domain, self.clock)

        def who(request: Request) -> str:
            try:
                return door.username(request.headers.get("x-authenticate"))
            except NotRecognised as refusal:
                self.refused.append(str(refusal))
                raise HTTPException(401) from refusal

        @app.middleware("http")
        async def trouble(request: Request, call_next: Callable[[Request], "asyncio.Future[Response]"]) -> Response:
            self.asked.append(f"{request.method} {request.url.path}")
            if self.troubles:
                answer = await self._spoiled(self.troubles.pop(0), request, call_next)
            else:
                answer = await call_next(request)
            answer.headers["Date"] = format_datetime(self.clock(), usegmt=True)
            return answer

        @app.get("/rest/salt/{domain}")
        async def salt(domain: str, request: Request) -> Response:
            if domain != self.domain:
                raise HTTPException(404)
            if _form(request.headers.get("accept", ""), self.only_form) == "application/json":
                return Response(json.dumps({"salt": SALT}), media_type="application/json")
            return Response(f'<?xml version="1.0"?><response><salt>{SALT}</salt></response>', media_type="text/xml")

        @app.get("/rest/cdr/{kind}")
        @app.get("/rest/cdr/{kind}/{days:path}")
        async def by_days(kind: str, request: Request, days: str = "") -> Response:
            return self._cdr(kind, from_path(days), who(request), request)

        @app.post("/rest/cdr/{kind}")
        @app.post("/rest/cdr/{kind}/{days:path}")
        async def by_hours(kind: str, request: Request, days: str = "") -> Response:
            username = who(request)
            if not self.knows_hours:
                raise HTTPException(405)
            period = _period(await request.body(), request.headers.get("content-type", ""))
            return self._cdr(kind, period, username, request)

        @app.api_route("/rest/phoneServices/c2c/{destination}/{source}", methods=[self.dial_verb])
        async def click_to_call(destination: str, source: str, request: Request) -> Response:
            username = who(request)
            if username != "click2call":
                raise HTTPException(403)
            self.dialled.append(Dialled(destination, source, username, self.clock()))
            return Response("{}", media_type="application/json")

        return app

    def ring_back(self, *, talk_seconds: float | None, after: timedelta = timedelta(seconds=10)) -> Record:
        """The record of the last click to call: answered for `talk_seconds`, or not at all if None."""
        dial = self.dialled[-1]
        start, answer = dial.at, dial.at + after
        talked = talk_seconds is not None
        record = Record(
            {
                "unique_id": f"{int(start.timestamp())}.{len(self.dialled)}",
                "source_type": "local_exten",
                "destination_type": "obl",
                "status": "OK" if talked else "NOANSWER",
                "start_datetime": f"{start:%Y-%m-%d %H:%M:%S}",
                "answer_datetime": f"{answer:%Y-%m-%d %H:%M:%S}" if talked else "",
                "end_datetime": f"{answer + timedelta(seconds=int(talk_seconds or 0)):%Y-%m-%d %H:%M:%S}",
                "caller": dial.source,
                "called": dial.destination,
                "bill_secs": str(talk_seconds or 0),
            }
        )
        self.records.append(record)
        return record

    def _cdr(self, kind: str, period: Period, username: str, request: Request) -> Response:
        if kind not in {"summary", "detailed"}:
            raise HTTPException(404)
        if username not in self.may_read:
            raise HTTPException(403)
        self.periods.append(period)
        chosen = [record for record in self.records if period.holds(record.start)]
        form = _form(request.headers.get("accept", ""), self.only_form)
        flat = rows(chosen, generation=self.generation, detailed=kind == "detailed", hide=username not in self.privacy)
        return Response(render(flat, form), media_type=form)

    async def _spoiled(
        self, trouble: Trouble, request: Request, call_next: Callable[[Request], "asyncio.Future[Response]"]
    ) -> Response:
        if trouble.delay_seconds:
            await asyncio.sleep(trouble.delay_seconds)
        if trouble.status != 200:
            return Response("<html>Bad Gateway</html>", status_code=trouble.status, media_type="text/html")
        if trouble.garbage is not None:
            return Response(trouble.garbage, media_type="application/json")
        answer = await call_next(request)
        if trouble.cut_to_bytes is None:
            return answer
        body = b"".join([chunk async for chunk in answer.body_iterator])  # type: ignore[attr-defined]
        return Response(body[: trouble.cut_to_bytes], media_type=answer.headers.get("content-type"))


def _form(accept: str, only: Form | None) -> Form:
    if only is not None:
        return only
    return next((form for form in _FORMS if form in accept), "application/xml")


def _period(body: bytes, content_type: str) -> Period:
    try:
        if "json" in content_type:
            asked = cast("dict[str, str]", json.loads(body)["cdr"])
        else:
            asked = {child.tag: child.text or "" for child in ET.fromstring(body)}
        return from_body(asked["begin"], asked["end"])
    except (ValueError, KeyError, TypeError, ET.ParseError) as error:
        raise HTTPException(400) from error
