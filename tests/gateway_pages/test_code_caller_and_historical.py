"""Do Code Caller and Storico show what the reports say, and does every figure lead to its requests and their customer?"""

import pytest
from playwright.async_api import Page, expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]

LOOKS = [("it", False, 1360), ("en", True, 390)]


async def three_calls(lose_call: Lose, house: House) -> None:
    """Two callers on Vendite, one on Assistenza, and the reports know them."""
    await lose_call("+390501234567")
    await lose_call("+390501234568")
    await lose_call("+390501234569", "Assistenza")
    position = await house.gateway.people.position_of("admin") + 3
    admin = await house.admin()
    answer = await admin.get("/reports/historical", headers={"Min-Position": str(position)})
    assert answer.json()["days"][0]["callers"] == 3


async def fits(page: Page) -> None:
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
async def test_code_caller_has_a_table_a_queue_with_totals(
    enter: Enter, lose_call: Lose, house: House, language: str, dark: bool, width: int
) -> None:
    await three_calls(lose_call, house)
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    await page.goto("/code-caller")
    await expect(page.locator(".queue-table h2")).to_have_text(["Assistenza", "Vendite"])
    await expect(page.locator("#days tfoot [data-of=missed_calls]")).to_have_text("3")
    await expect(page.locator(".queue-table").nth(1).locator("tfoot .n").nth(1)).to_have_text("2")
    await expect(page.locator("[data-chart=donut] svg path").first).to_be_attached()
    await expect(page.locator("[data-chart=columns] svg path").first).to_be_attached()
    await fits(page)
    await page.locator(".key.missed_calls").click()
    await expect(page.locator(".key.missed_calls")).to_have_attribute("aria-pressed", "false")
    await page.locator("#search summary").click()
    await page.get_by_role("checkbox", name="Vendite").check()
    await page.locator("#search button").click()
    await expect(page.locator(".queue-table h2")).to_have_text(["Vendite"])
    assert "queue=Vendite" in page.url
    await page.locator(".chip a").click()
    await expect(page.locator(".queue-table")).to_have_count(2)
    await page.goto("/code-caller?from=2020-01-01&to=2020-01-03")
    await expect(page.locator("p.empty")).to_be_visible()
    await fits(page)


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
async def test_storico_opens_a_day_and_from_there_the_customer(
    enter: Enter, lose_call: Lose, house: House, language: str, dark: bool, width: int
) -> None:
    await three_calls(lose_call, house)
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    await page.goto("/historical")
    await expect(page.locator("#days tbody tr").last.locator("[data-of=callers]")).to_have_text("3")
    await expect(page.locator("[data-chart=line] svg path").first).to_be_attached()
    await fits(page)
    chart = await page.locator("[data-chart=columns]").bounding_box()
    assert chart is not None
    await page.locator("[data-chart=columns]").click(position={"x": chart["width"] * 0.86, "y": 150})
    await expect(page.locator("#behind tbody tr")).to_have_count(3)
    assert "/reports/historical/requests" in page.url
    await fits(page)
    await page.locator("#behind th a").first.click()
    await expect(page.locator("#history .timeline li")).not_to_have_count(0)


async def test_the_limits_of_callers_keep_the_days_between(enter: Enter, lose_call: Lose, house: House) -> None:
    await three_calls(lose_call, house)
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/historical?min_callers=1&max_callers=nonsense")
    await expect(page.locator("#days tbody tr")).to_have_count(1)
    await expect(page.locator(".chip.on")).to_have_count(1)
    await page.goto("/historical?min_callers=4")
    await expect(page.locator("p.empty")).to_contain_text("On none of these days")
    await page.locator("p.empty a").click()
    await expect(page.locator("#days tbody tr")).to_have_count(7)


async def test_every_figure_leads_to_as_many_requests_as_it_says(enter: Enter, lose_call: Lose, house: House) -> None:
    await three_calls(lose_call, house)
    page = await enter("sara", role="supervisor", language="en")
    for address in ("/dashboard", "/report", "/code-caller", "/historical"):
        await page.goto(address)
        links = await page.locator("a.fig").evaluate_all("all => all.map((one) => [one.href, one.textContent])")
        assert links, address
        for href, said in dict.fromkeys((href, said) for href, said in links):
            await page.goto(href)
            rows = await page.locator("#behind tbody tr").count()
            assert rows == int(said) if said.isdigit() else rows > 0, href


async def test_a_figure_that_there_is_not_is_refused_in_words(enter: Enter) -> None:
    page = await enter("sara", role="supervisor", language="en")
    answer = await page.goto("/reports/dashboard/requests?figure=nonsense")
    assert answer is not None
    assert answer.status == 422


async def test_the_dashboard_follows_what_happens(enter: Enter, lose_call: Lose, house: House) -> None:
    await three_calls(lose_call, house)
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/dashboard")
    await expect(page.locator(".tile.total .fig")).to_have_text("3")
    await lose_call("+390501234570")
    await expect(page.locator(".tile.total .fig")).to_have_text("4")
    await expect(page.locator("#days tfoot .fig").first).to_have_text("4")
