"""How many streams does a browser open, and what if none gets through?"""

import pytest
from playwright.async_api import Request, expect

from tests.gateway_pages.conftest import Enter, Lose

pytestmark = [pytest.mark.browser, pytest.mark.servers]

TABS = 10


async def test_ten_tabs_share_one_stream_and_the_next_takes_over(enter: Enter, lose_call: Lose) -> None:
    streams: list[str] = []

    def count(request: Request) -> None:
        if "/live" in request.url:
            streams.append(request.url)

    first = await enter("anna")
    first.context.on("request", count)
    await first.reload()
    tabs = [first, *[await first.context.new_page() for _ in range(TABS - 1)]]
    for tab in tabs[1:]:
        await tab.goto("/missed-calls")
        await expect(tab.locator("#state")).to_have_attribute("data-state", "live")
    assert len(streams) == 1
    await lose_call("+390501234567")
    for tab in tabs:
        await expect(tab.locator("#rows tr")).to_have_count(1)

    # Who held the stream closes: another goes on right after what it has seen, and nothing is missed.
    await first.close()
    await lose_call("+390501234568")
    for tab in tabs[1:]:
        await expect(tab.locator("#rows tr")).to_have_count(2)
        await expect(tab.locator("#state")).to_have_attribute("data-state", "live")
    assert len(streams) == 2
    assert not streams[1].endswith("after=0")


@pytest.mark.slow
async def test_where_streams_are_held_back_the_page_asks(enter: Enter, lose_call: Lose) -> None:
    page = await enter("anna")
    await page.route("**/live*", lambda route: route.abort())
    await page.reload()
    caller = await lose_call("+390501234567")
    await expect(page.locator("#state")).to_have_attribute("data-state", "polling")
    await expect(page.locator(f"#rows tr[data-caller='{caller}']")).to_have_count(1)
    await page.locator("#rows .take").first.click()
    await expect(page.locator("#mine .mine")).to_have_count(1)
    await page.unroute("**/live*")
    await expect(page.locator("#state")).to_have_attribute("data-state", "live")
