"""Is a refusal told in the language of whoever is refused?"""

import re
from pathlib import Path

import httpx
import pytest

from richiamo_gateway.pages.language import language_of
from richiamo_gateway.pages.problem_titles import TITLES
from richiamo_gateway.pages.script_texts import problem_title
from tests.gateway.conftest import House

SOURCES = Path(__file__).parents[2]
_RAISED = re.compile(
    r'\bProblem\(\s*(?:status=)?\d{3},\s*"([a-z-]+)"|\bconflict\(\s*"([a-z-]+)"|^    type = "([a-z-]+)"', re.MULTILINE
)
_PAGE_ONLY = re.compile("sign-on")


def test_every_kind_of_refusal_has_a_title_in_every_language() -> None:
    folders = [SOURCES / "services" / name / "src" for name in ("gateway", "queue", "reporting")]
    code = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    kinds = {kind for found in _RAISED.findall(code) for kind in found if kind and not _PAGE_ONLY.match(kind)}
    assert {"already-reserved", "last-admin", "not-logged-in"} <= kinds
    untold = {kind for kind in kinds if kind not in TITLES and not problem_title(kind, language_of("it"), "")}
    assert untold == set()


@pytest.mark.servers
async def test_the_header_chooses_the_language_and_a_browser_speaks_that_of_its_user(house: House) -> None:
    stranger = await house.client()
    asked = [
        (await stranger.get("/users", headers={"Accept-Language": each})).json() for each in ("it-IT,en", "en", "de")
    ]
    assert [each["title"] for each in asked] == ["Prima bisogna accedere", "Log in first.", "Log in first."]
    assert {each["type"] for each in asked} == {"/problems/not-logged-in"}
    anna = await house.person("anna", language="it")
    refused = await anna.get("/users", headers={"Accept-Language": "it"})
    assert (refused.status_code, refused.json()["title"]) == (403, "Non hai il permesso di farlo")
    # A browser sends its own language along; the one chosen for the user counts.
    token = anna.headers["Authorization"].removeprefix("Bearer ")
    async with httpx.AsyncClient(base_url=house.url, cookies={"richiamo": token}) as browser:
        answer = await browser.get("/api/v1/users", headers={"Accept-Language": "en"})
    assert answer.json()["title"] == "Non hai il permesso di farlo"
