"""How many bytes does a page take, and how many does each row add? Ceilings, for words are allowed to change.

And what is done for it: what is asked of the servers, and how much is gone through to write a row.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import richiamo_gateway
from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import language_of
from richiamo_gateway.pages.rendering import environment
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House, house, listening, queue_service, reporting_service
from tests.gateway.lost_calls import caller_of, lose
from tests.work.counting import Counts, counted_nats, counted_postgres

__all__ = ["house", "queue_service", "reporting_service"]
servers = pytest.mark.servers

CALLS_EACH_ROW = 3000
ROWS = 30
PAGE_WITHOUT_ROWS = 25_000
EACH_ROW = 2_500
SCRIPTS_AND_STYLES = 80_000


@servers
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


@servers
async def test_a_page_of_lost_calls_asks_four_questions_and_looks_twice_into_the_database(
    queue_service: None, nats_url: str, database_url: str
) -> None:
    counts = Counts()
    statements = []
    async with (
        counted_nats(nats_url, counts) as counted_url,
        counted_postgres(database_url, counts) as counted_database,
        listening(counted_url, counted_database) as house,
    ):
        anna = await house.person("anna")
        for _ in range(5):
            counts.clear()
            assert (await anna.get(f"{house.url}/missed-calls")).status_code == 200
            questions = {name.split()[-1]: times for name, times in counts.items() if " richiamo.queue." in name}
            assert questions == {"richiamo.queue.requests": 3, "richiamo.queue.summary": 1}
            statements.append(counts.of("sql "))
    # Whose session it is; BEGIN, how the list looks to its user, ROLLBACK. The gateway's own sweeps may fall between.
    assert min(statements) <= 4


def test_to_write_a_row_is_little_work() -> None:
    """Counted as calls of functions, which no other load moves; to look for a locale's pattern alone took 2,000 a row."""
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    item: dict[str, Any] = {
        "request_id": "r",
        "caller_id": "c",
        "number": "+390501234567",
        "queue": "Vendite",
        "calls": 3,
        "recalled": 2,
        **{
            name: (now - timedelta(days=3)).isoformat()
            for name in ("first_call", "last_call", "last_recall", "overdue_at")
        },
        "overdue": True,
        "routing_only": False,
        "availability": {"now": True, "from": "10:00", "to": "12:00"},
    }
    row = environment("it").get_template("missed_calls/row.html").module.row  # type: ignore[attr-defined]
    formats = Formats(language_of("it"), ZoneInfo("Europe/Rome"), now)
    row(item, formats)
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        row(item, formats)
    finally:
        sys.setprofile(before)
    print(f"a row of the list: {calls} calls")
    assert 0 < calls < CALLS_EACH_ROW
