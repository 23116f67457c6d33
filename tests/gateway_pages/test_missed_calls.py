"""Do two operators at two browsers see the same truth, at once, with mouse and keyboard?"""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from richiamo_events.opening import DAYS
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose

pytestmark = [pytest.mark.browser, pytest.mark.servers]

"""Milliseconds in which others see a change (`ui.md` rule 6)."""
NUMBER = "+390501234567"
SHOWN = "+39 050 123 4567"


async def test_a_lost_call_becomes_a_row_within_a_second(enter: Enter, lose_call: Lose) -> None:
    page = await enter("anna")
    await expect(page.locator("#empty")).to_contain_text("Non è ancora stata segnalata nessuna chiamata")
    await lose_call(NUMBER)
    await expect(page.locator("#rows tr th a")).to_have_text(SHOWN)
    await expect(page.locator("#rows .av")).to_have_text("Ora")
    await expect(page.locator("#count")).to_have_text("1")


async def test_the_help_names_its_keys_in_a_narrow_window_too(enter: Enter) -> None:
    page = await enter("anna", width=360)
    await page.keyboard.press("?")
    await expect(page.locator("#help kbd").first).to_be_visible()


@pytest.mark.parametrize("path", ["/missed-calls", "/assign", "/flush"])
async def test_who_installs_it_is_led_from_the_empty_list_to_the_pbx(enter: Enter, path: str) -> None:
    page = await enter("ada", role="admin")
    await page.goto(path)
    await page.click("#empty a")
    await expect(page.locator("#pbx #url-routing")).to_be_in_viewport()


