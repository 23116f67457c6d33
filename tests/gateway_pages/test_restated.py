"""Does a page mark a day that late records changed, and say why?"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway.lost_calls import caller_of, lose
from tests.gateway_pages.conftest import Enter
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_a_call_of_days_ago_marks_its_day(
    enter: Enter,
    house: House,
    event_store: JetStreamEventStore,
    data_dir: Path,
    language: str,
    dark: bool,
    width: int,
) -> None:
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    caller = await caller_of(event_store, data_dir, "+390501234567")
    position = await lose(event_store, caller, "1.1", at=datetime.now(UTC) - timedelta(days=3))
    sara = await house.login("sara", "pw-sara")
    day = (datetime.now(house.gateway.site.settings.zone) - timedelta(days=3)).date().isoformat()
    answer = await sara.get("/reports/day", params={"day": day}, headers={"Min-Position": str(position)})
    [restated] = answer.json()["restated"]
    assert restated["entries"][0]["record"] == "main:1.1"
    for address in ("/dashboard", "/code-caller", "/historical", f"/report?day={day}"):
        await page.goto(address)
        mark = page.locator(".mark").first
        await expect(page.locator("#restated table")).not_to_be_visible()
        await mark.click()
        await expect(page.locator("#restated tbody tr")).to_contain_text("main:1.1")
        await expect(page.locator("#restated table")).to_be_visible()
        assert await barriers(page) == [], address
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
