"""Does the customer's phone ring, once? Against a Kalliope that behaves as its protocol says."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from richiamo_events.ids import DialId
from richiamo_kit.clock import Clock, FixedClock, SystemClock
from richiamo_kit.kalliope_rest import KalliopeAccount, authenticate
from richiamo_kit.servers import free_port
from richiamo_queue.dialling.kalliope import KalliopeDialler
from richiamo_queue.dialling.link import LinkDialler
from richiamo_queue.dialling.port import DialFailed, Dialled
from richiamo_queue.dialling.spelling import as_typed
from tests.kalliope.pbx import KalliopePbx, Trouble
from tests.kalliope.running import running

DIAL = DialId("d1")


@pytest.fixture
def pbx() -> KalliopePbx:
    return KalliopePbx()


@pytest.fixture
def url(pbx: KalliopePbx) -> Iterator[str]:
    with running(pbx) as address:
        yield address


def account(url: str, *, password: str = "c2c", domain: str = "default", user: str = "click2call") -> KalliopeAccount:
    return KalliopeAccount(url=url, domain=domain, username=user, password=password, timeout_seconds=0.5)


def dialler(url: str, clock: Clock | None = None, /, **more: str) -> KalliopeDialler:
    return KalliopeDialler(
        account(url, **more),
        lambda number: as_typed(number, country="IT", outside_prefix="0"),
        clock or SystemClock(),
    )


class TestKalliope:
    async def test_the_destination_is_named_first_as_the_site_dials_it(self, pbx: KalliopePbx, url: str) -> None:
        assert await dialler(url).dial("+390501234567", "201", DIAL) == Dialled("kalliope")
        assert [(one.destination, one.source) for one in pbx.dialled] == [("00501234567", "201")]

    async def test_a_second_call_logs_in_anew(self, pbx: KalliopePbx, url: str) -> None:
        for _ in range(2):
            await dialler(url).dial("+390501234567", "201", DIAL)
        assert len(pbx.dialled) == 2

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"password": "wrong"}, "login"),
            ({"domain": "other"}, "domain"),
            ({"user": "admin", "password": "admin"}, "right"),
        ],
    )
    async def test_a_refusal_says_what_is_wrong(
        self, pbx: KalliopePbx, url: str, more: dict[str, str], words: str
    ) -> None:
        with pytest.raises(DialFailed, match=words):
            await dialler(url, None, **more).dial("+390501234567", "201", DIAL)
        assert pbx.dialled == []

    async def test_a_clock_that_is_wrong_is_named(self, url: str) -> None:
        with pytest.raises(DialFailed, match="clock"):
            await dialler(url, FixedClock(datetime(2016, 4, 29, tzinfo=UTC))).dial("+390501234567", "201", DIAL)

    async def test_an_answer_that_does_not_come_is_not_asked_again(self, pbx: KalliopePbx, url: str) -> None:
        pbx.troubles = [Trouble(), Trouble(delay_seconds=1.0)]
        assert await dialler(url).dial("+390501234567", "201", DIAL) == Dialled("kalliope")
        assert len([path for path in pbx.asked if "c2c" in path]) == 1

    async def test_nobody_there_is_a_failure(self) -> None:
        with pytest.raises(DialFailed, match="does not answer"):
            await dialler(f"http://127.0.0.1:{free_port()}").dial("+390501234567", "201", DIAL)

    async def test_no_extension_is_a_failure(self, url: str) -> None:
        with pytest.raises(DialFailed, match="extension"):
            await dialler(url).dial("+390501234567", "", DIAL)

    def test_the_digest_is_that_of_the_published_vector(self) -> None:
        header = authenticate(
            account("", user="admin", password="admin"),
            "b5a8fdcf2f8d5acdad33c4a072a97d7a",
            nonce="bfb79078ff44c35714af28b7412a702b",
            created=datetime(2016, 4, 29, 15, 48, 26, tzinfo=UTC),
        )
        assert header == (
            'RestApiUsernameToken Username="admin", Domain="default", '
            'Digest="+PJg7Tb3v98XnL6iJVv+v5hwhYjdzQ2tIWxvJB2cE40=", '
            'Nonce="bfb79078ff44c35714af28b7412a702b", Created="2016-04-29T15:48:26Z"'
        )


class TestSpelling:
    @pytest.mark.parametrize(
        ("number", "typed"),
        [
            ("+390501234567", "00501234567"),
            ("+393331234567", "03331234567"),
            ("+4930123456", "0004930123456"),
            ("201", "201"),
        ],
    )
    def test_with_an_outside_prefix(self, number: str, typed: str) -> None:
        assert as_typed(number, country="IT", outside_prefix="0") == typed


async def test_a_link_rings_nothing_by_itself() -> None:
    assert await LinkDialler().dial("+39 050 1234567", "201", DIAL) == Dialled("link", "tel:+390501234567")
