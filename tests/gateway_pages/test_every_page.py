"""Is every page without a barrier? axe on each, light and dark, Italian and English, wide and narrow."""

import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Browser, Page

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose

pytestmark = [pytest.mark.browser, pytest.mark.servers]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SUPERVISED = ["/missed-calls", "/nowhere"]


async def barriers(page: Page) -> list[dict[str, Any]]:
    await page.evaluate(AXE)
    found = await page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [{"id": one["id"], "where": [node["html"] for node in one["nodes"]]} for one in found["violations"]]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 1360), ("it", True, 390)])
async def test_no_page_has_a_barrier(enter: Enter, lose_call: Lose, language: str, dark: bool, width: int) -> None:
    callers = [await lose_call(f"+39050123456{end}") for end in range(3)]
    page = await enter("sara", dark=dark, width=width, role="admin", language=language, extension="300")
    await page.locator("#rows .take").first.click()
    await page.wait_for_selector("#mine .mine")
    for path in [*SUPERVISED, f"/callers/{callers[0]}"]:
        await page.goto(path)
        assert await barriers(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
        assert await page.get_attribute("html", "lang") == language


async def test_what_needs_a_right_says_which(enter: Enter) -> None:
    page = await enter("anna", language="en")
    answer = await page.goto("/dashboard")
    assert answer is not None
    assert answer.status == 403
    assert "role supervisor" in await page.inner_text("main")
    assert await page.locator("nav a[href='/dashboard']").count() == 0
    assert await barriers(page) == []


async def test_what_opens_has_no_barrier_either(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    page = await enter("anna")
    await page.click("#search summary")
    assert await barriers(page) == []
    await page.keyboard.press("Escape")
    await page.click("#rows th a")
    await page.wait_for_selector("#details[open]")
    assert await barriers(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    assert await barriers(page) == []


async def test_the_login_has_no_barrier_and_tells_what_is_wrong(house: House, browser: Browser) -> None:
    page = await browser.new_page(base_url=house.url)
    await page.goto("/missed-calls?queue=Vendite")
    assert "/login" in page.url
    assert await barriers(page) == []
    await page.fill("[name=username]", "anna")
    await page.fill("[name=password]", "wrong")
    await page.click("form.login button")
    assert await page.input_value("[name=username]") == "anna"
    assert await page.locator("[role=alert]").is_visible()
    assert await barriers(page) == []
    await page.fill("[name=username]", "admin")
    await page.fill("[name=password]", "the-first-password")
    assert re.search("Vendite", await page.input_value("[name=next]"))
    await page.close()
