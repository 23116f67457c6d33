"""Does a workbook hold what the report says, cell by cell, and nothing that computes?"""

import base64
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from richiamo_events.figures import figure
from richiamo_reporting.questions import Question, WorkbookQuestion, read
from richiamo_reporting.workbook import harmless, render, sheets, workbook
from tests.reporting.conftest import View
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
    tables = sheets(report, await view.reports.answer(question), "en")
    book = await opened(view, report=report)
    assert book.sheetnames == [*(table.title for table in tables), "About"]
    for table in tables:
        page = book[table.title]
        rows = list(page.iter_rows(values_only=True))
        assert rows[0] == tuple(figure(column, "en", report).name for column in table.columns)
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
    content = render("code-caller", {"queues": []}, [], language)
    assert len(load_workbook(BytesIO(content)).sheetnames) == 2


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_would_compute_is_text(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("text", ["+390501234567", "0501234567", "Vendite", ""])
def test_numbers_of_callers_and_plain_text_stay(text: str) -> None:
    assert harmless(text) == text


def _as_read(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if column == "day" else value
