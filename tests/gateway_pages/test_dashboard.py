"""Does the dashboard show what the report says? With the real reporting service behind it."""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_the_page_tells_the_figures_of_the_report(
    enter: Enter, lose_call: Lose, house: House, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    await lose_call("+390501234568", "Assistenza")
    position = await house.gateway.people.position_of("admin")
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    sara = await house.login("sara", "pw-sara")
    report = (await sara.get("/reports/dashboard", headers={"Min-Position": str(position + 2)})).json()
    assert report["totals"]["total"] == 2
    await page.goto("/dashboard")
    await expect(page.locator(".tile.total .fig")).to_have_text("2")
    await expect(page.locator("#days tbody tr")).to_have_count(7)
    await expect(page.locator("#chart svg path").first).to_be_attached()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.locator(".key.unhandled").click()
    await expect(page.locator(".key.unhandled")).to_have_attribute("aria-pressed", "false")
    await page.goto("/dashboard?queue=Assistenza&from=2020-01-01&to=2020-01-03")
    await expect(page.locator("#days tbody tr")).to_have_count(3)
    await expect(page.locator(".tile.total .fig")).to_have_text("0")
