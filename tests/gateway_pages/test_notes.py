"""Can two people write about a customer without losing a word, with mouse and keyboard?"""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway.test_sessions import problem
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

NUMBER = "+390501234567"


@pytest.mark.servers
async def test_the_api_reads_writes_and_refuses_with_the_other_text(
    house: House, queue_service: None, lose_call: Lose
) -> None:
    caller = await lose_call(NUMBER)
    anna, bruno = await house.person("anna"), await house.person("bruno")
    await anna.get("/requests", headers={"Min-Position": str(await house.gateway.people.position_of("bruno"))})
    first = await anna.put(f"/callers/{caller}/note", json={"text": "invoice"})
    assert first.status_code == 200, first.text
    read = (await bruno.get(f"/callers/{caller}/note")).json()
    assert (read["text"], read["by"], read["version"]) == ("invoice", "anna", first.json()["version"])
    body = problem(await bruno.put(f"/callers/{caller}/note", json={"text": "mine"}), 409, "note-changed")
    assert body["note"] == read
    timeline = (await bruno.get(f"/callers/{caller}/timeline")).json()
    assert timeline["note"]["text"] == "invoice"
    assert "note_written" in {item["kind"] for item in timeline["items"]}
    assert (await anna.get("/callers/nobody/note")).status_code == 404
    assert (await anna.put(f"/callers/{caller}/note", json={"text": 3})).status_code == 422


@pytest.mark.servers
@pytest.mark.browser
async def test_what_was_typed_stays_when_somebody_else_was_faster(enter: Enter, lose_call: Lose, house: House) -> None:
    caller = await lose_call(NUMBER)
    page = await enter("anna", language="en")
    await page.click("#rows th a")
    await page.fill("#note-text", "Call after six")
    bruno = await house.person("bruno")
    answer = await bruno.put(f"/callers/{caller}/note", json={"text": "Wants the invoice"})
    assert answer.status_code == 200, answer.text
    await page.click("#note .btn")
    await expect(page.locator("#note [role=alert]")).to_contain_text("Bruno wrote meanwhile:")
    await expect(page.locator("#note blockquote")).to_have_text("Wants the invoice")
    await expect(page.locator("#note-text")).to_have_value("Call after six")
    assert await barriers(page) == []
    await page.click("[data-note=both]")
    await expect(page.locator("#note-text")).to_have_value("Wants the invoice\nCall after six")
    await page.click("#note .btn")
    await expect(page.locator("#toasts")).to_contain_text("Note saved")
    await page.goto(f"/callers/{caller}")
    await expect(page.locator("#note-text")).to_have_value("Wants the invoice\nCall after six")
    await expect(page.locator(".timeline")).to_contain_text("Anna wrote a note")


@pytest.mark.servers
@pytest.mark.browser
async def test_the_call_in_progress_shows_the_note_and_leads_to_it(enter: Enter, lose_call: Lose) -> None:
    caller = await lose_call(NUMBER)
    page = await enter("anna", language="en", extension="204")
    await page.click("#rows .take")
    await page.click(f"#mine-{caller} [data-do=details]")
    await page.fill("#note-text", "Ask for the order number")
    await page.keyboard.press("Escape")
    await expect(page.locator("#toasts")).to_contain_text("The note is not saved")
    await expect(page.locator("#details")).to_be_visible()
    await page.click("#note .btn")
    await expect(page.locator("#toasts")).to_contain_text("Note saved")
    await page.keyboard.press("Escape")
    await expect(page.locator("#details")).to_be_hidden()
    await page.route("tel:*", lambda route: route.abort())
    await page.click("#mine .call")
    await expect(page.locator("#calling .noted")).to_have_text("Ask for the order number")
    # A headless browser takes no clicks after it has followed a tel: link.
    await page.evaluate("document.querySelector('[data-do=note]').click()")
    await expect(page.locator("#note-text")).to_be_focused()
