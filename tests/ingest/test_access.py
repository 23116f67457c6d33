"""Who is let in at the PBX's door, and does whoever guesses get tired before the password does?"""

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from richiamo_ingest.access import TRIES, TRIES_OF_ADDRESS, WITHIN, Access, Entry, Keys
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.clock import FixedClock
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.ingest.running import INSERT, running_ingest
from tests.ingest.test_http import routing

PBX, STRANGER = "192.0.2.10", "198.51.100.7"
PROXY = "10.0.0.1"


def basic(user: str = "pbx", password: str = "right") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


RIGHT, WRONG = basic(), basic(password="wrong")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def door(clock: FixedClock) -> Access:
    return Access(Keys(user="pbx", password="right", proxies=[ip_network(PROXY)]), clock)


def guess(door: Access, times: int, sender: str = STRANGER, **headers: str) -> None:
    for _ in range(times):
        assert door.enter({**WRONG, **headers}, sender) is Entry.WRONG_CREDENTIALS


class TestGuessing:
    def test_after_some_wrong_tries_even_the_right_password_is_not_looked_at(self, door: Access) -> None:
        guess(door, TRIES)
        assert door.enter(RIGHT, STRANGER) is Entry.TOO_MANY_TRIES

    def test_a_minute_later_it_is_looked_at_again(self, door: Access, clock: FixedClock) -> None:
        guess(door, TRIES)
        clock.advance(WITHIN)
        assert door.enter(RIGHT, STRANGER) is Entry.IN

    def test_trying_on_while_refused_prolongs_nothing(self, door: Access, clock: FixedClock) -> None:
        guess(door, TRIES)
        clock.advance(WITHIN - timedelta(seconds=1))
        assert door.enter(WRONG, STRANGER) is Entry.TOO_MANY_TRIES
        clock.advance(timedelta(seconds=1))
        assert door.enter(RIGHT, STRANGER) is Entry.IN

    def test_a_known_pbx_is_never_refused_for_what_its_neighbours_try(self, door: Access) -> None:
        assert door.enter(RIGHT, PBX) is Entry.IN
        guess(door, 10 * TRIES_OF_ADDRESS, PBX)
        assert door.enter(RIGHT, PBX) is Entry.IN

    def test_a_known_pbx_is_never_refused_for_its_rate(self, door: Access) -> None:
        assert {door.enter(RIGHT, PBX) for _ in range(5000)} == {Entry.IN}

    def test_other_addresses_and_other_users_are_not_concerned(self, door: Access) -> None:
        guess(door, TRIES)
        assert door.enter(RIGHT, PBX) is Entry.IN
        assert door.enter(basic("other"), STRANGER) is Entry.WRONG_CREDENTIALS

    def test_naming_ever_new_users_does_not_help(self, door: Access) -> None:
        said = [door.enter(basic(f"user{number}"), STRANGER) for number in range(TRIES_OF_ADDRESS + 1)]
        assert said[-1] is Entry.TOO_MANY_TRIES
        assert set(said[:-1]) == {Entry.WRONG_CREDENTIALS}

    def test_addresses_of_one_ipv6_network_are_one_guesser(self, door: Access) -> None:
        for number in range(TRIES):
            guess(door, 1, f"2001:db8::{number:x}")
        assert door.enter(RIGHT, "2001:db8::ffff") is Entry.TOO_MANY_TRIES
        assert door.enter(RIGHT, "2001:db8:0:1::1") is Entry.IN

    def test_a_request_without_credentials_is_no_try(self, door: Access) -> None:
        for _ in range(TRIES + 1):
            assert door.enter({}, STRANGER) is Entry.WRONG_CREDENTIALS
        assert door.enter(RIGHT, STRANGER) is Entry.IN


class TestBehindAProxy:
    def test_tries_are_those_of_the_sender_before_it(self, door: Access) -> None:
        guess(door, TRIES, PROXY, **{"x-forwarded-for": STRANGER})
        assert door.enter({**RIGHT, "x-forwarded-for": STRANGER}, PROXY) is Entry.TOO_MANY_TRIES
        assert door.enter({**RIGHT, "x-forwarded-for": PBX}, PROXY) is Entry.IN

    def test_what_the_sender_itself_wrote_there_is_not_believed(self, door: Access) -> None:
        for number in range(TRIES):
            guess(door, 1, PROXY, **{"x-forwarded-for": f"203.0.113.{number}, {STRANGER}"})
        assert door.enter({**RIGHT, "x-forwarded-for": f"203.0.113.99, {STRANGER}"}, PROXY) is Entry.TOO_MANY_TRIES
        guess(door, TRIES, "203.0.113.1")
        assert door.enter({**RIGHT, "x-forwarded-for": PBX}, "203.0.113.1") is Entry.TOO_MANY_TRIES

    def test_without_credentials_set_only_this_machine_is_let_in_also_through_a_proxy(self, clock: FixedClock) -> None:
        door = Access(Keys(proxies=[ip_network("127.0.0.0/8")]), clock)
        assert door.enter({}, "127.0.0.1") is Entry.IN
        assert door.enter({}, "::ffff:127.0.0.1") is Entry.IN
        assert door.enter({"x-forwarded-for": STRANGER}, "127.0.0.1") is Entry.WRONG_CREDENTIALS
        assert door.enter({}, STRANGER) is Entry.WRONG_CREDENTIALS
        assert door.enter({}, None) is Entry.WRONG_CREDENTIALS


