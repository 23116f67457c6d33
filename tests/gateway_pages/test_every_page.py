"""Is every page without a barrier? axe on each, light and dark, Italian and English, wide and narrow."""

import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Browser, Page, expect

from richiamo_gateway.pages.navigation import PLACES
from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose

pytestmark = [pytest.mark.browser, pytest.mark.servers]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PAGES = [*(place.path for place in PLACES), "/users/_new", "/users/admin", "/dashboard?queue=Vendite", "/nowhere"]
WIDTHS = {"wide": (1360, 800), "phone": (360, 740), "zoomed": (680, 400)}
"""Zoomed to 200 %, a window of 1360 by 800 has half of its pixels each way."""


async def barriers(page: Page) -> list[dict[str, Any]]:
    await page.evaluate(AXE)
    found = await page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [{"id": one["id"], "where": [node["html"] for node in one["nodes"]]} for one in found["violations"]]


async def settled(page: Page) -> None:
    """Waits for the first picture of what is drawn by a script."""
    await expect(page.locator(".chart:not(:has(svg, canvas))")).to_have_count(0)


async def outside(page: Page) -> list[str]:
    """What makes the page wider than its window."""
    found: list[str] = await page.evaluate(
        """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("main *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll"))
        .map((one) => one.outerHTML.slice(0, 120))"""
    )
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "dark", "size"),
    [("it", False, "wide"), ("en", True, "wide"), ("it", True, "phone"), ("en", False, "zoomed")],
)
async def test_no_page_has_a_barrier(
    enter: Enter, lose_call: Lose, reporting_service: None, language: str, dark: bool, size: str
) -> None:
    callers = [await lose_call(f"+39050123456{end}") for end in range(3)]
    width, height = WIDTHS[size]
    page = await enter("sara", dark=dark, width=width, role="admin", language=language, extension="300")
    await page.set_viewport_size({"width": width, "height": height})
    await page.locator("#rows .take").first.click()
    await page.wait_for_selector("#mine .mine")
    for path in [*PAGES, f"/callers/{callers[0]}"]:
        await page.goto(path)
        await settled(page)
        assert await barriers(page) == [], path
        assert await outside(page) == [], f"{path} is too wide"
        assert await page.get_attribute("html", "lang") == language


@pytest.mark.slow
async def test_forced_colours_leave_every_state_to_be_seen(
    enter: Enter, lose_call: Lose, reporting_service: None
) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="admin", extension="300")
    await page.emulate_media(forced_colors="active", reduced_motion="reduce")
    for path in PAGES:
        await page.goto(path)
        await settled(page)
        bare = await page.evaluate(
            """[...document.querySelectorAll(".btn, input:not([type=hidden], [type=radio], [type=checkbox]), select")]
            .filter((one) => one.checkVisibility() && getComputedStyle(one).borderTopWidth === "0px")
            .map((one) => one.outerHTML.slice(0, 120))"""
        )
        assert bare == [], f"{path}: without a border these are no buttons"
        moving = await page.evaluate("document.getAnimations().length")
        assert moving == 0, f"{path} moves"
    await page.goto("/missed-calls")
    await page.wait_for_selector("#state[data-state=live]")
    live, lost = await page.evaluate(
        """[..."xy"].map((_, at) => {
          const state = document.getElementById("state");
          state.dataset.state = at ? "reconnecting" : "live";
          return getComputedStyle(state.querySelector(".dot")).backgroundColor;
        })"""
    )
    assert live != lost, "the dot of the connection is full or hollow, also without colours"
    await page.locator("#rows .take").first.focus()
    marked = await page.evaluate("getComputedStyle(document.querySelector('tr.sel')).outlineStyle")
    assert marked == "solid", "the chosen row is marked"


async def test_what_needs_a_right_says_which(enter: Enter) -> None:
    page = await enter("anna", language="en")
    answer = await page.goto("/dashboard")
    assert answer is not None
    assert answer.status == 403
    assert "role supervisor" in await page.inner_text("main")
    assert await page.locator("nav a[href='/dashboard']").count() == 0
    assert await barriers(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1360, 360])
async def test_the_dialogs_of_supervisors_have_no_barrier(
    enter: Enter, lose_call: Lose, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", dark=dark, width=width, extension="300")
    await page.goto("/assign")
    await page.check("#callers .pick-one")
    assert await barriers(page) == []
    await page.click("#search summary")
    assert await barriers(page) == []
    await page.goto("/flush")
    await page.check("#callers .pick-one")
    await page.click("#ask-flush")
    await page.wait_for_selector("#sure[open]")
    assert await barriers(page) == []
    await page.fill("#reason", "prova")
    await page.click("#sure-form .danger")
    await page.wait_for_selector(".toast button")
    assert await barriers(page) == []
    assert await outside(page) == []


async def test_what_opens_has_no_barrier_either(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    page = await enter("anna")
    await page.click("#who summary")
    assert await barriers(page) == []
    await page.keyboard.press("Escape")
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
    await expect(page.locator("#failure")).to_be_visible()
    assert await page.input_value("[name=username]") == "anna"
    assert await barriers(page) == []
    await page.fill("[name=username]", "admin")
    await page.fill("[name=password]", "the-first-password")
    assert re.search("Vendite", await page.input_value("[name=next]"))
    await page.close()
