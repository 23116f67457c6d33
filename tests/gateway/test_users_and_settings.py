"""Do users and settings change as asked, and are bad wishes refused in words?"""

import pytest

from richiamo_events import subjects
from richiamo_events.language import OperatorChanged, SettingsChanged
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway.test_sessions import problem

pytestmark = pytest.mark.servers

ANNA = {"username": "anna", "password": "pw-anna", "name": "Anna Rossi", "role": "operator", "extension": "201"}


class TestUsers:
    async def test_a_created_user_is_listed_at_once(self, house: House, event_store: JetStreamEventStore) -> None:
        admin = await house.admin()
        answer = await admin.post("/users", json={**ANNA, "queues": ["sales"], "language": "en"})
        assert answer.status_code == 201
        position = answer.json()["position"]
        listed = (await admin.get("/users", headers={"Min-Position": str(position)})).json()["items"]
        assert listed[1] == {
            "username": "anna",
            "name": "Anna Rossi",
            "role": "operator",
            "extension": "201",
            "queues": ["sales"],
            "language": "en",
            "active": True,
            "masked": False,
        }
        events = [event async for event in event_store.read(subject=subjects.OPERATORS)]
        assert [event.position for event in events][-1] == position
        assert isinstance(events[-1].data, OperatorChanged)
        assert "pw-anna" not in str(events)

    async def test_roles_are_nested(self, house: House) -> None:
        anna, berta, admin = await house.person("anna"), await house.person("berta", "supervisor"), await house.admin()
        for path, who in (("/users", [admin]), ("/settings", [admin]), ("/session", [admin, berta, anna])):
            for client in (anna, berta, admin):
                answer = await client.get(path)
                if client in who:
                    assert answer.status_code == 200
                else:
                    assert problem(answer, 403, "not-allowed")["needs"] == "admin"
        problem(await anna.get("/requests?view=all"), 403, "not-allowed")
        problem(await anna.get("/callers"), 403, "not-allowed")
        problem(await anna.get("/reports/dashboard"), 403, "not-allowed")

    async def test_a_name_is_taken_once(self, house: House) -> None:
        admin = await house.admin()
        assert (await admin.post("/users", json=ANNA)).status_code == 201
        problem(await admin.post("/users", json={**ANNA, "extension": "202"}), 409, "username-taken")
        problem(await admin.post("/users", json={**ANNA, "username": "ANNA", "extension": ""}), 409, "username-taken")

    async def test_an_extension_belongs_to_one_active_user(self, house: House) -> None:
        admin = await house.admin()
        await admin.post("/users", json=ANNA)
        bruno = {**ANNA, "username": "bruno"}
        body = problem(await admin.post("/users", json=bruno), 409, "extension-taken")
        assert body["title"] == "Extension 201 belongs to Anna Rossi (anna)."
        await admin.patch("/users/anna", json={"active": False})
        assert (await admin.post("/users", json=bruno)).status_code == 201
        problem(await admin.patch("/users/anna", json={"active": True}), 409, "extension-taken")

    async def test_what_is_wrong_is_told_for_each_field(self, house: House) -> None:
        admin = await house.admin()
        answer = await admin.post(
            "/users", json={"username": "a b", "password": "", "role": "boss", "extension": "2a", "language": "de"}
        )
        errors = problem(answer, 422, "invalid")["errors"]
        assert isinstance(errors, list)
        assert {error["field"] for error in errors} == {"username", "password", "role", "extension", "language"}
        problem(await admin.post("/users", json={**ANNA, "colour": "red"}), 422, "invalid")
        problem(await admin.patch("/users/nobody", json={"name": "X"}), 404, "not-found")

    async def test_somebody_stays_administrator(self, house: House) -> None:
        admin = await house.admin()
        problem(await admin.patch("/users/admin", json={"active": False}), 409, "last-admin")
        problem(await admin.patch("/users/admin", json={"role": "operator"}), 409, "last-admin")

    async def test_the_same_key_has_one_effect_and_one_answer(self, house: House) -> None:
        admin = await house.admin()
        key = {"Idempotency-Key": "create-anna"}
        first = await admin.post("/users", json=ANNA, headers=key)
        again = await admin.post("/users", json=ANNA, headers=key)
        assert (first.status_code, first.json()) == (again.status_code, again.json())
        other = {**ANNA, "username": "bruno", "extension": ""}
        problem(await admin.post("/users", json=other, headers=key), 422, "invalid")

    async def test_everybody_changes_their_own_language_and_password(self, house: House) -> None:
        anna = await house.person("anna")
        assert (await anna.patch("/session", json={"language": "en"})).json()["language"] == "en"
        wrong = {"password": "better-one", "current_password": "guess"}
        problem(await anna.patch("/session", json=wrong), 422, "invalid")
        right = {"password": "better-one", "current_password": "pw-anna"}
        assert (await anna.patch("/session", json=right)).status_code == 200
        await house.login("anna", "better-one")
        problem(await anna.get("/session"), 401, "not-logged-in")
        problem(await (await house.person("bruno")).patch("/session", json={"role": "admin"}), 422, "invalid")


