"""Does the gateway tell Prometheus where the log ends?"""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.gateway.conftest import House

pytestmark = pytest.mark.servers


async def log_position(url: str) -> float:
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"{url}/metrics")).text
    (family,) = [one for one in text_string_to_metric_families(told) if one.name == "richiamo_log_position"]
    return float(family.samples[0].value)


async def test_the_position_grows_with_the_log(house: House) -> None:
    before = await log_position(house.url)
    await house.person("anna")
    assert await log_position(house.url) == before + 1
