"""How do the requests behind a figure become a workbook? Row by row, however many they are."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import IO, Any

from openpyxl import Workbook

from richiamo_events.figures import known
from richiamo_kit.further_languages import figure
from richiamo_reporting import words
from richiamo_reporting.questions import BehindQuestion, WorkbookQuestion, refused
from richiamo_reporting.reports import Reports
from richiamo_reporting.workbook import Sheet, begin, explain, explained, language_of, value_cell

MOST = 1_000_000
"""Rows of one workbook; a sheet of Excel holds 1,048,576."""
COLUMNS = (
    "number",
    "queue",
    "type",
    "called",
    "source",
    "account_code",
    "first_call",
    "last_call",
    "calls",
    "recalled",
    "last_recall",
    "outcome",
    "closed_at",
    "reserved_by_name",
)
_INSTANTS = {"first_call", "last_call", "last_recall", "closed_at"}

Told = Callable[[int, int], None]
"""Called with the rows written so far and how many there will be; what it raises ends the work."""


async def write_requests(
    reports: Reports, asked: WorkbookQuestion, behind: BehindQuestion, out: IO[bytes], told: Told
) -> str:
    """Write all requests behind a figure to `out`; its file name. Refuses more than a million."""
    language = language_of(asked)
    table = Sheet(words.phrase("requests", language), [_OTHER_WORD.get(name, name) for name in COLUMNS], ())
    book = Workbook(write_only=True)
    page = begin(book, table, language)
    try:
        done = 0
        async for items, total in reports.all_requests(behind):
            if total > MOST:
                raise refused(f"from, to: these are {total} requests, more than the {MOST} of a workbook.")
            await asyncio.to_thread(_append, page, items, language)
            done += len(items)
            told(done, total)
    finally:
        page.close()  # The page is a file of its own until the book is saved.
    about, name = await explained(reports, asked)
    explain(book, [table], [("figure", _figure(behind, language)), *about], language)
    await asyncio.to_thread(book.save, out)
    return name.replace("richiamo-", "richiamo-requests-", 1)


_OTHER_WORD = {"recalled": "recalls", "calls": "missed"}
"""What has another meaning as a figure of the reports; here it is how often."""


def _append(page: Any, items: list[dict[str, object]], language: str) -> None:
    for item in items:
        page.append([value_cell(page, name, _value(name, item, language), language) for name in COLUMNS])


def _value(name: str, item: Mapping[str, Any], language: str) -> Any:
    value = item[name]
    if name in _INSTANTS and value is not None:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    return figure(value, language).name if name == "outcome" else value


def _figure(behind: BehindQuestion, language: str) -> str:
    backlog = behind.figure.startswith("backlog")
    name = behind.figure.removeprefix("backlog_").removeprefix("backlog.")
    section = "backlog" if backlog else behind.report
    if not known(name, section):
        return behind.figure
    said = figure(name, language, section)
    return f"{said.name}: {said.definition}" if said.definition else said.name
