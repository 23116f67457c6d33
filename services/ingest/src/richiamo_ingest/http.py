"""How does the PBX reach Richiamo? The three ways in of `api.md`, and what watches over them."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from richiamo_events.settings import SiteSettings
from richiamo_ingest.access import Access
from richiamo_ingest.door import Door, problem_answer
from richiamo_ingest.intake import Intake
from richiamo_ingest.kalliope.notification import Noted, read_notification
from richiamo_ingest.kalliope.records import MASKED
from richiamo_ingest.kalliope.routing import LARGEST_BODY, answer, read_routing
from richiamo_ingest.record_bodies import read_any
from richiamo_ingest.reports import LostReport, NotUnderstood, PutAside, ServedReport
from richiamo_ingest.site import Site
from richiamo_ingest.taking import Taking
from richiamo_kit import metrics, tracing
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem
from richiamo_kit.health import Health, live, measured
from richiamo_kit.traced_requests import Traced

_log = structlog.get_logger(__name__)
_PBX = re.compile(r"[A-Za-z0-9_-]{1,40}")
_BODY_KEPT = 64 * 1024
_EVENTS_NAMED = frozenset({"unservedcall", "servedcall", "end"})


class _TooLarge(NotUnderstood):
    """The body is larger than what is taken."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes need."""

    intake: Intake
    taking: Taking
    site: Site
    access: Access
    clock: Clock
    largest_records_body: int
    poll_alarm: Callable[[], str]
    """What is wrong with the poll for call records, with its remedy; empty when nothing is."""

    async def insert(self, request: Request) -> Response:
        """The dynamic routing: always 200 and XML that the PBX can read, but for wrong credentials."""
        received_at = self.clock.now()
        pbx = _pbx(request)
        body = b""
        settings = self.site.settings
        try:
            body = await _body(request, LARGEST_BODY)
            report = read_routing(body, request.query_params, pbx=_valid(pbx), received_at=received_at)
        except NotUnderstood as error:
            await self._refuse("routing", request, body, str(error), received_at)
            metrics.LOST_CALLS.labels(_label(pbx), "routing", "refused").inc()
            return _xml(answer(settings.refuse_value))
        return await self._keep_lost(report, "routing", settings, request, body)

    async def _keep_lost(
        self, report: LostReport, source: str, settings: SiteSettings, request: Request, body: bytes
    ) -> Response:
        try:
            outcome = (await self.intake.take([report]))[0]
        except OSError:
            _log.exception("report_not_kept", call=str(report.call))
            return Response(status_code=503)
        except Exception as error:
            # Whatever happened, the customer is on the line: a branch the PBX knows, and the report kept.
            _log.exception("report_not_written", call=str(report.call))
            await self._refuse(source, request, body, type(error).__name__, report.received_at)
            return _xml(answer(settings.refuse_value))
        _log.info("lost_call_received", source=source, call=str(report.call), queue=report.queue, result=outcome.value)
        metrics.LOST_CALLS.labels(report.call.pbx, source, outcome.value).inc()
        return _xml(answer(settings.accept_value))

    async def event(self, request: Request) -> Response:
        """An event notification: 200 whatever it says; what was not understood is put aside."""
        received_at = self.clock.now()
        pbx = _pbx(request)
        body = b""
        try:
            body = await _body(request, LARGEST_BODY)
            report = read_notification(body, request.query_params, pbx=_valid(pbx), received_at=received_at)
        except NotUnderstood as error:
            await self._refuse("event", request, body, str(error), received_at)
            metrics.NOTIFICATIONS.labels(_label(pbx), "refused").inc()
            return JSONResponse({"accepted": False, "reason": str(error)})
        if isinstance(report, Noted):
            name = report.event.lower().rpartition(".")[2]
            metrics.NOTIFICATIONS.labels(pbx, name if name in _EVENTS_NAMED else "other").inc()
            _log.info("notification_counted", name=report.event, pbx=pbx)
            return JSONResponse({"accepted": True, "event": report.event})
        outcome = (await self.intake.take([report]))[0]
        metrics.NOTIFICATIONS.labels(pbx, "servedcall" if isinstance(report, ServedReport) else "unservedcall").inc()
        _log.info("notification_received", kind=report.kind, call=str(report.call), result=outcome.value)
        return JSONResponse({"accepted": True, "result": outcome.value})

    async def records(self, request: Request) -> Response:
        """Call records: 202 with what was taken and what was refused, by index; a problem for an unreadable body."""
        received_at = self.clock.now()
        pbx = _pbx(request)
        body = b""
        try:
            body = await _body(request, self.largest_records_body)
            # In a thread: a customer on the line does not wait until a large body is read.
            reading = await asyncio.to_thread(
                read_any, body, request.query_params, pbx=_valid(pbx), settings=self.site.settings, at=received_at
            )
        except NotUnderstood as error:
            await self._refuse("cdr", request, body, str(error), received_at)
            status = 413 if isinstance(error, _TooLarge) else 400
            return problem_answer(Problem(status, "unreadable-body", "The call records could not be read", str(error)))
        taken = await self.taking.take(reading, pbx=pbx, received_at=received_at, query=request.url.query[:4000])
        refused = len(reading.refused)
        _log.info("records_received", pbx=pbx, new=taken.accepted, duplicates=taken.duplicates, refused=refused)
        return JSONResponse(
            {
                "accepted": taken.accepted,
                "duplicates": taken.duplicates,
                "refused": [{"index": one.index, "reason": one.reason} for one in reading.refused],
            },
            status_code=202,
        )

    async def _refuse(self, source: str, request: Request, body: bytes, reason: str, received_at: datetime) -> None:
        pbx = _label(_pbx(request))
        _log.warning("report_refused", source=source, pbx=pbx, reason=reason)
        metrics.QUARANTINED.labels(pbx, source).inc()
        report = PutAside(
            pbx=pbx,
            source=source,
            received_at=received_at,
            reason=reason,
            body=body[:_BODY_KEPT],
            content_type=request.headers.get("content-type", "")[:200],
            query=request.url.query[:4000],
        )
        await self.intake.take([report])


