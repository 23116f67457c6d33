"""Does a workbook hold what the report says, cell by cell, and nothing that computes?"""

import asyncio
import base64
import csv
import shutil
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from richiamo_reporting.questions import Question, WorkbookQuestion, read
from richiamo_reporting.workbook import harmless, head, render, sheets, workbook
from tests.reporting.conftest import View
from tests.reporting.log import instant
from tests.reporting.test_dashboard import a_monday

SPAN = {"from": "2026-03-01", "to": "2026-03-03"}
EVA = {"username": "eva", "name": "=Eva", "language": "en"}


async def opened(view: View, **asked: Any) -> Workbook:
    book = await workbook(view.reports, read(WorkbookQuestion, {"user": EVA, **SPAN, **asked}))
    return load_workbook(BytesIO(base64.b64decode(book["content"])))


@pytest.mark.servers
@pytest.mark.parametrize("report", ["dashboard", "day", "code-caller", "historical"])
async def test_every_cell_is_what_the_report_says(view: View, report: str) -> None:
    await view.apply(a_monday().events)
    question = read(WorkbookQuestion, {"user": EVA, **SPAN, "report": report})
    answer = {**await view.reports.answer(question), "restated": await view.reports.restated(question)}
    tables = sheets(report, answer, "en")
    book = await opened(view, report=report)
    assert book.sheetnames == [*(table.title for table in tables), "About"]
    for table in tables:
        page = book[table.title]
        rows = list(page.iter_rows(values_only=True))
        assert rows[0] == tuple(head(column, "en", table.section) for column in table.columns)
        expected = [tuple(_as_read(column, row[column]) for column in table.columns) for row in table.rows]
        assert rows[1:] == expected
        assert page.freeze_panes == "B2"


@pytest.mark.servers
async def test_dates_percentages_and_means_are_numbers_with_a_format(view: View) -> None:
    await view.apply(a_monday().events)
    page = (await opened(view, report="day"))["Day"]
    heads = [cell.value for cell in page[1]]
    monday = page[3]
    assert (monday[0].value, monday[0].number_format) == (datetime.fromisoformat("2026-03-02"), "yyyy-mm-dd")
    share = monday[heads.index("% requests to handle")]
    assert (share.value, share.number_format) == (0.75, "0.0%")
    assert monday[heads.index("Mean bill seconds")].value == 5.2
    assert page[2][heads.index("Mean bill seconds")].value is None


@pytest.mark.servers
async def test_the_sheet_about_says_period_filters_author_and_definitions(view: View) -> None:
    await view.apply(a_monday().events)
    about = (await opened(view, report="dashboard", queue=["Vendite"]))["About"]
    told = {row[0]: row[1] for row in about.iter_rows(values_only=True, max_col=2) if row[0]}
    assert told["Period"] == "2026-03-01 - 2026-03-03"
    assert told["Queue"] == "Vendite"
    assert told["Author"] == "'=Eva"
    assert told["Unhandled"] == "Open at the end of the period or day, no recall tried."


@pytest.mark.servers
async def test_a_user_of_one_queue_finds_no_other_in_the_workbook(view: View) -> None:
    await view.apply(a_monday().events)
    book = await opened(view, report="code-caller", user={**EVA, "queues": ["Vendite"]})
    assert {row[0] for row in book["Queues"].iter_rows(min_row=2, values_only=True)} == {"Vendite"}
    question = read(Question, {"user": {"queues": ["Vendite"]}, **SPAN})
    assert [each["queue"] for each in (await view.reports.code_caller(question))["queues"]] == ["Vendite"]


@pytest.mark.parametrize("language", ["it", "en"])
def test_an_empty_report_is_a_workbook_too(language: str) -> None:
    content = BytesIO()
    render("code-caller", {"queues": []}, [], language, content)
    assert len(load_workbook(content).sheetnames) == 2


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_would_compute_is_text(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("text", ["+390501234567", "0501234567", "Vendite", ""])
def test_numbers_of_callers_and_plain_text_stay(text: str) -> None:
    assert harmless(text) == text


def _as_read(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if column == "day" else value


@pytest.mark.servers
async def test_restated_days_have_a_sheet_that_says_why(view: View) -> None:
    log = a_monday()
    log.wait(days=3)
    log.recall("cleo", "9.9", instant("2026-03-02 11:00:00"), talk=60)
    await view.apply(log.events)
    page = (await opened(view, report="dashboard"))["Restated days"]
    rows = list(page.iter_rows(values_only=True))
    assert rows[0] == ("Day", "Recorded", "until", "Records", "Because of", "By how much")
    assert rows[1][0] == datetime.fromisoformat("2026-03-02")
    assert rows[1][3:] == (1, "main:9.9", "Recalled +1, Unhandled -1")


@pytest.mark.servers
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed")
@pytest.mark.parametrize(("report", "language"), [("dashboard", "it"), ("day", "en"), ("code-caller", "it")])
async def test_libreoffice_reads_the_same_cells(view: View, tmp_path: Path, report: str, language: str) -> None:
    """Every cell of every sheet as an office program shows it, formatted, against what was written."""
    log = a_monday()
    log.missed("ugo", "1.9", instant("2026-03-02 09:00:00"), queue="=1+1")
    await view.apply(log.events)
    question = read(WorkbookQuestion, {"user": {**EVA, "language": language}, **SPAN, "report": report})
    content = base64.b64decode((await workbook(view.reports, question))["content"])
    written = load_workbook(BytesIO(content))
    file = tmp_path / "report.xlsx"
    file.write_bytes(content)
    # Filter: comma, double quotes, UTF-8, from row 1, formatted as shown, formulas not as such, every sheet a file.
    options = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,true,false,false,-1"
    office = await asyncio.create_subprocess_exec(
        "soffice",
        f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
        *("--headless", "--convert-to", options, "--outdir", str(tmp_path), str(file)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await asyncio.wait_for(office.wait(), 120) == 0
    for sheet in written:
        with (tmp_path / f"report-{sheet.title}.csv").open(encoding="utf-8", newline="") as shown:
            rows = list(csv.reader(shown))
        expected = [[_displayed(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]
        for nth, row in enumerate(expected):
            assert [*rows[nth], *[""] * (len(row) - len(rows[nth]))][: len(row)] == row, (sheet.title, nth)
    if report == "code-caller":
        assert "'=1+1" in (tmp_path / "report-Code.csv").read_text(encoding="utf-8")


def _displayed(value: Any, number_format: str) -> str:
    match value:
        case None:
            return ""
        case datetime():
            form = number_format.replace("yyyy", "%Y").replace("dd", "%d").replace("hh", "%H").replace("ss", "%S")
            return value.strftime(form.replace("H:mm", "H:%M").replace("mm", "%m"))
        case float() | int() if number_format == "0.0%":
            return f"{value:.1%}"
        case float() | int() if number_format == "0.0":
            return f"{value:.1f}"
        case _:
            return str(value)
