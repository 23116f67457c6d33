"""Is the audit page found, filtered, and readable on a phone?"""

import pytest
from playwright.async_api import expect

from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 360)])
async def test_who_did_what_is_told_filtered_and_exported(
    enter: Enter, lose_call: Lose, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="admin", language=language, dark=dark, width=width)
    await page.click("#rows .take")
    await page.wait_for_selector("#mine .mine")
    await page.goto("/audit")
    reserved = "Prenotata da Sara" if language == "it" else "Reserved by Sara"
    await expect(page.locator("#audit tbody tr").first).to_contain_text(reserved)
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.click("#search summary")
    assert await barriers(page) == []
    await page.select_option("[name=what]", "operator_changed")
    await page.click("#search .buttons button")
    await expect(page.locator("#audit tbody")).not_to_contain_text(reserved)
    await expect(page.locator("#audit tbody")).to_contain_text("Sara")
    await page.goto("/audit?who=nobody&from=yesterday")
    await expect(page.locator(".empty")).to_be_visible()
    assert await page.locator(".chip.on").count() == 1


async def test_users_are_cards_on_a_phone(enter: Enter) -> None:
    page = await enter("sara", role="admin", language="en", width=360)
    await page.goto("/users")
    assert await barriers(page) == []
    assert await page.evaluate("(box => box.scrollWidth <= box.clientWidth)(document.querySelector('.scroll'))")
    await expect(page.locator("#users [data-user=sara]")).to_contain_text("Administrator")