def make_app(edge: Edge, health: Health) -> FastAPI:
    """The application; it needs neither the log nor PostgreSQL to be there."""
    app = FastAPI(title="Richiamo: from the PBX", version="1", docs_url=None, redoc_url=None, redirect_slashes=False)

    if tracing.on():
        app.add_middleware(Traced)
    app.add_middleware(Door, access=edge.access)

    for path in ("/voipToCall/kalliopeToCall/insert/", "/voipToCall/kalliopeToCall/insert"):
        app.add_api_route(path, edge.insert, methods=["GET", "POST"], response_class=Response)
    for path in ("/pbx/kalliope/event", "/pbx/kalliope/event/"):
        app.add_api_route(path, edge.event, methods=["GET", "POST"])
    for path in ("/pbx/cdr", "/pbx/cdr/"):
        app.add_api_route(path, edge.records, methods=["POST"], status_code=202)

    @app.get("/healthz")
    async def healthz() -> Response:
        status, shown = live()
        return JSONResponse(shown, status_code=status)

    @app.get("/readyz")
    async def readyz() -> Response:
        status, shown = await health.ready()
        alarms = [MASKED] if edge.site.numbers_masked else []
        alarms += [alarm for alarm in (edge.poll_alarm(),) if alarm and alarm not in alarms]
        more = {"spooled": edge.intake.spool.entries, "alarms": alarms}
        return JSONResponse({**shown, **more}, status_code=status)

    @app.get("/metrics")
    async def metrics_page() -> Response:
        shown, kind = measured()
        return Response(shown, media_type=kind)

    return app


async def _body(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _TooLarge(f"The body is larger than {most // 1024} KiB.")
        parts.append(part)
    return b"".join(parts)


def _pbx(request: Request) -> str:
    return request.query_params.get("pbx", "") or "main"


def _valid(pbx: str) -> str:
    if not _PBX.fullmatch(pbx):
        raise NotUnderstood("The name of the PBX may hold letters, digits, - and _ only, at most 40.")
    return pbx


def _label(pbx: str) -> str:
    return pbx if _PBX.fullmatch(pbx) else "unnamed"


def _xml(body: bytes) -> Response:
    return Response(body, media_type="text/xml")
