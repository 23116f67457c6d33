"""Can a supervisor close many customers at once, knowingly, and undo it?"""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]


async def test_the_selected_are_closed_with_a_reason_and_come_back(enter: Enter, lose_call: Lose) -> None:
    callers = [await lose_call(f"+39050123456{end}") for end in range(3)]
    page = await enter("sara", role="supervisor")
    await page.goto("/flush")
    await expect(page.locator("#picked")).to_be_hidden()
    for caller in callers[:2]:
        await page.locator(f"#caller-{caller} .pick-one").check()
    await expect(page.locator("#picked-count")).to_have_text("2 selezionati")
    await page.click("#ask-flush")
    await expect(page.locator("#sure")).to_contain_text("Saranno chiusi 2 clienti")
    await expect(page.locator("#sure-sample")).to_contain_text("+39 050 123 4560")
    await page.click("#sure-form .danger")
    await expect(page.locator("#sure")).to_be_visible()
    await page.fill("#reason", "Guasto della linea")
    await page.click("#sure-form .danger")
    await expect(page.locator("#toasts")).to_contain_text("2 clienti chiusi")
    await expect(page.locator("#callers tr")).to_have_count(1)
    await expect(page.locator("#count")).to_have_text("1")
    await page.locator("#toasts button").click()
    await expect(page.locator("#callers tr")).to_have_count(3)


async def test_what_was_closed_comes_back_from_the_history_later_too(
    enter: Enter, lose_call: Lose, house: House
) -> None:
    callers = [await lose_call(f"+39050123456{number}") for number in range(2)]
    sara = await enter("sara", role="supervisor", language="en")
    closed = await (await house.login("sara", "pw-sara")).post(
        "/flushes", json={"caller_ids": callers, "reason": "Test calls"}
    )
    assert closed.status_code == 201
    anna = await enter("anna", language="en")
    await anna.goto(f"/callers/{callers[0]}")
    await expect(anna.locator(".timeline")).to_contain_text("Closed by Sara without a recall")
    await expect(anna.locator("[data-do=undo-flush]")).to_have_count(0)
    await sara.goto(f"/callers/{callers[0]}")
    await sara.click("[data-do=undo-flush]")
    await expect(sara.locator("#toasts")).to_contain_text("undone")
    await expect(sara.locator("[data-do=undo-flush]")).to_have_count(0)
    await sara.goto("/flush")
    await expect(sara.locator("#callers tr")).to_have_count(2)
    await sara.goto(f"/callers/{callers[1]}")
    await expect(sara.locator("[data-do=undo-flush]")).to_have_count(0)


async def test_all_that_match_are_more_than_a_page(enter: Enter, lose_call: Lose) -> None:
    for number in range(103):
        await lose_call(f"+390501234{number:03}")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/flush")
    await expect(page.locator("#count")).to_have_text("103")
    await expect(page.locator("#callers tr")).to_have_count(100)
    await page.click("#paging a[rel=next]")
    await expect(page.locator("#callers tr")).to_have_count(3)
    await page.check("#pick-page")
    await page.click("#pick-all")
    await expect(page.locator("#picked-count")).to_have_text("103 selected")
    await page.click("#ask-flush")
    await page.keyboard.type("Test calls")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("103 customers closed")
    await expect(page.locator("#empty")).to_contain_text("Nothing to recall")


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_neither_page_nor_dialog_has_a_barrier(
    enter: Enter, lose_call: Lose, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    await page.goto("/flush")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator("#picked")).to_be_visible()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.click("#ask-flush")
    await expect(page.locator("#sure")).to_be_visible()
    assert await barriers(page) == []
