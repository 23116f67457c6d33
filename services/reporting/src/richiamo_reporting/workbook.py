"""How does a report become an Excel workbook? Real numbers, dates and percentages, and a sheet that explains them.

Rows are written one by one (openpyxl's write-only mode), so that memory does not grow with them.
"""

import asyncio
import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from richiamo_events.figures import known
from richiamo_kit import further_languages
from richiamo_kit.errors import Problem
from richiamo_kit.further_languages import figure
from richiamo_reporting import words
from richiamo_reporting.questions import Question, WorkbookQuestion
from richiamo_reporting.reports import Reports

MOST = 5_000_000
"""Bytes of a workbook that fits into one message; larger ones are made as a job (`workbook_jobs.py`)."""
_PERCENT = "0.0%"
_MEAN = "0.0"
_DATES = {"it": "dd/mm/yyyy"}
"""Where a language has no way of its own, days are written as ISO 8601 does: unmistakable everywhere."""
_INSTANTS = {"it": "dd/mm/yyyy hh:mm:ss"}
_PHONE_NUMBER = re.compile(r"\+?[0-9]+")
_WOULD_COMPUTE = ("=", "+", "-", "@", "\t", "\r", "\n")
_SHEET_NAME = 31
_HEAD = Font(bold=True)
_HEAD_FILL = PatternFill("solid", fgColor="FFE8EEF4")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its columns are figures or words, its rows hold plain values."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Mapping[str, Any]]
    section: str = ""
    """Where a figure means something else than elsewhere: `backlog`, `historical`."""


async def workbook(reports: Reports, asked: WorkbookQuestion) -> dict[str, str]:
    """`{"name", "content"}`: a file name and the workbook in base64. Refuses one that is too large for a message."""
    out = BytesIO()
    name = await write(reports, asked, out)
    if out.tell() > MOST:
        raise Problem(413, "workbook-too-large", "This workbook is too large for one answer", "Make it as a job.")
    return {"name": name, "content": base64.b64encode(out.getvalue()).decode()}


async def write(reports: Reports, asked: WorkbookQuestion, out: IO[bytes]) -> str:
    """Write the workbook of a report to `out`; its file name."""
    answer = {**await reports.answer(asked), "restated": await reports.restated(asked)}
    about, name = await explained(reports, asked)
    await asyncio.to_thread(render, asked.report, answer, about, language_of(asked), out)
    return name


def language_of(asked: Question) -> str:
    return further_languages.known(asked.user.language)


async def explained(reports: Reports, asked: WorkbookQuestion) -> tuple[list[tuple[str, Any]], str]:
    """What a workbook says about itself, line by line, and what its file is called."""
    frame, settings = await reports.framed(asked)
    language = language_of(asked)
    period = frame.period
    about = [
        ("report", words.phrase("day-report" if asked.report == "day" else asked.report, language)),
        ("period", f"{period.first.isoformat()} - {period.last.isoformat()}"),
        ("names", ", ".join(frame.filters.queues or ()) or words.phrase("none", language)),
        ("type", ", ".join(frame.filters.types or ()) or words.phrase("none", language)),
        ("as_of", period.as_of.instant.astimezone(settings.zone).replace(tzinfo=None, microsecond=0)),
        ("zone", settings.timezone),
        ("author", asked.user.name or asked.user.username),
        ("made", reports.now().astimezone(settings.zone).replace(tzinfo=None, microsecond=0)),
    ]
    if asked.min_callers is not None or asked.max_callers is not None:
        low, high = asked.min_callers, asked.max_callers
        about.append(("callers_between", f"{'' if low is None else low} - {'' if high is None else high}"))
    name = f"richiamo-{asked.report}-{period.first.isoformat()}"
    if period.last != period.first:
        name += f"-{period.last.isoformat()}"
    return about, f"{name}.xlsx"


def render(
    report: str, answer: Mapping[str, Any], about: Sequence[tuple[str, Any]], language: str, out: IO[bytes]
) -> None:
    """Write the workbook: the tables of the report, then the sheet that explains them."""
    book = Workbook(write_only=True)
    tables = sheets(report, answer, language)
    for table in tables:
        begun = begin(book, table, language)
        for row in table.rows:
            append(begun, table, row, language)
    explain(book, tables, about, language)
    book.save(out)


