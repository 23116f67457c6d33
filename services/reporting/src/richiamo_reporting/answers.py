"""Which question comes in under which subject? The reports by request and reply."""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from faststream.nats import NatsBroker
from psycopg_pool import PoolTimeout

from richiamo_kit import metrics
from richiamo_kit.errors import Unavailable
from richiamo_kit.messaging import answering
from richiamo_reporting.audit.query import Audit, AuditQuestion
from richiamo_reporting.questions import BehindQuestion, Question, WorkbookQuestion, read
from richiamo_reporting.reports import Reports
from richiamo_reporting.workbook_jobs import WorkbookJobs

Payload = dict[str, Any]
Handler = Callable[[Payload], Awaitable[Payload]]

GROUP = "reporting"
ROOT = "richiamo.reporting"


def declare(broker: NatsBroker, reports: Reports, audit: Audit, jobs: WorkbookJobs) -> None:
    """Declare every subject of the service on the broker."""

    async def dashboard(payload: Payload) -> Payload:
        return await _with_restated(reports, reports.dashboard, payload)

    async def day(payload: Payload) -> Payload:
        return await _with_restated(reports, reports.day, payload)

    async def code_caller(payload: Payload) -> Payload:
        return await _with_restated(reports, reports.code_caller, payload)

    async def historical(payload: Payload) -> Payload:
        return await _with_restated(reports, reports.historical, payload)

    async def requests(payload: Payload) -> Payload:
        return await reports.requests(read(BehindQuestion, payload))

    async def check(payload: Payload) -> Payload:
        return await reports.check(read(Question, payload))

    async def checked(payload: Payload) -> Payload:
        """`{"faults": n, "ended": seconds}`: what a nightly check found, for whoever watches."""
        metrics.CHECK_FAULTS.set(float(payload["faults"]))
        metrics.CHECK_ENDED.set(float(payload["ended"]))
        return {}

    async def entries(payload: Payload) -> Payload:
        return await audit.entries(read(AuditQuestion, payload))

    async def entries_as_workbook(payload: Payload) -> Payload:
        from richiamo_reporting.audit.workbook import audit_workbook  # noqa: PLC0415 -- As below.

        return await audit_workbook(audit, read(AuditQuestion, payload))

    async def as_workbook(payload: Payload) -> Payload:
        # openpyxl brings numpy along: half a second less until the service is back after its death.
        from richiamo_reporting.workbook import workbook  # noqa: PLC0415 -- See above.

        return await workbook(reports, read(WorkbookQuestion, payload))

    asked: dict[str, Handler] = {
        "dashboard": dashboard,
        "day": day,
        "code_caller": code_caller,
        "historical": historical,
        "requests": requests,
        "workbook": as_workbook,
        "begin_workbook": jobs.begin,
        "check": check,
        "checked": checked,
        "audit": entries,
        "audit_workbook": entries_as_workbook,
    }
    for name, handler in asked.items():
        answering(broker, f"{ROOT}.{name}", queue=GROUP)(_patient(handler))
    # A job is known to the instance that began it, and to no other.
    of_jobs: dict[str, Handler] = {"state": jobs.state, "part": jobs.part, "remove": jobs.remove}
    for name, handler in of_jobs.items():
        subject = f"{ROOT}.workbooks.{jobs.instance}.{name}"
        answering(broker, subject, queue=f"{GROUP}-{jobs.instance}")(_patient(handler))


async def _with_restated(
    reports: Reports, answer: Callable[[Question], Awaitable[Payload]], payload: Payload
) -> Payload:
    asked = read(Question, payload)
    return {**await answer(asked), "restated": await reports.restated(asked)}


def _patient(handler: Handler) -> Handler:
    """A database that is away is no fault of the question: it can be asked again."""

    async def patient(payload: Payload) -> Payload:
        try:
            return await handler(payload)
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable, PoolTimeout) as error:
            raise Unavailable(f"the view cannot be read: {error}") from error

    return patient
