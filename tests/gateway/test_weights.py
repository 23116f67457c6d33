"""How many bytes does an operator's page cost, with 10,000 requests open?"""

import re

import httpx
import psycopg
import pytest

from richiamo_gateway.pages.missed_calls.filters import ROWS
from tests.gateway.conftest import House

pytestmark = pytest.mark.servers

PAGE = 60 * 1024
SCRIPT = 40 * 1024
OPEN = 10_000
_ROWS = """
INSERT INTO view_worklist.request (request_id, caller_id, recorded_from, queue, type, called, source, account_code, calls,
                           recalled, first_call, last_call, last_recall, routing_only)
SELECT md5('r' || n), md5('c' || n), now(), 'Coda ' || n %% 7, 'queue', '0501234567', '', '', 1 + n %% 5, n %% 3,
       now() - n * interval '47 seconds', now() - n * interval '13 seconds',
       CASE WHEN n %% 3 > 0 THEN now() - n * interval '11 seconds' END, false
FROM generate_series(1, %(open)s) AS n
"""
_NUMBERS = """
INSERT INTO view_worklist.number (caller_id, number, digits)
SELECT md5('c' || n), '+39' || (300000000 + n * 7919 %% 99999999), '39' || (300000000 + n * 7919 %% 99999999)
FROM generate_series(1, %(open)s) AS n
"""


async def test_the_page_of_missed_calls_weighs_little(house: House, queue_service: None, database_url: str) -> None:
    anna = await house.person("anna", extension="200")
    assert (await anna.get("/requests")).json()["total"] == 0
    with psycopg.connect(database_url) as connection:
        connection.execute(_ROWS, {"open": OPEN})
        connection.execute(_NUMBERS, {"open": OPEN})
    token = anna.headers["Authorization"].removeprefix("Bearer ")
    async with httpx.AsyncClient(
        base_url=house.url, cookies={"richiamo": token}, headers={"Accept-Encoding": "gzip"}
    ) as browser:
        page = await browser.get("/missed-calls", headers={"Accept": "text/html"})
        assert page.text.count("<tr id=") == ROWS, "whatever is open, a page has as many rows"
        assert f"{OPEN:,}".replace(",", ".") in page.text
        weights = {"/missed-calls": page.num_bytes_downloaded}
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            answer = await browser.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"], address
            weights[address.partition("?")[0]] = answer.num_bytes_downloaded
        # A page of the next version may ask this one while it takes over: nothing is kept under a mark that is not its own.
        for query in ("", "?0123456789"):
            assert (await browser.get(f"/static/app.css{query}")).headers["Cache-Control"] == "no-cache"
        assert (await browser.get("/static/none.css")).headers["Cache-Control"] == "no-store"
    script = sum(weight for address, weight in weights.items() if address.endswith(".js"))
    assert {"/static/app.js", "/static/app.css"} <= weights.keys()
    assert script < SCRIPT, weights
    assert sum(weights.values()) < PAGE, weights
