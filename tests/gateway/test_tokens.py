"""What may a program do with a token, and when does it end?"""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from richiamo_gateway.auth.schema import api_token
from tests.gateway.conftest import House

pytestmark = pytest.mark.servers


async def test_a_token_covers_its_scopes_and_no_account(house: House, queue_service: None) -> None:
    sara = await house.person("sara", "supervisor", extension="300")
    issued = await sara.post("/tokens", json={"name": "CRM", "scopes": ["read"]})
    assert (issued.status_code, issued.headers["cache-control"]) == (201, "no-store")
    body = issued.json()
    reader = await house.client(body["token"])
    assert (await reader.get("/requests")).status_code == 200
    assert (await reader.get("/callers")).status_code == 200
    refused = await reader.put("/callers/nobody/reservation")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/scope-missing")
    assert refused.json()["scope"] == "operate"
    assert (await reader.get("/users")).status_code == 403, "the role is that of its user"

    both = (await sara.post("/tokens", json={"name": "script", "scopes": ["operate", "read"]})).json()
    worker = await house.client(both["token"])
    assert (await worker.put("/callers/nobody/reservation")).json()["type"] == "/problems/unknown-caller"
    for method, path in (("POST", "/tokens"), ("PATCH", "/session"), ("DELETE", f"/tokens/{body['id']}")):
        answer = await worker.request(method, path, json={"name": "more", "scopes": ["read"]})
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/scope-missing"), path
    assert [one["name"] for one in (await sara.get("/tokens")).json()["items"]] == ["CRM", "script"]
    assert all("token" not in one for one in (await sara.get("/tokens")).json()["items"])


async def test_a_token_ends_when_it_is_revoked_and_when_its_user_leaves(house: House, queue_service: None) -> None:
    anna = await house.person("anna")
    bruno = await house.person("bruno")
    first = (await anna.post("/tokens", json={"name": "a"})).json()
    second = (await anna.post("/tokens", json={"name": "b"})).json()
    assert first["scopes"] == ["read"], "no more than asked for"
    assert (await bruno.delete(f"/tokens/{first['id']}")).status_code == 404, "somebody else's"
    one, two = await house.client(first["token"]), await house.client(second["token"])
    assert (await one.get("/requests")).status_code == 200
    assert (await anna.delete(f"/tokens/{first['id']}")).status_code == 204
    assert (await one.get("/requests")).status_code == 401
    assert (await anna.delete(f"/tokens/{first['id']}")).status_code == 404
    assert (await two.get("/requests")).status_code == 200
    assert (await (await house.admin()).patch("/users/anna", json={"active": False})).status_code == 200
    assert (await two.get("/requests")).status_code == 401


async def test_what_is_kept_does_not_open_anything(house: House, database_url: str) -> None:
    anna = await house.person("anna")
    token = (await anna.post("/tokens", json={"name": "a"})).json()["token"]
    assert token.startswith("rct_")
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    async with engine.connect() as connection:
        kept = str((await connection.execute(select(api_token))).one())
    await engine.dispose()
    assert token not in kept
    assert token.removeprefix("rct_") not in kept


async def test_bad_wishes_are_told(house: House) -> None:
    anna = await house.person("anna")
    for wish in ({"name": ""}, {"name": "a", "scopes": []}, {"name": "a", "scopes": ["admin"]}, {"name": "a\u0000"}):
        assert (await anna.post("/tokens", json=wish)).status_code == 422, wish
    assert (await (await house.client("rct_made-up")).get("/requests")).status_code == 401
