"""Is what happened to one's customers kept under the bell, once, and told by the browser only when asked?"""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers, outside

pytestmark = [pytest.mark.browser, pytest.mark.servers]


async def test_an_assignment_is_kept_under_the_bell_once_for_all_tabs(
    house: House, enter: Enter, lose_call: Lose
) -> None:
    caller = await lose_call("+390501234567")
    anna = await enter("anna", width=360, language="en", extension="200")
    other = await anna.context.new_page()
    await other.goto("/missed-calls")
    await expect(other.locator("#state")).to_have_attribute("data-state", "live")
    sara = await house.person("sara", "supervisor")
    answer = await sara.put(f"/callers/{caller}/assignment", json={"operator": "anna"})
    assert answer.status_code == 200
    for tab in (anna, other):
        await expect(tab.locator("#bell-count")).to_have_text("1")
    await anna.click("#bell summary")
    await expect(anna.locator("#notices li")).to_have_count(1)
    await expect(anna.locator("#notices a")).to_have_text("+39 050 123 4567 was assigned to you")
    assert await barriers(anna) == []
    assert await outside(anna) == []
    for tab in (anna, other):
        await expect(tab.locator("#bell-count")).to_be_hidden()
    await anna.reload()
    await anna.click("#bell summary")
    await expect(anna.locator("#notices li")).to_have_count(1)
    await anna.click("#notices a")
    await anna.wait_for_url(f"**/callers/{caller}")


async def test_the_browser_is_asked_only_by_a_click(enter: Enter) -> None:
    page = await enter("anna", language="en")
    await page.add_init_script(
        "window.asked = 0; Notification.requestPermission = async () => { window.asked += 1; return 'denied'; };"
    )
    await page.reload()
    await expect(page.locator("#state")).to_have_attribute("data-state", "live")
    assert await page.evaluate("asked") == 0
    await page.click("#bell summary")
    await page.click("#notify-browser")
    await expect(page.locator(".toast.bad")).to_contain_text("does not allow")
    assert await page.evaluate("asked") == 1
    await expect(page.locator("#notify-browser")).not_to_be_checked()