def sheets(report: str, answer: Mapping[str, Any], language: str) -> list[Sheet]:
    """The tables of a report's answer."""

    def sheet(title: str, rows: Sequence[Mapping[str, Any]], *, empty: Sequence[str] = (), section: str = "") -> Sheet:
        return Sheet(words.phrase(title, language), list(rows[0]) if rows else list(empty), rows, section)

    changed = restated(answer.get("restated", []), language)
    last = [sheet("restated", changed)] if changed else []
    match report:
        case "dashboard":
            return [
                sheet("totals", [answer["totals"]]),
                sheet("days", answer["days"]),
                sheet("backlog", answer["backlog"], section="backlog"),
                *last,
            ]
        case "day":
            return [
                sheet(part, [{"day": row["day"], **row[part]} for row in answer["days"]])
                for part in ("today", "backlog")
            ] + last
        case "code-caller":
            rows = [{"queue": each["queue"], **row} for each in answer["queues"] for row in each["days"]]
            return [sheet("queues", rows, empty=("queue", "day")), *last]
        case _:
            return [sheet("days", answer["days"], empty=("day",), section="historical"), *last]


def restated(days: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """A row an entry: which day, when, because of which record, by how much."""
    return [
        {
            "day": day["day"],
            "first_at": _local(entry["first_at"]),
            "last_at": _local(entry["last_at"]),
            "changes": entry["changes"],
            "record": entry["record"],
            "by": ", ".join(f"{_named(name, language)} {by:+d}" for name, by in entry["by"].items()),
        }
        for day in days
        for entry in day["entries"]
    ]


def _named(name: str, language: str) -> str:
    backlog = words.phrase("backlog", language) + " " if name.startswith("backlog_") else ""
    return backlog + figure(name.removeprefix("backlog_"), language).name


def _local(instant: str) -> datetime:
    return datetime.fromisoformat(instant).replace(tzinfo=None, microsecond=0)


def head(column: str, language: str, section: str = "") -> str:
    """What stands above a column; times are in seconds, so that they stay numbers."""
    if not known(column, section):
        return words.phrase(column, language)
    name = figure(column, language, section).name
    return f"{name} (s)" if "seconds" in column and "sec" not in name.lower() else name


def harmless(text: str) -> str:
    """Text that no spreadsheet computes: what would begin a formula gets an apostrophe, a phone number stays."""
    clean = ILLEGAL_CHARACTERS_RE.sub("", text)
    if clean.startswith(_WOULD_COMPUTE) and not _PHONE_NUMBER.fullmatch(clean):
        return f"'{clean}"
    return clean


def begin(book: Workbook, table: Sheet, language: str) -> Any:
    """The page of a table, with its heads; rows follow one by one."""
    page = book.create_sheet(table.title[:_SHEET_NAME])
    heads = [head(column, language, table.section) for column in table.columns]
    page.freeze_panes = "B2"
    for nth, text in enumerate(heads, start=1):
        page.column_dimensions[get_column_letter(nth)].width = max(12.0, min(40.0, len(text) + 3.0))
    page.append([head_cell(page, text) for text in heads])
    return page


def append(page: Any, table: Sheet, row: Mapping[str, Any], language: str) -> None:
    page.append([value_cell(page, column, row[column], language) for column in table.columns])


def explain(book: Workbook, tables: Sequence[Sheet], about: Sequence[tuple[str, Any]], language: str) -> None:
    page = book.create_sheet(words.phrase("about", language))
    page.freeze_panes = "B1"
    page.column_dimensions["A"].width = 36.0
    page.column_dimensions["B"].width = 110.0
    for name, value in about:
        page.append([head_cell(page, words.phrase(name, language)), value_cell(page, name, value, language)])
    page.append([])
    page.append([head_cell(page, words.phrase("definitions", language))])
    explained = dict.fromkeys((column, table.section) for table in tables for column in table.columns)
    for column, section in explained:
        said = figure(column, language, section) if known(column, section) else None
        if said and said.definition:
            page.append([value_cell(page, "", said.name, language), value_cell(page, "", said.definition, language)])


def head_cell(page: Any, text: str) -> Any:
    cell = WriteOnlyCell(page, value=harmless(text))
    cell.font = _HEAD
    cell.fill = _HEAD_FILL
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def value_cell(page: Any, column: str, value: Any, language: str) -> Any:
    if column == "day" and isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, str):
        cell = WriteOnlyCell(page, value=harmless(value))
        cell.data_type = "s"
        cell.number_format = "@"
        return cell
    cell = WriteOnlyCell(page, value=value)
    if isinstance(value, datetime):
        cell.number_format = _INSTANTS.get(language, "yyyy-mm-dd hh:mm:ss")
    elif isinstance(value, date):
        cell.number_format = _DATES.get(language, "yyyy-mm-dd")
    elif column.endswith("_pct"):
        cell.number_format = _PERCENT
    elif column.startswith("mean_"):
        cell.number_format = _MEAN
    return cell
