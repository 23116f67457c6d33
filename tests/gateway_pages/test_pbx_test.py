"""Does the button say what is wrong with the PBX? A real browser, a real ingest, a simulated Kalliope."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from pydantic import SecretStr

from richiamo_ingest.app import serving
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.messaging import ask, make_broker
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.check_pbx import asked
from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter
from tests.gateway_pages.test_every_page import barriers
from tests.ingest.polled import lost
from tests.ingest.running import until
from tests.kalliope.pbx import KalliopePbx, Trouble
from tests.kalliope.running import running

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def pbx() -> KalliopePbx:
    return KalliopePbx(records=[lost(datetime.now(UTC) - timedelta(minutes=20))])


@pytest.fixture
def url(pbx: KalliopePbx) -> Iterator[str]:
    with running(pbx) as address:
        yield address


@pytest_asyncio.fixture
async def ingest_service(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[None]:
    settings = IngestSettings(
        nats_url=SecretStr(nats_url),
        database_url=SecretStr(database_url),
        data_dir=data_dir,
        ingest_port=0,
        cdr_password=SecretStr("secret"),
    )
    async with serving(settings) as service:
        await until(lambda: service.link.client is not None)
        yield


@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 390)])
async def test_the_button_tests_what_is_typed_and_answers_in_words(
    enter: Enter, house: House, ingest_service: None, pbx: KalliopePbx, url: str, language: str, dark: bool, width: int
) -> None:
    italian = language == "it"
    page = await enter("sara", role="admin", language=language, dark=dark, width=width)
    await page.goto("/settings")
    button = page.get_by_role("button", name="Prova il centralino" if italian else "Test the PBX")
    answer = page.locator("#pbx-answer p")
    await page.fill("[name=pbx_url]", url)
    await page.fill("[name=cdr_user]", "nobody")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(answer).to_have_text(
        "Cartellini delle chiamate: Il centralino rifiuta utente o password."
        if italian
        else "Call records: The PBX refuses user or password."
    )
    await expect(answer).to_have_class("wrong")
    assert await button.evaluate("one => one === document.activeElement"), "the focus stays"
    assert house.gateway.site.history == [], "testing saves nothing"
    assert await page.input_value("[name=cdr_user]") == "nobody"

    await page.fill("[name=cdr_user]", "cdr")
    pbx.troubles = [Trouble(delay_seconds=0.6)]
    await button.focus()
    await page.keyboard.press("Space")
    await expect(answer).to_have_text("Chiedo al centralino …" if italian else "Asking the PBX …")
    await expect(answer).to_have_text(
        "Cartellini delle chiamate: tutto bene, i numeri sono interi. Chiamate lette: 1."
        if italian
        else "Call records: all is well, the numbers are whole. Calls read: 1."
    )
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await barriers(page) == []

    await page.fill("[name=pbx_url]", "not an address")
    await button.click()
    await expect(answer).to_contain_text("Indirizzo del centralino" if italian else "Address of the PBX")


async def test_the_page_says_how_the_poll_goes(
    enter: Enter, house: House, ingest_service: None, pbx: KalliopePbx, url: str
) -> None:
    pbx.privacy.clear()
    await house.gateway.rules.change({"cdr_poll": True, "pbx_url": url, "cdr_user": "cdr"}, by="admin", key=None)
    page = await enter("sara", role="admin", language="en")
    async with page.expect_response("**/settings/pbx/poll"):
        await page.goto("/settings")
    await until(lambda: pbx.periods)
    state = page.locator("#poll-state p")
    for _ in range(50):
        async with page.expect_response("**/settings/pbx/poll"):
            await page.reload()
        if "xxx" in await state.first.text_content(timeout=1000):  # type: ignore[operator]
            break
    await expect(state).to_contain_text("the right to see whole numbers")
    await expect(state).to_have_class("wrong")
    assert await barriers(page) == []


async def test_the_command_says_the_same(
    house: House, ingest_service: None, queue_service: None, url: str, nats_url: str
) -> None:
    await house.gateway.rules.change({"pbx_url": url, "cdr_user": "cdr", "dial_how": "kalliope"}, by="admin", key=None)
    broker = make_broker(nats_url, name="test")
    await broker.start()
    try:
        lines = await asked(lambda subject, payload: ask(broker, subject, payload))
    finally:
        await broker.stop()
    told = {title: (well, words) for title, well, words in lines}
    assert told["Call records"][0]
    assert told["Click to call"] == (False, "The PBX refuses user or password.")
    assert told["Poll"] == (True, "Off (setting cdr_poll): records must come by push or file.")
