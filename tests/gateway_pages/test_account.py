"""Can everybody look after their own account, and an administrator after open sessions?"""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 360)])
async def test_the_page_is_reached_from_the_menu_and_changes_what_is_mine(
    enter: Enter, house: House, language: str, dark: bool, width: int
) -> None:
    page = await enter("anna", language=language, dark=dark, width=width, extension="201")
    await house.login("anna", "pw-anna")
    await page.click("#who summary")
    await page.click("#who a[href='/account']")
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.locator(".sessions tbody tr")).to_have_count(3)
    await page.check("main [name=theme][value=dark]")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await page.uncheck("main [data-shortcuts]")
    assert await page.evaluate("localStorage.getItem('shortcuts')") == "off"
    await page.fill("#password-form [name=current]", "wrong")
    await page.fill("#password-form [name=password]", "pw-better")
    await page.click("#password-form button")
    await expect(page.locator("#current-wrong")).to_be_visible()
    await page.fill("#password-form [name=current]", "pw-anna")
    await page.fill("#password-form [name=password]", "pw-better")
    await page.click("#password-form button")
    await expect(page.locator(".saved")).to_be_visible()
    await expect(page.locator(".sessions tbody tr")).to_have_count(1)
    await house.login("anna", "pw-better")
    await page.select_option("[name=language]", "en" if language == "it" else "it")
    await page.click("main form[action='/account/language'] button")
    await expect(page.locator("h1")).to_have_text("My account" if language == "it" else "Il mio account")
    await expect(page.locator(".sessions tbody tr")).to_have_count(2)
    await (
        page.locator(".sessions tbody tr", has_not_text="this one" if language == "it" else "questo")
        .locator("button")
        .click()
    )
    await expect(page.locator(".sessions tbody tr")).to_have_count(1)
    assert await barriers(page) == []


async def test_a_desk_where_somebody_works_is_refused_by_name_at_the_log_in_and_here(
    enter: Enter, house: House
) -> None:
    await house.person("bruno", extension="210")
    page = await enter("anna", language="en")
    await page.goto("/account")
    await page.fill("#desk-form [name=extension]", "210")
    await page.click("#desk-form button")
    await expect(page.locator("#extension-wrong")).to_contain_text("Bruno is working at extension 210")
    await expect(page.locator("#desk-form [name=extension]")).to_have_value("210")
    await page.fill("#desk-form [name=extension]", "211")
    await page.click("#desk-form button")
    await expect(page.locator("#who")).to_contain_text("211")
    await page.click("#who summary")
    await page.click("#who form[action='/logout'] button")
    await page.goto("/login?lang=en")
    await page.fill("[name=username]", "anna")
    await page.fill("[name=password]", "pw-anna")
    await page.fill("[name=extension]", "210")
    await page.click("form.login button")
    await expect(page.locator("#failure")).to_contain_text("Bruno")
    await expect(page.locator("#failure")).to_contain_text("210")
    assert await page.input_value("[name=username]") == "anna"
    assert await barriers(page) == []


async def test_an_administrator_sees_and_ends_the_sessions_of_others(enter: Enter, house: House) -> None:
    anna = await house.person("anna")
    page = await enter("sara", role="admin", language="en")
    await page.goto("/users/anna")
    assert await barriers(page) == []
    await page.click(".sessions button")
    await expect(page.locator(".saved")).to_contain_text("The session of Anna has ended")
    assert (await anna.get("/session")).status_code == 401


@pytest.mark.parametrize(("language", "dark", "width"), [("en", False, 360), ("it", True, 1360)])
async def test_a_token_is_made_seen_once_and_revoked(
    enter: Enter, house: House, language: str, dark: bool, width: int
) -> None:
    page = await enter("anna", language=language, dark=dark, width=width)
    await page.goto("/account")
    await page.fill("#token-form [name=name]", "CRM <b>&amp;</b>")
    await page.uncheck("#token-form [value=read]")
    await page.click("#token-form button")
    await expect(page.locator("#scope-wrong")).to_be_visible()
    await expect(page.locator("#token-form [name=name]")).to_have_value("CRM <b>&amp;</b>")
    assert await barriers(page) == []
    await page.check("#token-form [value=read]")
    await page.click("#token-form button")
    await expect(page.locator("#issued-token")).to_be_focused()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    program = await house.client(await page.input_value("#issued-token"))
    assert (await program.get("/requests")).status_code != 401
    assert (await program.put("/callers/nobody/reservation")).status_code == 403
    await page.goto("/account")
    await expect(page.locator("#issued-token")).to_have_count(0)
    await expect(page.locator("#tokens th[scope=row]")).to_have_text("CRM <b>&amp;</b>")
    await page.click("#tokens button")
    await expect(page.locator(".saved")).to_be_visible()
    await expect(page.locator("#tokens")).to_have_count(0)
    assert (await program.get("/requests")).status_code == 401
