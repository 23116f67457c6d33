"""How is nothing lost that was received? Into the log at once, else into the spool, and from there in order.

Delivery: `take` returns only when the log acknowledged the reports or the spool has them on the disk. While
anything waits in the spool, what comes after waits behind it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from richiamo_ingest.reports import REPORTS, Outcome, PutAside
from richiamo_ingest.spool import AnyReport, Spool
from richiamo_ingest.writing import Writer
from richiamo_kit import tracing
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Unavailable

_log = structlog.get_logger(__name__)
_ANSWER_WITHIN = 1.2
"""Seconds: the PBX waits about two, with the customer on the line."""
_DRAIN_WITHIN = 20.0
_LONGEST_PAUSE = 1.0
_LOOK_AGAIN = 0.02


class Intake:
    """Takes reports; `writer` answers None while the log or the index cannot be reached."""

    def __init__(self, spool: Spool, writer: Callable[[], Writer | None], clock: Clock) -> None:
        self.spool = spool
        self._writer = writer
        self._clock = clock
        self._wake = asyncio.Event()
        self._writing: set[asyncio.Event] = set()

    async def settled(self, within: float) -> int:
        """Wait until what was taken so far is written; answers how many entries wait in the spool even then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                for done in tuple(self._writing):
                    await done.wait()
                while self.spool.entries:
                    await asyncio.sleep(_LOOK_AGAIN)
        return self.spool.entries

    async def take(self, reports: Sequence[AnyReport], *, within: float = _ANSWER_WITHIN) -> list[Outcome]:
        """Keep the reports for certain and answer what happened to each. Raises OSError when the disk is full."""
        done = asyncio.Event()
        self._writing.add(done)
        try:
            writer = self._writer()
            if writer is not None and not self.spool.entries:
                try:
                    async with asyncio.timeout(within):
                        return await writer.write(reports)
                except (Unavailable, TimeoutError) as error:
                    _log.warning("reports_spooled", reports=len(reports), reason=str(error) or type(error).__name__)
                except Exception:
                    # The PBX reports a lost call once: what cannot be written is kept, and put aside by `drain`.
                    _log.exception("reports_spooled_after_a_fault", reports=len(reports))
            await self.spool.append(reports)
        finally:
            self._writing.discard(done)
            done.set()
        self._wake.set()
        return [Outcome.SPOOLED] * len(reports)

    async def drain(self) -> None:
        """Bring what waits into the log, for ever, in order."""
        pause = 0.1
        while True:
            self._wake.clear()
            if not self.spool.entries:
                await self._wake.wait()
                continue
            try:
                await self._drain_some()
                pause = 0.1
            except (Unavailable, TimeoutError) as error:
                _log.info("spool_waits", entries=self.spool.entries, reason=str(error) or type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)

    async def _drain_some(self) -> None:
        writer = self._writer()
        if writer is None:
            raise Unavailable("not connected")
        taken = await self.spool.oldest()
        if taken is None:
            return
        with tracing.entrance("drain spool"):
            for reports in taken.entries:
                await self._drain_one(writer, reports)
        await self.spool.done(taken)
        _log.info("spool_drained", entries=len(taken.entries), left=self.spool.entries)

    async def _drain_one(self, writer: Writer, reports: Sequence[AnyReport]) -> None:
        try:
            async with asyncio.timeout(_DRAIN_WITHIN):
                await writer.write(reports)
        except (Unavailable, TimeoutError):
            raise
        except Exception:
            # One report that can never be written must not hold back those behind it.
            _log.exception("spooled_reports_fail", reports=len(reports))
            await self._one_by_one(writer, reports)

    async def _one_by_one(self, writer: Writer, reports: Sequence[AnyReport]) -> None:
        for report in reports:
            try:
                await writer.write([report])
            except (Unavailable, TimeoutError):
                raise
            except Exception as error:
                _log.exception("spooled_report_put_aside")
                await writer.raw.put_aside(self.put_aside_of(report, f"{type(error).__name__} while writing it"))

    def put_aside_of(self, report: AnyReport, reason: str) -> PutAside:
        """A report that was understood but could not be written, kept for a person."""
        pbx = report.pbx if isinstance(report, PutAside) else report.call.pbx
        return PutAside(
            pbx=pbx,
            source="spool",
            received_at=report.received_at,
            reason=reason,
            body=REPORTS.dump_json([report]),
            content_type="application/json",
        )
