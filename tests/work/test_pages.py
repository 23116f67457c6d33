"""How many bytes does a page take, and how many does each row add? Ceilings, for words are allowed to change."""

from pathlib import Path

import pytest

import richiamo_gateway
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House, house, queue_service, reporting_service
from tests.gateway.lost_calls import caller_of, lose

__all__ = ["house", "queue_service", "reporting_service"]

pytestmark = pytest.mark.servers

ROWS = 30
PAGE_WITHOUT_ROWS = 25_000
EACH_ROW = 2_500
SCRIPTS_AND_STYLES = 80_000


async def test_a_page_of_lost_calls_and_each_of_its_rows(
    house: House, queue_service: None, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    anna = await house.person("anna")

    async def page(position: int) -> int:
        answer = await anna.get(f"{house.url}/missed-calls", headers={"Min-Position": str(position)})
        assert answer.status_code == 200
        return len(answer.content)

    async def one_more(number: int) -> int:
        caller = await caller_of(event_store, data_dir, f"+3905012345{number:02d}")
        return await lose(event_store, caller, f"17000000{number:02d}.1")

    position = await one_more(0)
    with_one = await page(position)
    for number in range(1, ROWS + 1):
        position = await one_more(number)
    each = (await page(position) - with_one) / ROWS
    print(f"a page of lost calls: {with_one - each:.0f} bytes, and {each:.0f} a row")
    assert with_one - each < PAGE_WITHOUT_ROWS
    assert each < EACH_ROW


def test_what_an_operator_s_browser_loads_once() -> None:
    static = Path(richiamo_gateway.__file__).parent / "static"
    assert sum((static / name).stat().st_size for name in ("app.css", "app.js", "theme.js")) < SCRIPTS_AND_STYLES
