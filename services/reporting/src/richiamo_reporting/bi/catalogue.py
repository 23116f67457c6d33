# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""Which views does an analyst find, and what does each column mean?

`{facts}` stands for the schema of the facts, `{zone}` for the site's zone until a setting changes it. Every
view shows the newest versions only. No view holds a phone number.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    name: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    """Name and meaning, in the order of the query."""
    query: str


_ZONE = """coalesce((SELECT changed->>'timezone' FROM {facts}.site_settings
    WHERE changed ? 'timezone' ORDER BY position DESC LIMIT 1), '{zone}')"""
_NOW = "recorded_to = 'infinity'"


def _local(instant: str) -> str:
    return f"({instant} AT TIME ZONE {_ZONE})"


def _clock(instant: str) -> str:
    return f"(extract(hour FROM {_local(instant)})::int * 60 + extract(minute FROM {_local(instant)})::int)"


_AS_NUMBERS = """coalesce((SELECT (changed->>'operators_as_numbers')::boolean FROM {facts}.site_settings
    WHERE changed ? 'operators_as_numbers' ORDER BY position DESC LIMIT 1), false)"""


def _person(username: str) -> str:
    """The username; while the site shows operators as numbers, the number."""
    number = f"(SELECT 'Op. ' || known.number FROM {{facts}}.operator AS known WHERE known.username = {username})"
    return f"(CASE WHEN {_AS_NUMBERS} THEN {number} ELSE {username} END)"


def _unless_numbers(column: str) -> str:
    """What tells a person like the username does; empty while the site shows operators as numbers."""
    return f"(CASE WHEN {_AS_NUMBERS} THEN '' ELSE {column} END)"


_CALLER = ("caller_id", "The caller's opaque id (dim_caller); null when the number was withheld.")
_OF_QUEUE = ("queue", "Name of the queue (dim_queue).")

