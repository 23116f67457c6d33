"""How does the audit trail become an Excel workbook? A row a decision, newest first, up to the last one."""

import asyncio
import base64
from datetime import datetime
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from richiamo_kit import further_languages
from richiamo_reporting import words
from richiamo_reporting.audit.query import MOST, Audit, AuditQuestion
from richiamo_reporting.questions import refused
from richiamo_reporting.workbook import head_cell, value_cell

_COLUMNS = ("when", "who", "what", "number", "concerns", "details")
_WIDTHS = (20.0, 24.0, 34.0, 20.0, 24.0, 60.0)
_TOLD_APART = {"operator_name", "previous_name", "person_name", "by_name", "username", "added"}
_UNTOLD = {"position", "at", "recorded_at", "kind", "actor", "actor_name", "caller_id", "number", "by", "operator"}


async def audit_workbook(audit: Audit, asked: AuditQuestion) -> dict[str, str]:
    """`{"name", "content"}`: a file name and the workbook in base64. Refuses more than 100,000 rows."""
    answer = await audit.entries(asked.model_copy(update={"limit": MOST, "after": None}))
    if answer["next"]:
        raise refused(f"from, to: these are {answer['total']} rows, more than the {MOST} of a workbook.")
    language = further_languages.known(asked.user.language)
    content = await asyncio.to_thread(_rendered, answer["items"], language)
    return {"name": "richiamo-audit.xlsx", "content": base64.b64encode(content).decode()}


def _rendered(items: list[dict[str, Any]], language: str) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet(words.phrase("audit", language))
    page.freeze_panes = "A2"
    for letter, width in zip("ABCDEF", _WIDTHS, strict=True):
        page.column_dimensions[letter].width = width
    page.append([head_cell(page, words.phrase(f"audit-{column}", language)) for column in _COLUMNS])
    for item in items:
        page.append([value_cell(page, column, value, language) for column, value in _row(item, language).items()])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _row(item: dict[str, Any], language: str) -> dict[str, Any]:
    details = {
        name: value
        for name, value in item.items()
        if name not in _UNTOLD | _TOLD_APART and value not in (None, "", [], False)
    }
    return {
        "when": _wall_clock(item["at"]),
        "who": item["actor_name"],
        "what": words.phrase(item["kind"], language),
        "number": item["number"],
        "concerns": item.get("person_name") or item.get("operator_name") or "",
        "details": "; ".join(f"{name}: {_text(value)}" for name, value in details.items()),
    }


def _wall_clock(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_text(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
