"""Does the simulated Kalliope behave as `protocols.md` says, traps included?"""

import csv
import io
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.kalliope.cdr import Record
from tests.kalliope.digest import digest, header, password_digest
from tests.kalliope.pbx import SALT, KalliopePbx, Trouble
from tests.kalliope.running import running

VECTOR_CREATED = "2016-04-29T15:48:26Z"
VECTOR_NONCE = "bfb79078ff44c35714af28b7412a702b"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2018, 5, 8, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


CLOCK = Clock()
LOST = Record(
    {
        "unique_id": "1525773600.1",
        "source_type": "ibl",
        "destination_type": "queue",
        "status": "OK",
        "start_datetime": "2018-05-08 12:00:00",
        "end_datetime": "2018-05-08 12:00:40",
        "caller": "0501234567",
        "called": "0509876543",
        "bill_secs": "40",
        "duration": "40",
    },
    (
        {"detail_destination_type": "ivr", "detail_destination_name": "Menu", "detail_exit_cause": "NCC"},
        {"detail_destination_type": "queue", "detail_destination_name": "Assistenza", "detail_exit_cause": "CANCELED"},
    ),
)
EARLIER = Record(LOST.summary | {"unique_id": "1522500000.1", "start_datetime": "2018-03-31 14:40:00"})


@pytest.fixture
def pbx() -> KalliopePbx:
    return KalliopePbx(clock=CLOCK, records=[EARLIER, LOST])


@pytest.fixture
def client(pbx: KalliopePbx) -> Iterator[httpx.Client]:
    with running(pbx) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def token(
    username: str = "cdr", password: str = "secret", nonce: str = "", created: datetime | None = None
) -> dict[str, str]:
    instant = (created or CLOCK()).strftime("%Y-%m-%dT%H:%M:%SZ")
    value = header(
        password, SALT, username=username, domain="default", nonce=nonce or secrets.token_hex(8), created=instant
    )
    return {"X-authenticate": value, "Accept": "application/json"}


def test_the_published_vector() -> None:
    assert password_digest("admin", SALT) == "dd7b0be7fa37d6cbaf0b842bf7532f229cb79ab8d54d509c2aa7eea27a53cd5e"
    made = digest("admin", SALT, username="admin", domain="default", nonce=VECTOR_NONCE, created=VECTOR_CREATED)
    assert made == "+PJg7Tb3v98XnL6iJVv+v5hwhYjdzQ2tIWxvJB2cE40="


class TestSalt:
    def test_json_when_asked_for(self, client: httpx.Client) -> None:
        answer = client.get("/rest/salt/default", headers={"Accept": "application/json"})
        assert answer.json() == {"salt": SALT}

    def test_xml_otherwise(self, client: httpx.Client) -> None:
        answer = client.get("/rest/salt/default", headers={"Accept": "*/*"})
        assert ET.fromstring(answer.text).findtext("salt") == SALT

    def test_another_domain_has_none(self, client: httpx.Client) -> None:
        assert client.get("/rest/salt/other").status_code == 404


