"""Do the reports still agree with one another, now and over the year before? Checked again and again while running.

Every pass checks the last seven days and one older week, one further back each time, around a year. What does not
hold is a metric and one line in the log; `richiamo check` names the days and the requests at any time.
"""

import asyncio
from collections import Counter
from datetime import date, timedelta

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from richiamo_kit import metrics
from richiamo_reporting.questions import Question
from richiamo_reporting.reports import Reports

_EVERY_SECONDS = 60.0
_WEEKS = 52

IDENTITIES = ("D1", "D2", "D3", "D4", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "C1", "C2", "S")

_Place = tuple[str, str]
"""Identity and day; no day for a period as a whole."""

_log = structlog.get_logger(__name__)


class Reconciliation:
    """The weeks checked so far and what did not hold in each; 0 is the week that ends today."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._found: dict[int, Counter[_Place]] = {}
        self._older = 0

    async def run(self) -> None:
        """Check until cancelled. A database or view that is not there now is there for a later pass."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                await self.once()
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("reports_not_reconciled", reason=str(error).strip())

    async def once(self) -> None:
        """One pass: the newest week and the next older one; then the metrics say what is known of all."""
        today = (await self._reports.framed(Question()))[0].period.last
        self._older = self._older % _WEEKS + 1
        for week in (0, self._older):
            self._found[week] = await self._check(today - timedelta(days=7 * week), week)
        total: Counter[_Place] = Counter()
        for found in self._found.values():
            total.update(found)
        metrics.IDENTITY_BREACHES.clear()
        for identity in IDENTITIES:
            metrics.IDENTITY_BREACHES.labels(identity, "").set(total.pop((identity, ""), 0))
        for place, times in total.items():
            metrics.IDENTITY_BREACHES.labels(*place).set(times)
        metrics.RECONCILED.set(self._reports.now().timestamp())

    async def _check(self, last: date, week: int) -> Counter[_Place]:
        asked = Question.model_validate({"from": last - timedelta(days=6), "to": last})
        found: Counter[_Place] = Counter()
        for breach in (await self._reports.check(asked))["breaches"]:
            place = (breach["identity"].partition(" ")[0], breach["day"] or "")
            found[place] += 1
            if not self._found.get(week, Counter())[place]:
                _log.error("identity_does_not_hold", identity=breach["identity"], sentence=breach["sentence"])
        return found
