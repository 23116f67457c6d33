"""Do the pages for Asterisk and FreePBX tell the truth? Their snippets are used as they stand."""

import configparser
import re
from pathlib import Path

import pytest

from richiamo_events.ids import DialId
from richiamo_events.settings import SiteSettings
from richiamo_ingest.asterisk.events import CLASSES, Ear
from richiamo_ingest.asterisk.parse import CdrRow
from richiamo_ingest.kalliope.routing import read_routing
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.ami import AmiAccount, connected
from richiamo_queue.dialling.ami import AmiDialler, Plan, living
from richiamo_queue.dialling.port import Dialled
from tests.asterisk.lines import RECEIVED, T0, TABLE, judged, master
from tests.asterisk.pbx import AsteriskPbx, User, abandon, record, running
from tests.asterisk.test_files import DIALLED

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["connect-asterisk.md", "connect-freepbx.md"]


def snippets(page: str, language: str = "") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def settings(snippet: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(delimiters=("=>", "="), interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(snippet)
    return parsed


def manager_user(page: str) -> User:
    (section,) = [read["richiamo"] for one in snippets(page, "ini") if "richiamo" in (read := settings(one))]
    rights = {name: frozenset(section[name].split(",")) for name in ("read", "write")}
    return User(section["secret"], rights["read"], rights["write"])


@pytest.mark.parametrize("page", PAGES)
async def test_the_user_of_the_ami_may_do_what_is_needed_and_no_more(page: str) -> None:
    user = manager_user(page)
    assert user.read == set(CLASSES.split(","))
    pbx = AsteriskPbx(users={"richiamo": user})
    pbx.channels = [[("Uniqueid", "1.2"), ("Linkedid", "1.2")]]
    async with running(pbx):
        account = AmiAccount(host="127.0.0.1", port=pbx.port, username=IngestSettings().ami_user, secret=user.secret)
        assert await AmiDialler(account, Plan.of(SiteSettings()), str).dial("0501", "201", DialId("d")) == Dialled(
            "ami"
        )
        assert await living(account) == {"1.2"}
        async with connected(account, events=CLASSES) as connection:
            await abandon(pbx, f"{T0}.1", "0501234567")
            await record(pbx, DIALLED)
            heard = {message["event"] for _ in range(4) if (message := await connection.event(2.0))}
    assert {"QueueCallerAbandon", "Cdr"} <= heard
    for right in ("read", "write"):
        for needless in ({"system"}, {"command"}, {"config"}, {"all"}):
            assert not getattr(user, right) & needless


@pytest.mark.parametrize("page", PAGES)
def test_the_mappings_of_the_record_are_those_that_are_read(page: str) -> None:
    (mapped,) = [dict(read["mappings"]) for one in snippets(page, "ini") if "mappings" in (read := settings(one))]
    said = {name.lower(): "7" for name in mapped.values()} | {"uniqueid": "1.2", "disposition": "BUSY"}
    row = Ear("main").hear({"event": "Cdr", "starttime": "2026-03-02 10:00:00", **said}, RECEIVED)
    assert isinstance(row, CdrRow)
    assert (row.call, row.sequence) == ("7", 7)
    assert "did" not in mapped or row.did == "7"
    assert "cnum" not in mapped or row.source == "7"


@pytest.mark.parametrize("page", PAGES)
def test_the_xml_of_the_dialplan_is_read(page: str) -> None:
    (line,) = re.findall(r"Set\(BODY=(.*)\)$", (DOCS / page).read_text(), re.MULTILINE)
    told = {"CHANNEL(linkedid)": f"{T0}.1", "CALLERID(num)": "0501234567", "EXTEN": "600", "FROM_DID": "0509876543"}
    told |= {"RICHIAMO_QUEUE": "600", "RICHIAMO_CALLED": "0509876543"}
    body = re.sub(r"\$\{([^}]+)\}", lambda name: told[name[1]], line)
    report = read_routing(body.encode(), {}, pbx="main", received_at=RECEIVED)
    assert (report.call.unique_id, report.caller, report.queue, report.called) == (
        f"{T0}.1",
        "0501234567",
        "600",
        "0509876543",
    )
    assert report.type == "queue"


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_the_environment_is_one(page: str) -> None:
    named = set(re.findall(r"RICHIAMO_(\w+)=", (DOCS / page).read_text())) - {"QUEUE", "CALLED"}
    assert {name.lower() for name in named} <= set(IngestSettings.model_fields)


def test_the_columns_of_freepbx_are_read_as_mysql_writes_them() -> None:
    lines = ["\t".join(TABLE), "\t".join(DIALLED[name] or "NULL" for name in TABLE)]
    lines[1] = lines[1].replace("\t\t", '\t"Anna "N." <201>\t', 1)
    assert judged(lines) == judged(master(DIALLED))