class TestTheDoor:
    def test_a_good_header_is_let_in_once(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        same = token(nonce="0123456789abcdef")
        assert client.get("/rest/cdr/summary", headers=same).status_code == 200
        assert client.get("/rest/cdr/summary", headers=same).status_code == 401
        assert pbx.refused == ["nonce used before"]

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_clock_more_than_five_minutes_away_is_refused(
        self, client: httpx.Client, pbx: KalliopePbx, minutes: int
    ) -> None:
        far = CLOCK() + timedelta(minutes=minutes)
        assert client.get("/rest/cdr/summary", headers=token(created=far)).status_code == 401
        assert pbx.refused == ["clocks differ"]

    def test_wrong_password(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        assert client.get("/rest/cdr/summary", headers=token(password="wrong")).status_code == 401
        assert pbx.refused == ["wrong digest"]

    def test_a_short_nonce(self, client: httpx.Client) -> None:
        assert client.get("/rest/cdr/summary", headers=token(nonce="0123456")).status_code == 401

    def test_no_header(self, client: httpx.Client) -> None:
        assert client.get("/rest/cdr/summary").status_code == 401


class TestRecords:
    def test_summary_has_no_legs_and_detailed_repeats_the_call_for_each(self, client: httpx.Client) -> None:
        summary = client.get("/rest/cdr/summary/2018/05/08", headers=token()).json()
        detailed = client.get("/rest/cdr/detailed/2018/05/08", headers=token()).json()
        assert [row["unique_id"] for row in summary] == ["1525773600.1"]
        assert not any(name.startswith("detail_") for name in summary[0])
        assert [row["detail_destination_name"] for row in detailed] == ["Menu", "Assistenza"]

    def test_the_names_of_2020(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        pbx.generation = "2020"
        row = client.get("/rest/cdr/summary/2018/05", headers=token()).json()[0]
        assert (row["id"], row["source"], row["start_time"]) == ("1525773600.1", "ibl", "2018-05-08 12:00:00")

    def test_xml(self, client: httpx.Client) -> None:
        answer = client.get("/rest/cdr/detailed/2018/05/08", headers=token() | {"Accept": "application/xml"})
        assert [row.findtext("unique_id") for row in ET.fromstring(answer.text)] == ["1525773600.1"] * 2

    def test_csv_begins_with_a_hash(self, client: httpx.Client) -> None:
        answer = client.get("/rest/cdr/summary/2018/05/08", headers=token() | {"Accept": "text/csv"})
        assert answer.text.startswith("#unique_id,")
        assert next(csv.DictReader(io.StringIO(answer.text[1:])))["caller"] == "0501234567"

    @pytest.mark.parametrize(
        ("days", "calls"),
        [
            ("", 2),
            ("/2018", 2),
            ("/2017-2018", 2),
            ("/2018/03", 1),
            ("/2018/03-05/08-08", 2),
            ("/2018/04-05/01-08", 1),
            ("/2019", 0),
        ],
    )
    def test_days_in_the_path(self, client: httpx.Client, days: str, calls: int) -> None:
        assert len(client.get(f"/rest/cdr/summary{days}", headers=token()).json()) == calls

    def test_hours_in_a_json_body(self, client: httpx.Client) -> None:
        hours = {"cdr": {"begin": "2018-05-08 12:00:00", "end": "2018-05-08 14:00:00"}}
        assert len(client.post("/rest/cdr/summary", json=hours, headers=token()).json()) == 1

    def test_hours_in_an_xml_body(self, client: httpx.Client) -> None:
        hours = "<cdr><begin>2018-05-08 12:00:01</begin><end>2018-05-08 14:00:00</end></cdr>"
        answer = client.post("/rest/cdr/summary", content=hours, headers=token() | {"Content-Type": "application/xml"})
        assert answer.json() == []

    def test_admin_sees_masked_numbers(self, client: httpx.Client) -> None:
        row = client.get("/rest/cdr/summary/2018/05", headers=token("admin", "admin")).json()[0]
        assert row["caller"] == "0501234xxx"


class TestClickToCall:
    def test_destination_first(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        answer = client.get("/rest/phoneServices/c2c/0501234567/201", headers=token("click2call", "c2c"))
        assert answer.status_code == 200
        assert (pbx.dialled[0].destination, pbx.dialled[0].source) == ("0501234567", "201")

    def test_the_record_comes_without_having_been_announced(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        client.get("/rest/phoneServices/c2c/0501234567/201", headers=token("click2call", "c2c"))
        made = pbx.ring_back(talk_seconds=5.2)
        assert made.summary["source_type"] == "local_exten"
        assert made.summary["answer_datetime"] == "2018-05-08 12:00:10"

    def test_only_its_user_may_dial(self, client: httpx.Client) -> None:
        assert client.get("/rest/phoneServices/c2c/0501234567/201", headers=token()).status_code == 403

    def test_another_verb_is_refused(self, client: httpx.Client) -> None:
        answer = client.post("/rest/phoneServices/c2c/0501234567/201", headers=token("click2call", "c2c"))
        assert answer.status_code == 405


class TestTrouble:
    def test_slow(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        pbx.troubles.append(Trouble(delay_seconds=2))
        with pytest.raises(httpx.ReadTimeout):
            client.get("/rest/salt/default", timeout=0.2)

    def test_an_error_page_in_html(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        pbx.troubles.append(Trouble(status=502))
        assert client.get("/rest/cdr/summary", headers=token()).status_code == 502
        assert client.get("/rest/cdr/summary", headers=token()).status_code == 200

    def test_half_an_answer(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        pbx.troubles.append(Trouble(cut_to_bytes=30))
        with pytest.raises(json.JSONDecodeError):
            client.get("/rest/cdr/summary", headers=token()).json()

    def test_garbage(self, client: httpx.Client, pbx: KalliopePbx) -> None:
        pbx.troubles.append(Trouble(garbage=b"\x00\xff"))
        assert client.get("/rest/cdr/summary", headers=token()).content == b"\x00\xff"
