# ruff: noqa: S608 - these statements are put together from constants of ours; nothing here is secret.
"""How does a test of speed get three years of calls? Straight into the tables of the facts, by SQL, closed history included.

Of N calls 40 % are answered, 40 % missed and 20 % recalls. Every request that was closed has two versions, the open
one and the closed one, as the projection leaves them; requests of the last days are partly still open.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from richiamo_reporting.code_caller.query import code_caller
from richiamo_reporting.daily.cells import NEVER, QUEUES, Cell
from richiamo_reporting.daily.query import Part
from richiamo_reporting.daily.tables import add
from richiamo_reporting.facts.projection import ReportingFacts
from richiamo_reporting.frame import AsOf, Frame, Period, Snapshot

YEARS = 3

# What the n-th request is like follows from n alone, so that every run measures the same rows.
_REQUESTS = """
CREATE TEMPORARY TABLE made AS
SELECT n, 'c' || hashint8(n) % {callers} AS caller, 'main:' || n AS request_id, 'Queue ' || n % 8 AS queue, opened_at,
    opened_at + make_interval(secs => 60 + abs(hashint8(n * 7)) % 86400) AS closing,
    CASE WHEN opened_at > now() - interval '2 days' AND n % 3 = 0 OR n % 500 = 0 THEN NULL
         WHEN n % 10 < 6 THEN 'recalled' WHEN n % 10 < 9 THEN 'served' ELSE 'flushed' END AS closed_by,
    n % 10 < 7 AS tried
FROM (
    SELECT n, date_trunc('second', now() - interval '{days} days' + n * (interval '{days} days' / {requests}))
        AS opened_at
    FROM generate_series(1, {requests}) AS n
) AS one
"""
_VERSIONS = """
INSERT INTO {schema}.request (caller, request_id, queue, type, called, source, account_code, opened_at, last_call,
    calls_at, tried_at, closed_at, closed_by, closing_call, talk_seconds, recorded_from, recorded_to)
SELECT caller, request_id, queue, 'queue', '050123', 'line', '', opened_at, opened_at, ARRAY[opened_at],
    CASE WHEN tried AND {closed} THEN ARRAY[closing - interval '20 seconds'] ELSE ARRAY[]::timestamptz[] END,
    CASE WHEN {closed} THEN closing END, CASE WHEN {closed} THEN closed_by END,
    CASE WHEN {closed} AND closed_by <> 'flushed' THEN 'main:r' || n END,
    CASE WHEN {closed} AND closed_by = 'recalled' THEN 30 + n % 300 END, {since}, {until}
FROM made WHERE closing < now() OR NOT {closed}
"""
_CALLS = (
    """
INSERT INTO {schema}.missed_call (caller, call_id, request_id, queue, type, called, source, account_code, called_at,
    waiting_seconds, recorded_from, recorded_to)
SELECT caller, request_id || CASE k WHEN 0 THEN '' ELSE '.' || k END, request_id, queue, 'queue', '050123', 'line', '',
    opened_at, 20, opened_at, 'infinity'
FROM made, generate_series(0, 1) AS k WHERE k = 0 OR n % 3 = 0
""",
    """
INSERT INTO {schema}.served_call (caller, call_id, queue, called_at, answered_at, talk_seconds, operator, extension,
    recorded_from, recorded_to)
SELECT 'c' || hashint8(n * 3) % {callers}, 'main:s' || n, 'Queue ' || n % 8, at, at + interval '8 seconds', 120, 'anna',
    '204', at + interval '2 minutes', 'infinity'
FROM (SELECT n, now() - interval '{days} days' + n * (interval '{days} days' / {served}) AS at
    FROM generate_series(1, {served}) AS n) AS one
""",
    """
INSERT INTO {schema}.recall (caller, call_id, started_at, answered_at, ended_at, talk_seconds, outcome, operator,
    extension, tried, closed, recorded_from, recorded_to)
SELECT caller, 'main:r' || n, closing - interval '20 seconds', closing, closing + interval '60 seconds', 60, 'reached',
    'anna', '204', ARRAY[request_id], ARRAY[request_id], closing, 'infinity'
FROM made WHERE tried AND closing < now()
""",
    "INSERT INTO {schema}.horizon (recorded_at) VALUES (now())",
)
# The sums as the projection would have left them; those of Code Caller come from its own answer of the facts.
_SUMS = (
    "INSERT INTO {schema}.daily_zone (zone, since) VALUES ('{zone}', '1970-01-01Z')",
    """
INSERT INTO {schema}.daily_requests
SELECT (opened_at AT TIME ZONE '{zone}')::date, coalesce((closed_at AT TIME ZONE '{zone}')::date, '{never}'),
    coalesce(closed_by, ''), coalesce((tried_at[1] AT TIME ZONE '{zone}')::date, '{never}'), queue, type, count(*)
