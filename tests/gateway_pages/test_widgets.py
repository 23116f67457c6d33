"""Do boards show what the reports say, and can they be arranged by pointer, button and key?"""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]


async def titles(page: Page) -> list[str]:
    return await page.locator("#board .widget > header h2").all_inner_texts()


async def begin(page: Page, suggestion: str) -> None:
    await page.goto("/widgets")
    await page.locator(f"button[value={suggestion}]").click()
    await page.wait_for_selector("#board .widget")


async def arrange(page: Page) -> None:
    """Begin to arrange the board, with its script at work: before, keys do nothing and buttons send their forms."""
    await page.click("#edit")
    await page.wait_for_url("**edit**")
    await page.wait_for_load_state()


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_a_suggested_board_shows_the_figures_without_a_barrier(
    enter: Enter, lose_call: Lose, language: str, dark: bool, width: int
) -> None:
    await lose_call("+390501234567")
    await lose_call("+390501234568", "Assistenza")
    page = await enter("sara", role="supervisor", language=language, dark=dark, width=width)
    await page.goto("/widgets")
    assert await barriers(page) == []
    await begin(page, "supervisor")
    await expect(page.locator("#w1 .value")).to_have_text("2")
    await expect(page.locator("#board .chart svg path").first).to_be_attached()
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for address in ("?edit=1", "/gallery", "?kiosk=1"):
        await page.goto(page.url.partition("?")[0].removesuffix("/gallery") + address)
        assert await barriers(page) == [], address
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is too wide"


async def test_a_board_is_live(enter: Enter, lose_call: Lose) -> None:
    page = await enter("anna")
    await begin(page, "operator")
    await expect(page.locator("#w1 .value")).to_have_text("0")
    await lose_call("+390501234567")
    await expect(page.locator("#w1 .value")).to_have_text("1")


async def test_widgets_are_moved_sized_and_removed_by_key_and_keep_the_focus(enter: Enter) -> None:
    page = await enter("anna", language="en")
    await begin(page, "operator")
    before = await titles(page)
    await arrange(page)
    await page.focus("#w1")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#w1")).to_have_attribute("data-place", "1")
    assert await titles(page) == [before[1], before[0], *before[2:]]
    await expect(page.locator("#w1")).to_be_focused()
    await page.keyboard.press("+")
    await expect(page.locator("#w1.size-M")).to_be_focused()
    await page.keyboard.press("Delete")
    await expect(page.locator("#w1")).to_have_count(0)
    await page.reload()
    assert await titles(page) == [before[1], *before[2:]]


async def test_widgets_are_moved_by_button_and_by_pointer(enter: Enter) -> None:
    page = await enter("anna", language="en")
    await begin(page, "operator")
    before = await titles(page)
    await arrange(page)
    await page.click("#w2 [data-tool=later]")
    await expect(page.locator("#w2")).to_have_attribute("data-place", "2")
    await expect(page.locator("#w2 [data-tool=later]")).to_be_focused()
    assert await titles(page) == [before[0], before[2], before[1], before[3]]
    await page.drag_and_drop("#w4 > header", "#w1 > header")
    await expect(page.locator("#w4")).to_have_attribute("data-place", "0")
    assert await titles(page) == [before[3], before[0], before[2], before[1]]


async def test_a_widget_is_added_from_the_gallery_and_filtered(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    await lose_call("+390501234568", "Assistenza")
    page = await enter("sara", role="supervisor", language="en")
    await begin(page, "wall")
    await arrange(page)
    await page.click("text=Add")
    await page.locator("button[value='dashboard.totals.total']").click()
    added = page.locator("#board .widget").last
    await expect(added).to_be_focused()
    await expect(added.locator(".value")).to_have_text("2")
    await added.locator("[name=queue]").fill("Assistenza")
    await added.locator("[data-tool=filter]").click()
    await expect(page.locator("#board .widget").last.locator(".value")).to_have_text("1")


async def test_an_operator_sees_of_a_published_board_what_is_theirs_to_see(enter: Enter, house: House) -> None:
    sara = await enter("sara", role="supervisor", language="en")
    await begin(sara, "supervisor")
    await arrange(sara)
    await sara.click("text=Publish to everybody")
    await expect(sara.get_by_text("published to everybody")).to_be_visible()
    address = sara.url.partition("?")[0]
    anna = await enter("anna", language="en")
    await anna.goto(address + "?edit=1")
    await expect(anna.locator("#w1 .value")).to_have_text("0")
    await expect(anna.locator("#w2")).to_contain_text("Only supervisors see this.")
    assert await anna.locator(".tools").count() == 0
    answer = await anna.request.post(address + "/title", form={"title": "Mine"}, max_redirects=0)
    assert answer.status == 403
    await anna.goto(f"{house.url}/widgets/{'0' * 32}")
    await expect(anna.locator("main")).to_contain_text("404")


async def test_a_title_full_of_html_is_only_a_title(enter: Enter) -> None:
    page = await enter("anna", language="en")
    await page.goto("/widgets")
    await page.fill("[name=title]", "<script>alert(1)</script>")
    await page.click("text=Create")
    await expect(page.locator("main .muted").first).to_contain_text("<script>alert(1)</script>")


async def test_a_board_shows_how_it_was_and_is_not_changed_there(enter: Enter, lose_call: Lose) -> None:
    first = await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", language="en")
    await page.wait_for_selector(f"#rows tr[data-caller='{first}']")
    between = datetime.now(UTC).isoformat().replace("+", "%2B")
    second = await lose_call("+390501234568")
    await page.wait_for_selector(f"#rows tr[data-caller='{second}']")
    await begin(page, "supervisor")
    await expect(page.locator("#w1 .value")).to_have_text("2")
    await page.goto(f"/widgets?as_of={between}")
    await page.wait_for_selector("#past")
    assert "as_of=" in page.url
    assert await page.inner_text("#w1 .value") == "1"
    assert (await page.inner_text("#w2 .value")).strip() == "1"
    await expect(page.locator("#edit")).to_have_count(0)
    assert await barriers(page) == []
    await page.goto(f"{page.url}&edit=1")
    await expect(page.locator("#board")).not_to_have_attribute("data-edit", "")
    await page.click("#past a")
    await expect(page.locator("#w1 .value")).to_have_text("2")