class TestCertificate:
    NAME = "CN=KPBX40412345"

    @pytest.fixture
    def door(self, clock: FixedClock) -> Access:
        certificate = ("X-Client-Name", self.NAME)
        keys = Keys(user="pbx", password="right", proxies=[ip_network(PROXY)], certificate=certificate)
        return Access(keys, clock)

    def test_what_the_proxy_checked_lets_in_without_a_password(self, door: Access) -> None:
        assert door.enter({"x-client-name": self.NAME}, PROXY) is Entry.IN

    def test_from_anybody_else_the_header_means_nothing(self, door: Access) -> None:
        assert door.enter({"x-client-name": self.NAME}, STRANGER) is Entry.WRONG_CREDENTIALS

    def test_another_name_does_not_but_the_password_still_does(self, door: Access) -> None:
        other = {"x-client-name": "CN=KPBX00000000"}
        assert door.enter(other, PROXY) is Entry.WRONG_CREDENTIALS
        assert door.enter({**other, **RIGHT}, PROXY) is Entry.IN

    def test_alone_it_lets_nobody_else_in(self, clock: FixedClock) -> None:
        local = ip_network("127.0.0.1")
        door = Access(Keys(proxies=[local], certificate=("X-Client-Name", self.NAME)), clock)
        assert door.enter({}, "127.0.0.1") is Entry.WRONG_CREDENTIALS
        assert door.enter({"x-client-name": self.NAME}, "127.0.0.1") is Entry.IN


def test_only_the_addresses_named_may_try(clock: FixedClock) -> None:
    keys = Keys(user="pbx", password="right", addresses=[ip_network("192.0.2.0/24")], proxies=[ip_network(PROXY)])
    door = Access(keys, clock)
    assert door.enter(RIGHT, PBX) is Entry.IN
    assert door.enter(RIGHT, STRANGER) is Entry.WRONG_ADDRESS
    assert door.enter({**RIGHT, "x-forwarded-for": PBX}, PROXY) is Entry.IN
    assert door.enter({**RIGHT, "x-forwarded-for": STRANGER}, PROXY) is Entry.WRONG_ADDRESS
    assert door.enter({**RIGHT, "x-forwarded-for": "no address"}, PROXY) is Entry.WRONG_ADDRESS


def test_the_environment_names_networks_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RICHIAMO_PBX_ADDRESSES", "192.0.2.10, 2001:db8::/32")
    assert IngestSettings().pbx_addresses == (ip_network("192.0.2.10"), ip_network("2001:db8::/32"))
    monkeypatch.setenv("RICHIAMO_PBX_ADDRESSES", "the PBX")
    with pytest.raises(ValidationError):
        IngestSettings()


def test_half_a_certificate_is_no_setting() -> None:
    with pytest.raises(ValidationError, match="both"):
        IngestSettings(pbx_certificate_name="CN=KPBX40412345")


@pytest.mark.servers
async def test_over_http_a_guesser_hears_401_and_then_429(
    event_store: JetStreamEventStore, tmp_path: Path, nats_url: str, database_url: str
) -> None:
    settings = IngestSettings(
        nats_url=SecretStr(nats_url),
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        ingest_port=0,
        pbx_user="pbx",
        pbx_password=SecretStr("right"),
    )
    async with running_ingest(settings, event_store) as ingest:
        elsewhere = {"X-Forwarded-For": STRANGER}
        said = [
            (await ingest.pbx.post(INSERT, content=routing(), headers=WRONG | elsewhere)).status_code
            for _ in range(TRIES + 1)
        ]
        assert said == [401] * TRIES + [429]
        refused = await ingest.pbx.post(INSERT, content=routing(), headers=RIGHT | elsewhere)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        slipped_in = [*RIGHT.items(), ("X-Forwarded-For", PBX), ("X-Forwarded-For", STRANGER)]
        assert (await ingest.pbx.post(INSERT, content=routing(), headers=slipped_in)).status_code == 429
        assert (await ingest.pbx.post(INSERT, content=routing(), headers=RIGHT)).status_code == 200
