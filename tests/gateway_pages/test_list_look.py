"""Does a list keep its views, columns and density for its reader, by keyboard too, live rows included?"""

import re

import pytest
from playwright.async_api import Page, expect

from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers, outside

pytestmark = [pytest.mark.browser, pytest.mark.servers]


async def heads(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(
        "[...document.querySelectorAll('thead th')].filter((one) => one.checkVisibility()).map((one) => one.innerText.trim())"
    )
    return found


@pytest.mark.parametrize(("language", "dark", "width"), [("en", False, 1360), ("it", True, 360)], ids=["wide", "phone"])
async def test_columns_and_density_are_kept_and_rows_that_arrive_follow(
    enter: Enter, lose_call: Lose, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    page = await enter("anna", language=language, dark=dark, width=width)
    tall = await page.evaluate("document.querySelector('#rows tr').offsetHeight")
    await page.keyboard.press("v")
    await expect(page.locator("#look [name=name]")).to_be_focused()
    assert await barriers(page) == []
    assert await outside(page) == []
    await page.focus("#look [value=queue]")
    await page.keyboard.press("Space")
    await page.focus("#look [name=density][value=comfortable]")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("table.compact[data-hide=queue]")
    await page.wait_for_selector("#state[data-state=live]")
    await lose_call("+390509998887")
    await expect(page.locator("#rows tr")).to_have_count(2)
    assert await page.locator("#rows .c-queue:visible").count() == 0
    if width > 700:
        assert "Queue" not in await heads(page)
        assert await page.evaluate("document.querySelector('#rows tr').offsetHeight") < tall
    other = await (await page.context.browser.new_context()).new_page()  # type: ignore[union-attr]
    await other.goto(page.url.partition("/missed-calls")[0] + "/login")
    await other.fill("[name=username]", "anna")
    await other.fill("[name=password]", "pw-anna")
    await other.click("form.login button")
    await other.wait_for_selector("table.compact[data-hide=queue]")
    await other.context.close()


async def test_a_view_keeps_filter_order_and_columns_but_no_number(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    await lose_call("+390509998887", "Assistenza")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/missed-calls?queue=Vendite&caller=0501&sort=-calls&hide=recalled")
    assert "Recalled" not in await heads(page)
    await page.keyboard.press("v")
    await expect(page.locator("#look .hint")).to_have_text("The number in the filter is not kept.")
    await page.fill("#look [name=name]", "Sales <b>first</b>")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/missed-calls?queue=Vendite&sort=-calls&hide=recalled")
    await page.goto("/missed-calls")
    assert "Recalled" in await heads(page)
    await page.keyboard.press("v")
    await expect(page.locator(".views a")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/missed-calls?queue=Vendite&sort=-calls&hide=recalled")
    await expect(page.locator("#rows tr")).to_have_count(1)
    assert await page.get_attribute(".views a", "aria-current") == "true"
    assert await page.locator(".views a").text_content() == "Sales <b>first</b>"
    await page.keyboard.press("v")
    assert await barriers(page) == []
    await page.keyboard.press("Escape")
    await expect(page.locator("#look summary")).to_be_focused()
    await page.keyboard.press("f")
    await page.fill("#search [name=queue]", "Assistenza")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**queue=Assistenza**hide=recalled**")
    await page.keyboard.press("v")
    await page.click(".views button")
    await page.keyboard.press("v")
    await expect(page.locator(".views")).to_have_count(0)


async def test_every_list_has_its_columns(enter: Enter, lose_call: Lose, reporting_service: None) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="admin", language="en", extension="300")
    for path in ("/assign", "/flush", "/audit", "/users", "/reports/dashboard/requests?figure=total"):
        await page.goto(path)
        await page.keyboard.press("v")
        assert await barriers(page) == []
        columns = page.locator("#look [name=column]")
        names = [await one.get_attribute("value") for one in await columns.all()]
        assert names
        await page.goto(f"{path}{'&' if '?' in path else '?'}" + "&".join(f"hide={name}" for name in names))
        assert (
            await page.locator("thead th:visible").count()
            == await page.locator("tbody tr:first-child > :visible").count()
        )
        assert not {f"c-{name}" for name in names} & set(
            await page.evaluate(
                "[...document.querySelectorAll('thead th')].filter((one) => one.checkVisibility()).flatMap((one) => [...one.classList])"
            )
        )


async def test_a_view_of_the_requests_behind_a_figure_leads_back_to_it(
    enter: Enter, lose_call: Lose, reporting_service: None
) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", language="en", extension="300")
    await page.goto("/reports/dashboard/requests?figure=total&queue=Vendite")
    await page.keyboard.press("v")
    await page.get_by_label("Last recall").uncheck()
    await page.get_by_role("button", name="Show it so").click()
    await expect(page.locator("th.c-last_recall")).to_be_hidden()
    await page.keyboard.press("v")
    await page.get_by_label("Keep filter, order and columns as").fill("Sales")
    await page.get_by_role("button", name="Keep the view").click()
    await expect(page.locator(".views a")).to_have_count(1)
    await page.goto("/reports/dashboard/requests?figure=flushed")
    await page.keyboard.press("v")
    await page.get_by_role("link", name="Sales", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("Total")
    await expect(page).to_have_url(re.compile(r"figure=total&queue=Vendite"))
    await expect(page.locator("th.c-last_recall")).to_be_hidden()