class TestSettings:
    async def test_they_have_the_defaults_of_the_contract(self, house: House) -> None:
        values = (await (await house.admin()).get("/settings")).json()
        assert values["availability_minutes"] == 30
        assert values["success_threshold_seconds"] == 5
        assert values["operator_extensions"] == []
        assert values["accept_value"] == "1"
        assert values["timezone"] == "Europe/Rome"

    async def test_a_change_is_an_event_with_what_changed(self, house: House, event_store: JetStreamEventStore) -> None:
        admin = await house.admin()
        answer = await admin.patch("/settings", json={"success_threshold_seconds": 10, "cooldown_minutes": 60})
        assert answer.status_code == 200
        assert answer.json()["success_threshold_seconds"] == 10
        assert (await admin.get("/settings")).json()["success_threshold_seconds"] == 10
        events = [event async for event in event_store.read(subject=subjects.SETTINGS)]
        assert [event.data for event in events] == [SettingsChanged(values={"success_threshold_seconds": 10})]
        assert events[0].position == answer.json()["position"]

    async def test_bad_values_are_refused_in_words_and_change_nothing(
        self, house: House, event_store: JetStreamEventStore
    ) -> None:
        admin = await house.admin()
        body = problem(
            await admin.patch("/settings", json={"timezone": "Rome", "cooldown_minutes": 5, "colour": "red"}),
            422,
            "invalid",
        )
        errors = body["errors"]
        assert isinstance(errors, list)
        assert {error["field"] for error in errors} == {"timezone", "colour"}
        assert await event_store.last_on(subjects.SETTINGS) == 0


class TestTextsThatAreNone:
    @pytest.mark.parametrize("text", ["a\\u0000b", "a\\u0007b", "a\\ud800b"])
    async def test_they_are_refused_wherever_they_would_be_kept(self, house: House, text: str) -> None:
        admin = await house.admin()
        sent = {"Content-Type": "application/json"}
        user = f'{{"username": "anna", "password": "pw-anna", "name": "{text}"}}'
        assert (await admin.post("/users", content=user, headers=sent)).status_code == 422
        assert (
            await admin.patch("/settings", content=f'{{"accept_value": "{text}"}}', headers=sent)
        ).status_code == 422
        setting = f'{{"opening_hours": "{text}"}}'
        assert (await admin.patch("/settings", content=setting, headers=sent)).status_code == 422
        flush = f'{{"caller_ids": ["x"], "reason": "{text}"}}'
        assert (await admin.post("/flushes", content=flush, headers=sent)).status_code == 422
        login = f'{{"username": "{text}", "password": "{text}"}}'
        assert (await admin.post("/session", content=login, headers=sent)).status_code in {401, 422}
        problem(await admin.get("/requests?caller=%00"), 422, "invalid")