async def test_a_reservation_is_seen_by_everybody_and_moves_to_its_holder(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    anna, bruno = await enter("anna"), await enter("bruno")
    await anna.click("#rows .take")
    await expect(bruno.locator("#rows tr.held")).to_contain_text("Prenotata da Anna")
    await expect(anna.locator("#mine .number")).to_have_text(SHOWN)
    await expect(bruno.locator("#mine .mine")).to_have_count(0)
    await anna.click("#mine [data-do=release]")
    await expect(bruno.locator("#rows tr[data-state=free]")).to_have_count(1)
    await expect(anna.locator("#mine .mine")).to_have_count(0)


async def test_the_good_moment_of_a_customer_is_that_of_the_newest_call_in_whichever_queue(
    enter: Enter, lose_call: Lose
) -> None:
    await lose_call(NUMBER, "Amministrazione", timedelta(hours=6))
    await lose_call(NUMBER, "Vendite")
    anna = await enter("anna")
    await anna.locator("#rows .take").first.click()
    await expect(anna.locator("#mine .mine .facts").first).to_contain_text("Amministrazione, Vendite")
    await expect(anna.locator("#mine .av")).to_have_text("Ora")


async def test_a_refusal_tells_the_holder_in_the_row_and_moves_the_focus_on(
    enter: Enter, lose_call: Lose, house: House
) -> None:
    caller = await lose_call(NUMBER)
    other = await lose_call("+390212345678")
    bruno = await enter("bruno")
    await bruno.route("**/live*", lambda route: route.abort())
    await bruno.reload()
    anna = await house.person("anna")
    answer = await anna.put(f"/callers/{caller}/reservation")
    assert answer.status_code == 200
    await bruno.evaluate("document.documentElement.classList.remove('stale')")
    await bruno.click(f'[data-caller="{caller}"] .take')
    await expect(bruno.locator(f'tr[data-caller="{caller}"]')).to_contain_text("Prenotata da Anna")
    await expect(bruno.locator(f'tr[data-caller="{other}"] .take')).to_be_focused()
    await expect(bruno.locator("dialog[open]")).to_have_count(0)


async def test_everything_can_be_done_with_keys(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    await lose_call("+390212345678")
    page = await enter("anna")
    await page.keyboard.press("j")
    await expect(page.locator("#rows tr:first-child th a")).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await expect(page.locator("#details h2").first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#rows tr:first-child th a")).to_be_focused()
    await page.keyboard.press("p")
    await expect(page.locator("#mine .mine")).to_have_count(1)
    await page.keyboard.press("u")
    await expect(page.locator("#mine .mine")).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("f")
    await expect(page.locator("#search [name=caller]")).to_be_focused()


async def test_letters_are_only_letters_when_the_shortcuts_are_off(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    page = await enter("anna")
    await page.evaluate("localStorage.setItem('shortcuts', 'off')")
    await page.reload()
    await page.keyboard.press("?")
    await page.keyboard.press("j")
    await expect(page.locator("#help")).to_be_hidden()
    assert await page.evaluate("document.activeElement === document.body")


async def test_a_call_leaves_the_list_for_a_strip_and_can_be_put_back(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    page = await enter("anna", extension="204")
    await page.click("#rows .take")
    await page.click("#mine .call")
    await expect(page.locator("#calling .strip")).to_contain_text(SHOWN)
    await expect(page.locator("#mine .mine")).to_have_count(0)
    # A headless browser takes no clicks after it has followed a tel: link.
    await page.evaluate("document.querySelector('[data-do=put-back]').click()")
    await expect(page.locator("#mine .number")).to_have_text(SHOWN)


async def test_the_filter_lives_in_the_address(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER, "Vendite")
    await lose_call("+390212345678", "Assistenza")
    page = await enter("anna")
    await page.click("#search summary")
    await page.fill("#search [name=queue]", "Assistenza")
    await page.click("#search .buttons button")
    await page.wait_for_url("**/missed-calls?queue=Assistenza")
    await expect(page.locator("#rows tr")).to_have_count(1)
    await expect(page.locator(".chip.on")).to_contain_text("Coda: Assistenza")
    await page.goto("/missed-calls?caller=999")
    await expect(page.locator("#empty")).to_contain_text("Nessuna richiesta corrisponde")
    await page.click("#empty a")
    await expect(page.locator("#rows tr")).to_have_count(2)


async def test_arrivals_wait_behind_a_pill_while_the_list_is_in_use(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    page = await enter("anna")
    await page.hover("#rows tr")
    await lose_call("+390212345678")
    await expect(page.locator("#pill")).to_have_text("1 nuova")
    await expect(page.locator("#rows tr")).to_have_count(1)
    await page.keyboard.press(".")
    await expect(page.locator("#rows tr")).to_have_count(2)
    await expect(page.locator("#pill")).to_be_hidden()


async def test_sorting_by_each_column_and_paging_reach_everything(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    page = await enter("anna")
    for column in range(await page.locator("#queue thead th a").count()):
        await page.locator("#queue thead th a").nth(column).click()
        await expect(page.locator("#queue thead th[aria-sort=none]")).to_have_count(7)
        await expect(page.locator("#rows tr")).to_have_count(1)


async def test_stale_data_is_told_and_cannot_be_reserved(enter: Enter, lose_call: Lose) -> None:
    await lose_call(NUMBER)
    page = await enter("anna")
    await page.context.set_offline(True)
    await expect(page.locator("#state")).to_have_attribute("data-state", "offline")
    await page.context.set_offline(False)
    await expect(page.locator("#state")).to_have_attribute("data-state", "live")


async def test_names_and_queues_are_text_whatever_they_hold(
    enter: Enter, lose_call: Lose, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    await lose_call(NUMBER, "<img src=x onerror=alert(1)>")
    page: Page = await enter("anna", name="<b>Anna</b>")
    await expect(page.locator("#rows .queue")).to_have_text("<img src=x onerror=alert(1)>")
    await expect(page.locator(".who .name")).to_have_text("<b>Anna</b>")


async def test_outside_the_opening_hours_no_moment_is_a_good_one(enter: Enter, lose_call: Lose, house: House) -> None:
    await lose_call(NUMBER)
    local = house.gateway.clock.now().astimezone(house.gateway.site.settings.zone)
    # Neither today nor, should midnight come meanwhile, tomorrow.
    other = DAYS[(local.weekday() + 3) % 7]
    page = await enter("anna")
    await expect(page.locator("#rows .av")).to_have_text("Ora")
    await house.gateway.rules.change({"opening_hours": f"{other} 09:00-18:00"}, by="admin", key=None)
    await page.reload()
    await expect(page.locator("#rows .av")).to_have_text("fuori fascia")
    await expect(page.locator("#opening")).to_have_text("Oggi chiuso")
    await page.evaluate("document.querySelector('#rows .av').className = 'av now'")
    await expect(page.locator("#rows .av")).to_have_class("av off")
