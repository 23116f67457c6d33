"""Can an administrator say who works here? The list of users and their form, in a real browser."""

import pytest
from playwright.async_api import expect

from richiamo_events.ids import Username
from richiamo_events.language import OperatorChanged
from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, stand_between
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]


def known(house: House, username: str) -> OperatorChanged:
    """The user as the log has them now."""
    return house.gateway.site.operators.by_name[Username(username)]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_a_user_is_added_and_changed_and_leaves(
    enter: Enter, house: House, language: str, dark: bool, width: int
) -> None:
    page = await enter("sara", role="admin", language=language, dark=dark, width=width)
    await page.goto("/users")
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.click("a[href='/users/_new']")
    await page.fill("[name=username]", "nina.b@site")
    await page.fill("[name=password]", "pw-nina")
    await page.fill("[name=name]", "Nina Bruni")
    await page.fill("[name=extension]", "301")
    await page.fill("[name=queues]", "Vendite\nAssistenza")
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.click("main button.call")
    row = page.locator("[data-user='nina.b@site']")
    await expect(row).to_contain_text("Vendite, Assistenza")
    await expect(page.locator(".saved")).to_contain_text("Nina Bruni")
    await house.login("nina.b@site", "pw-nina")
    await row.locator("a").click()
    assert await barriers(page) == []
    await page.select_option("[name=role]", "supervisor")
    await page.check("[name=masked]")
    await page.click("main button.call")
    await page.wait_for_url("**/users?saved=changed&*")
    nina = known(house, "nina.b@site")
    assert (nina.role, nina.masked, nina.queues) == ("supervisor", True, ("Vendite", "Assistenza"))
    await row.locator("a").click()
    await page.fill("#password-form [name=password]", "pw-new")
    await page.click("#password-form button")
    await expect(page.locator(".saved")).to_be_visible()
    await house.login("nina.b@site", "pw-new")
    await row.locator("a").click()
    await page.click("#active-form button")
    await expect(row).to_have_class("left")
    assert not known(house, "nina.b@site").active
    await row.locator("a").click()
    await page.click("#active-form button")
    await expect(row).not_to_have_class("left")
    assert await barriers(page) == []


async def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost_but_the_password(
    enter: Enter, house: House
) -> None:
    await house.person("nina", extension="301")
    page = await enter("sara", role="admin", language="en")
    await page.goto("/users/_new")
    await page.fill("[name=username]", "-no")
    await page.fill("[name=password]", "secret-word")
    await page.fill("[name=name]", "Somebody")
    await page.fill("[name=extension]", "abc")
    await page.click("main button.call")
    await expect(page.locator("#username-wrong")).to_contain_text("letters")
    await expect(page.locator("#extension-wrong")).to_contain_text("digits")
    assert await page.input_value("[name=name]") == "Somebody"
    assert await page.input_value("[name=password]") == ""
    assert "secret-word" not in await page.content()
    assert await barriers(page) == []
    await page.fill("[name=username]", "somebody")
    await page.fill("[name=password]", "secret-word")
    await page.fill("[name=extension]", "301")
    await page.click("main button.call")
    await expect(page.locator("#extension-wrong")).to_contain_text("nina")
    await page.fill("[name=extension]", "302")
    await page.click("main button.call")
    await expect(page.locator("#password-wrong")).to_be_visible()


async def test_the_last_administrator_stays(enter: Enter, house: House) -> None:
    page = await enter("sara", role="admin", language="en")
    await page.goto("/users/admin")
    await page.click("#active-form button")
    await expect(page.locator("[data-user=admin]")).to_have_class("left")
    await page.goto("/users/sara")
    await page.click("#active-form button")
    await expect(page.locator("[role=alert]")).to_contain_text("administrator")
    assert known(house, "sara").active


async def test_only_administrators_come_here(enter: Enter) -> None:
    page = await enter("anna", role="supervisor", language="en")
    for path in ("/users", "/users/_new", "/users/admin", "/settings"):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 403
    assert await page.locator("nav a[href='/users']").count() == 0


async def test_with_the_server_away_or_the_session_over_what_was_typed_stays(enter: Enter) -> None:
    page = await enter("sara", role="admin", language="en")
    await page.goto("/users/_new")
    await page.fill("main [name=username]", "nora")
    await page.fill("main [name=password]", "a-password")
    await page.fill("main [name=name]", "Nora")
    await stand_between(page, "**/api/v1/session", lambda route: route.abort())
    await page.click("main .btn.call")
    await expect(page.locator("p.away")).to_contain_text("what you typed is still here")
    await page.unroute("**/api/v1/session")
    cookies = await page.context.cookies()
    await page.context.clear_cookies()
    await page.click("main .btn.call")
    await expect(page.locator(".toast.bad").last).to_contain_text("Your session has ended")
    assert await page.input_value("main [name=username]") == "nora"
    assert await page.input_value("main [name=password]") == "a-password"
    await page.context.add_cookies([{**one} for one in cookies])  # type: ignore[typeddict-item]
    await page.click("main .btn.call")
    await expect(page.locator(".saved")).to_contain_text("Nora can log in now")
