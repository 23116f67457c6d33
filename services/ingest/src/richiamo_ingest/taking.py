"""What becomes of the call records of one body? Written, put aside, counted: the same for push and poll."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from richiamo_ingest.intake import Intake
from richiamo_ingest.kalliope.records import MASKED, Reading, Refusal
from richiamo_ingest.reports import Outcome, PutAside, RecordReport
from richiamo_ingest.site import Site
from richiamo_ingest.spool import AnyReport
from richiamo_kit import metrics

_log = structlog.get_logger(__name__)
_AT_ONCE = 500
_WITHIN = 10.0
_ONE_WITHIN = 1.2
_BODY_KEPT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """How many calls were new or changed, how many known as they are."""

    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes what was read of a body."""

    intake: Intake
    site: Site

    async def take(self, reading: Reading, *, pbx: str, received_at: datetime, query: str = "") -> Taken:
        """Keep all of it for certain; `query` is how to read refused rows again. Raises OSError when neither the log nor the disk takes it."""
        reports = [RecordReport(record=record) for record in reading.records]
        outcomes: list[Outcome] = []
        for start in range(0, len(reports), _AT_ONCE):
            part = reports[start : start + _AT_ONCE]
            outcomes.extend(await self.intake.take(part, within=_WITHIN if len(part) > 1 else _ONE_WITHIN))
        await self._put_aside(pbx, reading.refused, received_at, query)
        if reading.masked or reports:
            self.site.numbers_masked = reading.masked > 0
            metrics.NUMBERS_MASKED.labels(pbx).set(reading.masked > 0)
        duplicates = outcomes.count(Outcome.DUPLICATE)
        metrics.CALL_RECORDS.labels(pbx, "accepted").inc(len(outcomes) - duplicates)
        metrics.CALL_RECORDS.labels(pbx, "duplicate").inc(duplicates)
        metrics.CALL_RECORDS.labels(pbx, "refused").inc(len(reading.refused))
        return Taken(len(outcomes) - duplicates, duplicates)

    async def _put_aside(self, pbx: str, refused: Sequence[Refusal], received_at: datetime, query: str) -> None:
        kept: list[AnyReport] = [
            PutAside(
                pbx=pbx,
                source="cdr",
                received_at=received_at,
                reason=one.reason,
                body=(one.text or json.dumps([one.row], default=str)).encode()[:_BODY_KEPT],
                content_type="text/plain" if one.text else "application/json",
                query=query,
            )
            for one in refused
            if one.reason != MASKED
        ]
        for one in refused:
            metrics.QUARANTINED.labels(pbx, "masked" if one.reason == MASKED else "record").inc()
        if any(one.reason == MASKED for one in refused):
            _log.error("numbers_are_masked", pbx=pbx, remedy=MASKED)
        for start in range(0, len(kept), _AT_ONCE):
            await self.intake.take(kept[start : start + _AT_ONCE], within=_WITHIN)
