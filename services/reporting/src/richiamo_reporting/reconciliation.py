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

_log = structlog.get_logger(__name__)


class Reconciliation:
    """The weeks checked so far and what did not hold in each; 0 is the week that ends today."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._found: dict[int, Counter[str]] = {}
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
        total: Counter[str] = Counter()
        for found in self._found.values():
            total.update(found)
        for identity in {name for name, _ in _shown()} | set(total):
            metrics.IDENTITY_BREACHES.labels(identity).set(total[identity])
        metrics.RECONCILED.set(self._reports.now().timestamp())

    async def _check(self, last: date, week: int) -> Counter[str]:
        asked = Question.model_validate({"from": last - timedelta(days=6), "to": last})
        found: Counter[str] = Counter()
        for breach in (await self._reports.check(asked))["breaches"]:
            found[breach["identity"].partition(" ")[0]] += 1
            if breach["sentence"] and not self._found.get(week, Counter())[breach["identity"].partition(" ")[0]]:
                _log.error("identity_does_not_hold", identity=breach["identity"], sentence=breach["sentence"])
        return found


def _shown() -> list[tuple[str, float]]:
    """Identities that the metric has a value for, so that one that holds again goes back to 0."""
    [family] = metrics.IDENTITY_BREACHES.collect()
    return [(sample.labels["identity"], sample.value) for sample in family.samples]
