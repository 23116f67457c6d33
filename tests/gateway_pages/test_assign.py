"""Can a supervisor hand customers out, take them away, and undo it?"""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]

NUMBER = "+390501234567"


async def test_a_customer_is_given_moved_and_taken_away(enter: Enter, lose_call: Lose, house: House) -> None:
    caller = await lose_call(NUMBER)
    await house.person("anna", extension="201")
    await house.person("bruno", extension="202")
    await house.person("carla")
    page = await enter("sara", role="supervisor")
    await page.goto("/assign")
    row = page.locator(f"#caller-{caller}")
    assert await row.locator("option").all_inner_texts() == ["Scegli…", "Anna (0)", "Bruno (0)"]
    await row.locator("select").select_option("anna")
    await row.locator("[data-assign=give]").click()
    await expect(page.locator("#toasts")).to_contain_text("assegnato a Anna")
    await expect(row).to_have_attribute("data-holder", "anna")
    await expect(page.locator("#load-anna b")).to_have_text("1")
    await row.locator("select").select_option("bruno")
    await row.locator("[data-assign=give]").click()
    await expect(row).to_have_attribute("data-holder", "bruno")
    await page.keyboard.press("Escape")
    await page.locator("#toasts button").last.click()
    await expect(row).to_have_attribute("data-holder", "anna")
    await row.locator("[data-assign=take]").click()
    await expect(row).not_to_have_attribute("data-holder", "anna")
    await expect(page.locator("#load-anna b")).to_have_text("0")


async def test_the_selected_are_shared_out_and_given_back(enter: Enter, lose_call: Lose, house: House) -> None:
    for end in range(4):
        await lose_call(f"+39050123456{end}")
    await house.person("anna", extension="201")
    await house.person("bruno", extension="202")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/assign")
    await page.check("#pick-page")
    await expect(page.locator("#picked-count")).to_have_text("4 selected")
    await page.click("#share")
    await expect(page.locator("#load-anna b")).to_have_text("2")
    await expect(page.locator("#load-bruno b")).to_have_text("2")
    await expect(page.locator("#picked")).to_be_hidden()
    await page.keyboard.press("u")
    await expect(page.locator("#callers tr[data-holder]")).to_have_count(0)


async def test_the_filters_the_order_and_what_others_do(enter: Enter, lose_call: Lose, house: House) -> None:
    caller = await lose_call(NUMBER)
    await lose_call("+390501234568")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/assign?recalled_min=1")
    await expect(page.locator("#empty")).to_contain_text("No customer matches")
    await page.goto("/assign?sort=number")
    await expect(page.locator("#callers th a")).to_have_text(["+39 050 123 4567", "+39 050 123 4568"])
    await expect(page.locator("#state")).to_have_attribute("data-state", "live")
    anna = await house.person("anna", extension="201")
    assert (await anna.put(f"/callers/{caller}/reservation")).status_code == 200
    await expect(page.locator(f"#caller-{caller}")).to_have_attribute("data-holder", "anna")


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_the_page_has_no_barrier(
    enter: Enter, lose_call: Lose, house: House, language: str, dark: bool, width: int
) -> None:
    caller = await lose_call(NUMBER)
    await lose_call("+390501234568")
    anna = await house.person("anna", extension="201")
    await anna.put(f"/callers/{caller}/reservation")
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    await page.goto("/assign")
    await page.check("#pick-page")
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_an_operator_may_not(enter: Enter) -> None:
    page = await enter("anna")
    for path in ("/assign", "/flush"):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 403
