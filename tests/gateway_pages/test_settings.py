"""Can an administrator set the rules, and see who changed them? The settings page in a real browser."""

import pytest
from playwright.async_api import expect

from richiamo_events.language import SettingsChanged
from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_what_changed_is_saved_at_once_and_told(
    enter: Enter, house: House, language: str, dark: bool, width: int
) -> None:
    page = await enter("sara", role="admin", language=language, dark=dark, width=width)
    await page.goto("/settings")
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.fill("[name=success_threshold_seconds]", "7,5")
    await page.fill("[name=queue_aliases]", "Sales = Vendite\nHelp = Assistenza")
    await page.check("[name=import_checktime]")
    await house.gateway.rules.change({"cooldown_minutes": 90}, by="admin", key=None)
    await page.click("#settings .sticky button")
    await expect(page.locator(".saved")).to_be_visible()
    settings = house.gateway.site.settings
    assert settings.success_threshold_seconds == 7.5
    assert settings.queue_aliases == (("Help", "Assistenza"), ("Sales", "Vendite"))
    assert settings.import_checktime
    assert settings.cooldown_minutes == 90, "what somebody else changed meanwhile stays"
    assert len(house.gateway.site.history) == 2, "one change for everything that was typed"
    rows = page.locator("#history tbody tr")
    await expect(rows).to_have_count(4)
    threshold = rows.filter(has_text="7,5" if language == "it" else "7.5")
    await expect(threshold).to_contain_text("Sara")
    await expect(threshold.locator("td").nth(2)).to_have_text("5")
    assert await barriers(page) == []


async def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_saved(enter: Enter, house: House) -> None:
    page = await enter("sara", role="admin", language="en")
    await page.goto("/settings")
    await page.fill("[name=reservation_minutes]", "soon")
    await page.fill("[name=timezone]", "Mars/Base")
    await page.fill("[name=queue_aliases]", "no equals sign")
    await page.fill("[name=record_minutes]", "20")
    await page.click("#settings .sticky button")
    await expect(page.locator("#reservation_minutes-wrong")).to_have_text("Write a whole number from 1 to 1440.")
    await expect(page.locator("#timezone-wrong")).to_be_visible()
    await expect(page.locator("#queue_aliases-wrong")).to_be_visible()
    assert await page.input_value("[name=reservation_minutes]") == "soon"
    assert house.gateway.site.history == []
    assert await barriers(page) == []
    await page.fill("[name=reservation_minutes]", "40")
    await page.fill("[name=timezone]", "Europe/Rome")
    await page.fill("[name=queue_aliases]", "")
    await page.click("#settings .sticky button")
    await expect(page.locator(".saved")).to_be_visible()
    changed = house.gateway.site.history[0].data
    assert isinstance(changed, SettingsChanged)
    assert changed.values == {"reservation_minutes": 40, "record_minutes": 20}


async def test_the_indicator_is_tried_before_it_is_saved(enter: Enter) -> None:
    page = await enter("sara", role="admin", language="en")
    await page.goto("/settings")
    await page.fill("#preview-at", "10:30")
    await page.fill("[name=availability_minutes]", "45")
    await expect(page.locator("#preview-hours")).to_have_text("09:45 – 11:15")
    await page.fill("[name=availability_minutes]", "720")
    await expect(page.locator("#preview .av")).to_have_class("av now")
    await expect(page.locator("#link_template-hint")).to_contain_text("<callernum> <extenNum>")
    assert "<unique_id>%UNIQUE_ID%</unique_id>" in await page.input_value("#xml-routing")
    assert (await page.input_value("#url-routing")).endswith(":8081/voipToCall/kalliopeToCall/insert/")