FACT_MISSED_CALL = View(
    "fact_missed_call",
    "One row a missed call: a call that a queue lost, withheld numbers included.",
    (
        ("call_id", "The call: name of the PBX, a colon, its unique_id."),
        _CALLER,
        ("request_id", "The request it belongs to (fact_request); null when the number was withheld."),
        _OF_QUEUE,
        ("type", "Type of the call: queue, checktime, ..."),
        ("called_number", "The number that the customer dialled."),
        ("source", "The line on which the call came in."),
        ("account_code", "Account code of the call's record."),
        ("called_at", "When the call began, UTC."),
        ("local_date", "The site day on which it began (dim_date)."),
        ("time_of_day", "Minute of the site's day at which it began, 0 to 1439 (dim_time_of_day)."),
        ("waiting_seconds", "How long the customer waited, where the PBX says."),
        ("recorded_at", "When this was recorded, UTC."),
    ),
    f"""SELECT call_id, nullif(caller, ''), request_id, queue, type, called, source, account_code, called_at,
    {_local("called_at")}::date, {_clock("called_at")}, waiting_seconds, recorded_from
    FROM {{facts}}.missed_call WHERE {_NOW}""",
)
FACT_REQUEST = View(
    "fact_request",
    "One row a request: an episode of missed calls of one caller on one queue, from its first call to its closing.",
    (
        ("request_id", "The request: the id of its first call."),
        ("caller_id", "The caller's opaque id (dim_caller)."),
        _OF_QUEUE,
        ("type", "Type of its first call."),
        ("opened_at", "Its first missed call, UTC."),
        ("opened_date", "The site day on which it was opened (dim_date)."),
        ("opened_time_of_day", "Minute of the site's day at which it was opened, 0 to 1439 (dim_time_of_day)."),
        ("last_call_at", "Its last missed call, UTC."),
        ("calls", "Missed calls of the request."),
        ("recalls_tried", "Recalls tried while it was open."),
        ("first_recall_at", "Start of the first recall tried, UTC; null when none was."),
        ("closed_at", "When it was closed: the answer of the recall or of the served call, or the flush, UTC."),
        ("closed_date", "The site day on which it was closed (dim_date)."),
        ("closed_by", "served, recalled, flushed, aged or erased; null while open."),
        (
            "outcome",
            "As of now: served, recalled, flushed (also by age or erasure), unanswered (open, a recall was tried) or unhandled.",
        ),
        ("closing_call_id", "The call that closed it."),
        ("talk_seconds", "Talk of the recall that closed it."),
        ("seconds_to_recall", "From the first missed call to the answer of the successful recall."),
        ("recorded_at", "When this was recorded, UTC."),
    ),
    f"""SELECT request_id, caller, queue, type, opened_at, {_local("opened_at")}::date, {_clock("opened_at")},
    last_call, cardinality(calls_at), cardinality(tried_at), tried_at[1], closed_at, {_local("closed_at")}::date,
    closed_by,
    CASE WHEN closed_by IN ('aged', 'erased') THEN 'flushed' WHEN closed_by IS NOT NULL THEN closed_by
         WHEN cardinality(tried_at) > 0 THEN 'unanswered' ELSE 'unhandled' END,
    closing_call, talk_seconds,
    CASE WHEN closed_by = 'recalled' THEN extract(epoch FROM closed_at - opened_at) END, recorded_from
    FROM {{facts}}.request WHERE {_NOW}""",
)
FACT_RECALL = View(
    "fact_recall",
    "One row a recall: a call to a customer that was tried for, or closed, at least one request.",
    (
        ("call_id", "The call: name of the PBX, a colon, its unique_id."),
        ("caller_id", "The caller's opaque id (dim_caller)."),
        ("operator", "Username of the operator, or their number (dim_operator); null when unknown."),
        ("extension", "Extension that called."),
        ("started_at", "When it was tried, UTC."),
        ("local_date", "The site day on which it was tried (dim_date)."),
        ("time_of_day", "Minute of the site's day at which it was tried, 0 to 1439 (dim_time_of_day)."),
        ("answered_at", "When it was answered, UTC; null when it was not."),
        ("ended_at", "When it ended, UTC."),
        ("talk_seconds", "Seconds of talk."),
        ("outcome", "reached, no_answer, busy, failed, unavailable or short_talk."),
        ("requests_tried", "Requests open at its start."),
        ("requests_closed", "Requests that it closed."),
        ("recorded_at", "When this was recorded, UTC."),
    ),
    f"""SELECT call_id, caller, {_person("operator")}, {_unless_numbers("extension")}, started_at, {_local("started_at")}::date,
    {_clock("started_at")}, answered_at, ended_at, talk_seconds, outcome, cardinality(tried), cardinality(closed),
    recorded_from
    FROM {{facts}}.recall WHERE {_NOW}""",
)
FACT_SERVED_CALL = View(
    "fact_served_call",
    "One row an inbound call that a person answered and that waited in no queue after, withheld numbers included.",
    (
        ("call_id", "The call: name of the PBX, a colon, its unique_id."),
        _CALLER,
        ("queue", "The queue on which it was answered (dim_queue); null when on none."),
        ("operator", "Username of the operator, or their number (dim_operator); null when unknown."),
        ("extension", "Extension that answered."),
        ("called_at", "When the call began, UTC."),
        ("local_date", "The site day on which it began (dim_date)."),
        ("time_of_day", "Minute of the site's day at which it began, 0 to 1439 (dim_time_of_day)."),
        ("answered_at", "When a person answered, UTC."),
        ("talk_seconds", "Seconds of talk."),
        ("recorded_at", "When this was recorded, UTC."),
    ),
    f"""SELECT call_id, nullif(caller, ''), queue, {_person("operator")}, {_unless_numbers("extension")}, called_at, {_local("called_at")}::date,
    {_clock("called_at")}, answered_at, talk_seconds, recorded_from
    FROM {{facts}}.served_call WHERE {_NOW}""",
)
FACT_QUEUE_DAY = View(
    "fact_queue_day",
    "One row a queue and site day on which it had a call: calls and requests counted.",
    (
        _OF_QUEUE,
        ("local_date", "The site day (dim_date)."),
        ("answered_calls", "Inbound calls that an operator answered on that queue, by their start."),
        ("missed_calls", "Missed calls of that queue, withheld included, by their start."),
        ("requests_opened", "Requests opened on that day on that queue."),
        ("requests_closed", "Requests of that queue closed on that day."),
    ),
    """SELECT queue, local_date, sum(answered)::bigint, sum(missed)::bigint, sum(opened)::bigint, sum(closed)::bigint
    FROM (
        SELECT queue, local_date, 1 AS answered, 0 AS missed, 0 AS opened, 0 AS closed
        FROM bi.fact_served_call WHERE queue IS NOT NULL
        UNION ALL SELECT queue, local_date, 0, 1, 0, 0 FROM bi.fact_missed_call
        UNION ALL SELECT queue, opened_date, 0, 0, 1, 0 FROM bi.fact_request
        UNION ALL SELECT queue, closed_date, 0, 0, 0, 1 FROM bi.fact_request WHERE closed_date IS NOT NULL
    ) AS happening GROUP BY queue, local_date""",
)
DIM_DATE = View(
    "dim_date",
    "One row a site day, from the first call known to a year from now.",
    (
        ("local_date", "The site day."),
        ("year", "Year."),
        ("quarter", "Quarter, 1 to 4."),
        ("month", "Month, 1 to 12."),
        ("day", "Day of the month."),
        ("iso_week", "Week by ISO 8601."),
        ("iso_weekday", "Day of the week, 1 Monday to 7 Sunday."),
        ("starts_at", "00:00 of the day, UTC."),
        ("ends_at", "00:00 of the next day, UTC; days are 23 and 25 hours long twice a year."),
    ),
    f"""SELECT day::date, extract(year FROM day)::int, extract(quarter FROM day)::int, extract(month FROM day)::int,
    extract(day FROM day)::int, extract(week FROM day)::int, extract(isodow FROM day)::int,
    day AT TIME ZONE {_ZONE}, (day + interval '1 day') AT TIME ZONE {_ZONE}
    FROM generate_series(
        (SELECT least(min(called_at), now()) AT TIME ZONE {_ZONE} FROM (
            SELECT min(called_at) AS called_at FROM {{facts}}.missed_call
            UNION ALL SELECT min(called_at) FROM {{facts}}.served_call) AS first)::date::timestamp,
        (now() AT TIME ZONE {_ZONE})::date + interval '1 year', interval '1 day') AS day""",
)
DIM_TIME_OF_DAY = View(
    "dim_time_of_day",
    "One row a minute of the day.",
    (
        ("time_of_day", "Minute of the day, 0 to 1439."),
        ("hour", "Hour, 0 to 23."),
        ("minute", "Minute of the hour, 0 to 59."),
        ("clock", "As HH:MM."),
    ),
    """SELECT minute, minute / 60, minute % 60, to_char(make_time(minute / 60, minute % 60, 0), 'HH24:MI')
    FROM generate_series(0, 1439) AS minute""",
)
DIM_QUEUE = View(
    "dim_queue",
    "One row a queue that had a call.",
    (
        _OF_QUEUE,
        ("first_call_at", "Its first call known, UTC."),
        ("last_call_at", "Its last call known, UTC."),
    ),
    """SELECT queue, min(called_at), max(called_at) FROM (
        SELECT queue, called_at FROM bi.fact_missed_call
        UNION ALL SELECT queue, called_at FROM bi.fact_served_call WHERE queue IS NOT NULL
    ) AS call GROUP BY queue""",
)
DIM_OPERATOR = View(
    "dim_operator",
    "One row a user of Richiamo.",
    (
        ("operator", "Username; a number, such as Op. 3, while the setting operators_as_numbers is on."),
        ("name", "Name; the same number while that setting is on."),
        ("role", "operator, supervisor or admin."),
        ("extension", "Extension; empty while that setting is on."),
        ("active", "Whether the user may log in."),
    ),
    f"""SELECT {_person("operator.username")}, CASE WHEN {_AS_NUMBERS} THEN 'Op. ' || number ELSE name END, role,
    {_unless_numbers("extension")}, active FROM {{facts}}.operator""",
)
DIM_CALLER = View(
    "dim_caller",
    "One row a caller who showed a number; the number itself is not here.",
    (
        ("caller_id", "The caller's opaque id."),
        ("first_call_at", "The first call known, missed or answered, UTC."),
        ("last_call_at", "The last call known, UTC."),
        ("missed_calls", "Missed calls."),
        ("served_calls", "Answered calls."),
    ),
    """SELECT caller_id, min(called_at), max(called_at), sum(missed)::bigint, sum(served)::bigint FROM (
        SELECT caller_id, called_at, 1 AS missed, 0 AS served FROM bi.fact_missed_call WHERE caller_id IS NOT NULL
        UNION ALL SELECT caller_id, called_at, 0, 1 FROM bi.fact_served_call WHERE caller_id IS NOT NULL
    ) AS call GROUP BY caller_id""",
)
FRESHNESS = View(
    "freshness",
    "One row: how far these views are.",
    (
        ("position", "Position in the log up to which every view here holds everything."),
        ("recorded_at", "When the newest event they hold was recorded, UTC."),
    ),
    "SELECT checkpoint.position, horizon.recorded_at FROM {facts}.checkpoint, {facts}.horizon",
)

VIEWS = (
    FRESHNESS,
    FACT_MISSED_CALL,
    FACT_REQUEST,
    FACT_RECALL,
    FACT_SERVED_CALL,
    FACT_QUEUE_DAY,
    DIM_DATE,
    DIM_TIME_OF_DAY,
    DIM_QUEUE,
    DIM_OPERATOR,
    DIM_CALLER,
)