FROM {schema}.request WHERE recorded_to = 'infinity' GROUP BY 1, 2, 3, 4, 5, 6
""",
    """
INSERT INTO {schema}.daily_changed
SELECT (at AT TIME ZONE '{zone}')::date AS day, max(changed_at) FROM (
    SELECT unnest(ARRAY[opened_at, closed_at]) AS at, recorded_from AS changed_at FROM {schema}.request
    UNION ALL SELECT called_at, recorded_from FROM {schema}.served_call
) AS each WHERE at IS NOT NULL GROUP BY day
""",
    """
INSERT INTO {schema}.daily_tried
SELECT (tried_at[1] AT TIME ZONE '{zone}')::date AS day, queue, type, count(*) FROM {schema}.request
WHERE recorded_to = 'infinity' AND (opened_at AT TIME ZONE '{zone}')::date < (tried_at[1] AT TIME ZONE '{zone}')::date
  AND (tried_at[1] AT TIME ZONE '{zone}')::date < coalesce((closed_at AT TIME ZONE '{zone}')::date, '{never}')
GROUP BY day, queue, type
""",
    """
INSERT INTO {schema}.daily_callers
SELECT day, stood, count(*) FROM (
    SELECT day, caller, jsonb_agg(jsonb_build_array(queue, outcome) ORDER BY closed_at DESC NULLS FIRST, queue) AS stood
    FROM (
        SELECT DISTINCT ON (day, caller, queue) day, caller, queue, closed_at, CASE closed_by WHEN 'recalled' THEN
            'called_back' WHEN 'served' THEN 'served' WHEN 'flushed' THEN 'closed' ELSE 'open' END AS outcome
        FROM {schema}.request, LATERAL (SELECT (opened_at AT TIME ZONE '{zone}')::date AS day) AS local
        WHERE recorded_to = 'infinity' ORDER BY day, caller, queue, closed_at DESC NULLS FIRST
    ) AS of_queue GROUP BY day, caller
) AS of_caller GROUP BY day, stood
""",
)


async def generate(connection: AsyncConnection, projection: ReportingFacts, calls: int, zone: ZoneInfo) -> None:
    """Tables of `calls` calls in the projection's schema, analysed; what was there is gone."""
    schema = projection.schema
    requests = max(1, int(calls * 0.3))
    numbers = {
        "schema": schema,
        "days": 365 * YEARS,
        "requests": requests,
        "served": max(1, int(calls * 0.4)),
        "callers": max(1, requests // 3),
    }
    await connection.set_autocommit(True)
    await _all(
        connection,
        [
            f"DROP SCHEMA IF EXISTS {schema} CASCADE",
            f"CREATE SCHEMA {schema}",
            f"CREATE TABLE {schema}.checkpoint (position bigint NOT NULL)",
            f"INSERT INTO {schema}.checkpoint VALUES (0)",
            *projection.ddl(),
            "SET synchronous_commit = off",
            _REQUESTS.format(**numbers),
            _VERSIONS.format(
                schema=schema,
                closed="false",
                since="opened_at",
                until="CASE WHEN closed_by IS NULL OR closing >= now() THEN 'infinity' ELSE closing END",
            ),
            _VERSIONS.format(
                schema=schema, closed="closed_by IS NOT NULL", since="closing", until="'infinity'::timestamptz"
            ).replace(
                "WHERE closing < now() OR NOT closed_by IS NOT NULL", "WHERE closing < now() AND closed_by IS NOT NULL"
            ),
            *(statement.format(**numbers) for statement in _CALLS),
            "DROP TABLE made",
            "VACUUM ANALYZE",
            *(statement.format(schema=schema, zone=zone.key, never=NEVER) for statement in _SUMS),
        ],
    )
    await _numbers(connection, projection, zone)
    await connection.execute("VACUUM ANALYZE")


async def _numbers(connection: AsyncConnection, projection: ReportingFacts, zone: ZoneInfo) -> None:
    """The sums of queues, month by month."""
    await connection.execute("SELECT set_config('search_path', %s, false)", (projection.schema,))
    last, now = datetime.now(UTC).date(), AsOf(datetime.now(UTC), True)
    for month in range(12 * YEARS + 2):
        ends = last - timedelta(days=31 * month)
        frame = Frame(Period(ends - timedelta(days=30), ends, zone, now))
        found: Counter[Cell] = Counter()
        for queue in (await code_caller(Snapshot(connection), [Part(frame, summed=False)]))["queues"]:
            for row in queue["days"]:
                day = date.fromisoformat(row.pop("day"))
                found.update({(QUEUES, (day, queue["queue"], figure)): n for figure, n in row.items()})
        await add(connection, projection.schema, found)


async def _all(connection: AsyncConnection, statements: Sequence[str]) -> None:
    for statement in statements:
        await connection.execute(statement.encode())
