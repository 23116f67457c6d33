"""Which of these days are restated: when, by how much and because of which record?"""

from typing import Any

from richiamo_reporting.frame import Frame, Snapshot
from richiamo_reporting.restated.changes import FIGURES

_ENTRIES = (
    """
SELECT day, entry_at, min(first_at) AS first_at, max(last_at) AS last_at, sum(changes)::int AS changes,
    (array_agg(kind ORDER BY first_at))[1] AS kind, (array_agg(record ORDER BY first_at))[1] AS record,
"""
    + ", ".join(f"sum({figure})::int AS {figure}" for figure in FIGURES)
    + """
FROM restatement
WHERE day BETWEEN %(first)s AND %(last)s AND first_at <= %(recorded)s
  AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
  AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[]))
GROUP BY day, entry_at
ORDER BY day, entry_at
"""
)


async def restated(view: Snapshot, frame: Frame) -> list[dict[str, Any]]:
    """The restated days, ascending: `{"day", "entries": [{"first_at", "last_at", "changes", "kind", "record", "by"}]}`.

    `kind` and `record` are those of the entry's first record; `by` holds what each figure grew or shrank by. An
    entry whose changes cancel one another is left out.
    """
    period = frame.period
    days: dict[str, list[dict[str, Any]]] = {}
    for row in await view.all(_ENTRIES, frame.parameters()):
        by = {name: row[name] for name in FIGURES if row[name]}
        if by:
            days.setdefault(row["day"].isoformat(), []).append(
                {
                    "first_at": row["first_at"].astimezone(period.zone).isoformat(),
                    "last_at": row["last_at"].astimezone(period.zone).isoformat(),
                    "changes": row["changes"],
                    "kind": row["kind"],
                    "record": row["record"],
                    "by": by,
                }
            )
    return [{"day": day, "entries": entries} for day, entries in days.items()]
