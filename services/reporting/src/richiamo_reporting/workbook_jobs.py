"""How is a workbook made that takes its time? As a job: begun, asked how far it is, fetched part by part, and gone.

A job lives in the instance that began it and ends with it; its id names the instance, so that questions find it. The
file lies in a folder that only this service may read, for an hour at most, and goes at once when a customer is erased:
it may hold the number. Who fetches it has to have the rights under which it was made.
"""

import asyncio
import base64
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import structlog
from psycopg import sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import BaseModel, ConfigDict, Field

from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem, Unavailable
from richiamo_reporting.audit.projection import SCHEMA as AUDIT
from richiamo_reporting.questions import BehindQuestion, User, WorkbookQuestion, read
from richiamo_reporting.reports import Reports

PART = 1_000_000
"""Bytes of one part: with what carries it far below the 8 MB of a message."""
_KEPT = timedelta(hours=1)
_OF_ONE_USER = 5
_AT_ONCE = 2
_SWEEP_SECONDS = 30.0

_log = structlog.get_logger(__name__)

Answer = dict[str, Any]


class JobQuestion(BaseModel):
    """About one job; `offset` in bytes, of the part that is asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: User
    workbook_id: str
    offset: int = Field(default=0, ge=0)


class _Ended(Exception):
    """Nobody wants the workbook any more."""


@dataclass(slots=True)
class _Job:
    id: str
    asked: WorkbookQuestion
    file: Path
    begun_at: datetime
    expires_at: datetime
    state: str = "waiting"
    rows: int | None = None
    done: int = 0
    name: str = ""
    size: int | None = None
    problem: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    ended: bool = False

    def told(self, done: int, rows: int) -> None:
        """Raises `_Ended` when nobody wants it any more: rows are given up between two, never in one."""
        self.done, self.rows = done, rows
        if self.ended:
            raise _Ended

    def answer(self) -> Answer:
        return {
            "workbook_id": self.id,
            "state": self.state,
            "report": self.asked.report,
            "figure": self.asked.figure,
            "rows": self.rows,
            "done": self.done,
            "name": self.name or None,
            "size": self.size,
            "problem": self.problem or None,
            "expires_at": self.expires_at.isoformat(),
        }


class WorkbookJobs:
    """The jobs of one instance, in a folder of its own below `folder`."""

    def __init__(self, reports: Reports, pool: AsyncConnectionPool, clock: Clock, folder: Path) -> None:
        self.instance = uuid4().hex[:8]
        self._reports = reports
        self._pool = pool
        self._clock = clock
        self._folder = folder / self.instance
        self._jobs: dict[str, _Job] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def begin(self, payload: Answer) -> Answer:
        """Begin a workbook; how it stands. Refuses what cannot be asked, and a sixth of one user."""
        asked = read(WorkbookQuestion, payload)
        _must_supervise(asked.user)
        asked.span(self._clock.now().date())
        if asked.figure is not None:
            self._reports.condition(read(BehindQuestion, payload))
        await self.sweep()
        theirs = [job for job in self._jobs.values() if job.asked.user.username == asked.user.username]
        if len(theirs) >= _OF_ONE_USER:
            raise Problem(
                429, "too-many-workbooks", "There are as many workbooks as one user may have", "Remove one, or wait."
            )
        self._make_room()
        now = self._clock.now()
        job_id = f"{self.instance}-{uuid4().hex}"
        job = _Job(job_id, asked, self._folder / f"{job_id}.xlsx", now, now + _KEPT)
        self._jobs[job_id] = job
        job.task = asyncio.create_task(self._make(job, payload), name=f"workbook {job_id}")
        return job.answer()

    async def state(self, payload: Answer) -> Answer:
        """How a job stands: waiting, making, ready or failed."""
        return (await self._job(read_job(payload))).answer()

    async def part(self, payload: Answer) -> Answer:
        """`{"name", "size", "content", "next"}`: a part of the file in base64, and where the next one begins."""
        asked = read_job(payload)
        job = await self._job(asked)
        if job.state != "ready" or job.size is None:
            raise Problem(
                409, "workbook-not-ready", "The workbook is not ready", "Ask how it stands and fetch it then."
            )
        content = await asyncio.to_thread(_read, job.file, asked.offset)
        end = asked.offset + len(content)
        return {
            "name": job.name,
            "size": job.size,
            "content": base64.b64encode(content).decode(),
            "next": end if content and end < job.size else None,
        }

    async def remove(self, payload: Answer) -> Answer:
        """End a job, whatever it does, and remove its file."""
        await self._end([await self._job(read_job(payload))])
        return {}

    async def run(self) -> None:
        """Remove what has expired until cancelled; then everything."""
        try:
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                try:
                    await self.sweep()
                except (psycopg.Error, PoolTimeout) as error:
                    _log.warning("workbooks_not_swept", reason=str(error).strip())
        finally:
            tempfile.tempdir = None
            await self._end(list(self._jobs.values()))
            shutil.rmtree(self._folder, ignore_errors=True)

    async def sweep(self) -> None:
        """Remove the jobs that have expired, and those begun before a customer was erased."""
        now, erased_at = self._clock.now(), await self._last_erasure()
        await self._end(
            [
                job
                for job in self._jobs.values()
                if job.expires_at <= now or (erased_at is not None and job.begun_at <= erased_at)
            ]
        )
        await asyncio.to_thread(_remove_what_was_left, self._folder, (now - _KEPT).timestamp())

    def _make_room(self) -> None:
        """The folder. openpyxl keeps its rows in a temporary file until the end: there too, as it may hold numbers."""
        try:
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(f"no workbook can be kept: {error}") from error
        tempfile.tempdir = str(self._folder)

    async def _last_erasure(self) -> datetime | None:
        async with self._pool.connection() as connection:
            found = await connection.execute(
                sql.SQL("SELECT max(recorded_at) FROM {} WHERE kind = 'caller_erased'").format(
                    sql.Identifier(AUDIT, "entry")
                )
            )
            row = await found.fetchone()
        return row[0] if row else None

    async def _job(self, asked: JobQuestion) -> _Job:
        """The job, if it is the user's own and they may still see what they could see when it began."""
        await self.sweep()
        job = self._jobs.get(asked.workbook_id)
        if job is None or job.asked.user.username != asked.user.username:
            raise Problem(404, "not-found", "There is no such workbook", "It may have expired: make it again.")
        _must_supervise(asked.user)
        then, now = job.asked.user, asked.user
        fewer = bool(now.queues) and not (then.queues and set(then.queues) <= set(now.queues))
        if fewer or (now.masked and not then.masked):
            raise Problem(403, "rights-changed", "Your rights have changed", "Make the workbook again.")
        return job

    async def _make(self, job: _Job, payload: Answer) -> None:
        # openpyxl brings numpy along: half a second less until the service is back after its death.
        from richiamo_reporting.behind.workbook import write_requests  # noqa: PLC0415 -- See above.
        from richiamo_reporting.workbook import write  # noqa: PLC0415 -- See above.

        try:
            async with self._room:
                job.told(0, 0)
                job.state, job.rows = "making", None
                with job.file.open("xb") as out:
                    if job.asked.figure is None:
                        job.name = await write(self._reports, job.asked, out)
                    else:
                        behind = read(BehindQuestion, {**payload, "limit": None, "after": None})
                        job.name = await write_requests(self._reports, job.asked, behind, out, job.told)
            job.size = job.file.stat().st_size
            job.state = "ready"
        except _Ended:
            return
        except Problem as refused:
            job.state, job.problem = "failed", refused.detail or refused.title
        except (psycopg.Error, PoolTimeout, Unavailable, OSError) as error:
            _log.warning("workbook_not_made", workbook=job.id, reason=str(error).strip())
            job.state, job.problem = "failed", "The workbook could not be made. Try again in a moment."
        except Exception:
            _log.exception("workbook_not_made", workbook=job.id)
            job.state, job.problem = "failed", "This went wrong inside Richiamo"

    async def _end(self, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            self._jobs.pop(job.id, None)
            job.ended = True
            if job.task is not None:
                if job.state == "waiting":
                    job.task.cancel()
                await asyncio.gather(job.task, return_exceptions=True)
            job.file.unlink(missing_ok=True)


def read_job(payload: Answer) -> JobQuestion:
    return JobQuestion.model_validate(payload)


def _must_supervise(user: User) -> None:
    if user.role not in {"supervisor", "admin"}:
        raise Problem(403, "forbidden", "You may not do this", "Only a supervisor can do this.")


def _remove_what_was_left(own: Path, before: float) -> None:
    """Folders of instances that died: nothing came or went there since all that they held has expired."""
    for folder in own.parent.glob("*/"):
        if folder != own and folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def _read(file: Path, offset: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(offset)
        return opened.read(PART)
