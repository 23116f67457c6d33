"""Does the report of a day show what the reporting service says? With the real service behind it."""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_the_day_tells_its_figures(
    enter: Enter, lose_call: Lose, house: House, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    position = await house.gateway.people.position_of("admin")
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    sara = await house.login("sara", "pw-sara")
    report = (await sara.get("/reports/day", headers={"Min-Position": str(position + 1)})).json()
    assert report["today"]["total_calls"] == 1
    await page.goto("/report")
    await expect(page.locator("[data-figure=total_calls] .value")).to_have_text("1")
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.locator("[data-figure=requests_to_handle_pct] .value")).to_have_text("100%")
    await page.goto("/report?day=2020-01-01")
    await expect(page.locator("[data-figure=requests_to_handle_pct] .value")).to_have_text("–")
