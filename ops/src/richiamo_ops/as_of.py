"""How did a report or the worklist look at a past instant? Asked of the services, printed as JSON."""

import asyncio
import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from richiamo_kit.errors import Problem
from richiamo_ops.asking import asking
from richiamo_ops.site import instant, reached

_REPORTS = {
    "dashboard": "richiamo.reporting.dashboard",
    "day": "richiamo.reporting.day",
    "code-caller": "richiamo.reporting.code_caller",
    "historical": "richiamo.reporting.historical",
    "worklist": "richiamo.queue.requests",
}


def as_of(
    when: str,
    report: str,
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    queue: tuple[str, ...] = (),
) -> int:
    """Print a report, or the worklist, as it was at an instant: only what had been recorded by then counts.

    Example: richiamo as-of 2026-03-02T18:00 dashboard --from 2026-03-01 --to 2026-03-02

    Parameters
    ----------
    when
        The instant, ISO 8601; without offset it is one of the site's zone.
    report
        dashboard, day, code-caller, historical or worklist.
    from_
        First day; without it the day of the instant.
    to
        Last day; without it the day of the instant.
    queue
        Only these queues.
    """
    if report not in _REPORTS:
        raise Problem(400, "no-such-report", f"There is no report {report}: it is one of {', '.join(_REPORTS)}.")
    return asyncio.run(_as_of(when, report, from_, to, queue))


async def _as_of(when: str, report: str, from_: str | None, to: str | None, queues: tuple[str, ...]) -> int:
    async with reached("as-of") as site, asking(site) as ask:
        at = instant(when, site.defaults)
        day = at.astimezone(site.defaults.zone).date().isoformat()
        question: dict[str, Any] = {"as_of": at.isoformat(), "queue": list(queues)}
        if report == "worklist":
            question |= {"view": "all", "limit": 1000}
        elif report == "day":
            question |= {"day": from_ or day}
        else:
            question |= {"from": from_ or day, "to": to or day}
        answer = await ask(_REPORTS[report], question)
    json.dump(answer, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0
