"""Is every report readable on paper? A4 landscape, with its filters, who printed it and when; nothing to press."""

import re

import pytest

from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import settled

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.usefixtures("reporting_service")]

REPORTS = (
    "/report",
    "/dashboard?queue=Vendite",
    "/code-caller?queue=Vendite",
    "/historical",
    "/reports/dashboard/requests?figure=total",
)
_SIZE = re.compile(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]")
_A4 = (842, 595)
"""Points, landscape."""


async def test_every_report_is_printed_whole_in_light_colours_and_says_of_what_by_whom_and_when(
    enter: Enter, lose_call: Lose
) -> None:
    await lose_call("+390501234567")
    page = await enter("sara", role="supervisor", language="en", dark=True)
    for path in REPORTS:
        await page.goto(path)
        await settled(page)
        await page.emulate_media(media="print")
        assert "Printed by Sara" in await page.inner_text("main .printed"), path
        assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light", path
        if "queue" in path:
            assert "Vendite" in await page.inner_text("main .head .chip"), path
        left = page.locator("nav:visible, header.top:visible, .btn:visible, .toast:visible")
        assert await left.count() == 0, f"{path}: on paper nothing can be pressed"
        heads = await page.evaluate(
            "[...document.querySelectorAll('thead')].map((one) => getComputedStyle(one).display)"
        )
        assert set(heads) <= {"table-header-group"}, f"{path}: heads are repeated on each page"
        cut = await page.evaluate(
            "[...document.querySelectorAll('main table, .chart svg')].filter((one) => one.scrollWidth > innerWidth).length"
        )
        assert cut == 0, path
        paper = await page.pdf(prefer_css_page_size=True, print_background=True)
        sizes = {(round(float(wide)), round(float(high))) for wide, high in _SIZE.findall(paper)}
        assert sizes == {_A4}, path
        await page.emulate_media(media="screen")
