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


async def test_the_report_of_today_follows_and_says_when_it_cannot(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/report")
    calls, freshness = page.locator("[data-figure=total_calls] .value"), page.locator("#freshness")
    await expect(calls).to_have_text("1")
    await lose_call("+390501234568")
    await expect(calls).to_have_text("2")
    await expect(freshness).to_be_empty()
    await page.route("**/report", lambda route: route.abort())
    await expect(freshness).to_contain_text("Offline since")
    await expect(calls).to_have_text("2")
    await page.unroute("**/report")
    await expect(freshness).to_be_empty()
    await page.context.clear_cookies()
    await expect(freshness).to_contain_text("session has ended")


async def test_the_workbook_of_the_day_is_one_click_away(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/report")
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Export all").click()
    assert (await coming.value).suggested_filename.endswith(".xlsx")


async def test_operators_are_told_which_right_is_missing(enter: Enter) -> None:
    page = await enter("anna", language="en")
    answer = await page.goto("/report")
    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_the_requests_behind_a_figure_become_a_workbook(
    enter: Enter, lose_call: Lose, house: House, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    position = await house.gateway.people.position_of("admin")
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    sara = await house.login("sara", "pw-sara")
    await sara.get("/reports/dashboard", headers={"Min-Position": str(position + 1)})
    await page.goto("/reports/dashboard/requests?figure=total")
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Excel").click()
    assert (await coming.value).suggested_filename.startswith("richiamo-requests-dashboard-")
    await expect(page.locator("#workbook")).to_have_attribute("data-state", "ready")
    await expect(page.locator("#fetch")).to_be_visible()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
