"""Is a further language one file in a folder? Pages, workbooks and refusals in a made-up one."""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from openpyxl import load_workbook

from richiamo_gateway import languages
from richiamo_gateway.pages.language import language_of
from richiamo_gateway.pages.settings import values
from richiamo_gateway.pages.settings.fields import SETTINGS
from richiamo_kit import further_languages
from richiamo_kit.errors import Problem
from richiamo_ops.explain import explain
from richiamo_ops.explaining.phrases import say
from tests.gateway.conftest import House

TOOL = Path(__file__).parents[2] / "tools" / "new_language.py"


def marked(text: str) -> str:
    return f"⟦{text}⟧"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of languages; those that a test adds from it go with it."""
    made = tmp_path / "languages"
    made.mkdir()
    yield made
    languages.add(None)


def written(folder: Path) -> None:
    """The file that the tool makes for Esperanto, with every text marked."""
    made = subprocess.run([sys.executable, TOOL, "eo"], check=True, capture_output=True).stdout
    catalogue = read_po(BytesIO(made), locale="eo")
    for message in catalogue:
        if message.id:
            message.string = marked(message.id) if isinstance(message.id, str) else tuple(map(marked, message.id))
    with (folder / "eo.po").open("wb") as file:
        write_po(file, catalogue)


@pytest.mark.servers
async def test_pages_workbooks_and_refusals_speak_a_language_that_is_one_file(
    folder: Path, house: House, queue_service: None, reporting_service: None
) -> None:
    written(folder)
    languages.add(folder)
    sara = await house.person("sara", "supervisor", language="eo")
    page = await sara.get(f"{house.url}/missed-calls", headers={"Accept": "text/html"})
    assert '<html lang="eo">' in page.text
    assert f"<h1>{marked('Missed calls')}</h1>" in page.text
    book = await sara.get("/reports/dashboard.xlsx", params={"from": "2026-03-01", "to": "2026-03-03"})
    days = load_workbook(BytesIO(book.content))[marked("Per day")]
    heads = [cell.value for cell in days[1]]
    assert heads[0] == marked("Day")
    assert marked("Total") in heads
    refused = await sara.get("/users", headers={"Accept-Language": "eo"})
    assert refused.status_code == 403
    assert refused.json()["title"].startswith("⟦")
    names = await house.admin()
    form = await names.get(f"{house.url}/users/_new", headers={"Accept": "text/html"})
    assert '<option value="eo">' in form.text, "and users can choose it"


def test_explanations_speak_it_too_and_say_which_languages_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder)
    monkeypatch.setenv("RICHIAMO_LANGUAGES_DIR", str(folder))
    with pytest.raises(Problem, match="There is no language xx; there are: it, en, eo"):
        explain("dashboard", language="xx")
    assert say("reserved", "eo", who="Anna") == marked("Anna reserved the customer")
    assert say("reserved", "it", who="Anna") == "Anna ha prenotato il cliente"


def test_a_setting_is_written_with_the_decimal_sign_of_its_language(folder: Path) -> None:
    written(folder)
    languages.add(folder)
    threshold = next(one for one in SETTINGS.values() if one.kind == "seconds")
    told = {code: values.written(threshold, 7.5, language_of(code)) for code in ("it", "en", "eo")}
    assert told == {"it": "7,5", "en": "7.5", "eo": "7,5"}


def test_what_is_missing_or_has_lost_a_value_is_told_in_english(folder: Path) -> None:
    (folder / "eo.po").write_text(
        'msgid "Reserve %(number)s"\nmsgstr "Rezervi"\n\nmsgid "Day"\nmsgstr "Tago"\n', encoding="utf-8"
    )
    assert further_languages.add(folder) == ["eo"]
    assert further_languages.told("Reserve %(number)s", "eo") == "Reserve %(number)s"
    assert further_languages.told("Queue", "eo") == "Queue"
    assert further_languages.figure("day", "eo").name == "Tago"
    assert further_languages.known("de") == "en"


@pytest.mark.parametrize(("name", "content"), [("it.po", ""), ("nolanguage.po", ""), ("eo.po", "this is no catalogue")])
def test_a_file_that_is_no_further_language_is_refused_by_name(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=name):
        further_languages.add(folder)
