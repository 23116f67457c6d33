"""Does a page show how it was, clearly marked, with nothing that can be pressed?"""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers, outside

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def an_instant() -> str:
    """The log's instants are of its own clock, which is that of this machine."""
    return datetime.now(UTC).isoformat()


async def test_a_page_as_of_an_instant_shows_it_and_changes_nothing(
    enter: Enter, lose_call: Lose, reporting_service: None
) -> None:
    first = await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", extension="300", language="en")
    await page.wait_for_selector(f"#rows tr[data-caller='{first}']")
    between = an_instant()
    await lose_call("+390501234568")
    await page.locator("#rows .take").first.click()
    await page.wait_for_selector("#mine .mine")

    for path in ("/missed-calls", "/assign", "/flush"):
        await page.goto(f"{path}?as_of={between.replace('+', '%2B')}")
        assert "Nothing can be changed here" in await page.inner_text("#past")
        assert await page.locator("#rows tr, #callers tr").count() == 1, path
        assert await page.locator("#mine .mine").count() == 0
        assert await page.locator("#state").count() == 0, "the past is not live"
        assert await page.locator(".take:enabled, [data-assign]:enabled, .pick-one:enabled").count() == 0
        assert await barriers(page) == []
    assert await page.locator("main").get_by_text("1 call", exact=False).count() >= 1

    # What it leads to shows the same instant, the details too; a key does no more than a button.
    await page.goto(f"/missed-calls?as_of={between.replace('+', '%2B')}")
    await page.keyboard.press("j")
    await page.keyboard.press("p")
    await page.click("#rows th a")
    await page.wait_for_selector("#details[open]")
    assert await page.locator("#details .timeline li").count() == 1
    await page.keyboard.press("Escape")
    assert await page.locator("#rows tr[data-state=free]").count() == 1
    await page.click("nav a[href^='/dashboard']")
    await page.wait_for_selector("#days")
    assert "as_of=" in page.url
    assert (await page.inner_text(".tile.total .value")).strip() == "1"
    await page.click("#past a")
    await page.wait_for_selector("main:not(:has(#past))")
    assert (await page.inner_text(".tile.total .value")).strip() == "2"
    assert "as_of" not in page.url
    await page.goto("/missed-calls")
    assert (await page.locator("#rows tr").count(), await page.locator("#mine .mine").count()) == (1, 1)


async def test_the_control_of_the_header_speaks_the_clock_of_the_site(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    page = await enter("anna", width=360)
    await page.click("#as-of summary")
    assert await barriers(page) == []
    assert await outside(page) == []
    long_ago = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT10:30")
    await page.fill("#as-of input[name=as_of]", long_ago)
    await page.click("#as-of .call")
    await page.wait_for_selector("#past")
    assert "10:30" in await page.inner_text("#past")
    assert await page.locator("#rows tr").count() == 0
    assert await page.evaluate("document.activeElement.closest('#as-of')") is None
    # What is no instant, or not yet, is now.
    for other in ("yesterday", "2199-01-01T00:00", "0001-01-01T00:00"):
        await page.goto(f"/missed-calls?as_of={other}")
        assert await page.locator("#past").count() == 0
        assert await page.locator("#rows tr").count() == 1
    await page.click("#as-of summary")
    shown = await page.input_value("#as-of input[name=as_of]")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", shown)
