"""Is what is wrong with click to call over AMI said before anybody clicks, and does nothing ring for it?"""

from dataclasses import replace
from pathlib import Path

import pytest

from richiamo_events.settings import SiteSettings
from richiamo_kit.clock import SystemClock
from richiamo_queue.dialling.checking import DiallingCheck
from richiamo_queue.settings import Settings
from tests.asterisk.pbx import AsteriskPbx, running


@pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        ("nothing", None),
        ("secret", "credentials"),
        ("right", "rights"),
        ("port", "no_ami"),
        ("banner", "no_ami"),
        ("file", "ami_not_set_up"),
        ("host", "ami_not_set_up"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_rings(tmp_path: Path, wrong: str, trouble: str | None) -> None:
    secret = tmp_path / "ami.secret"
    if wrong != "file":
        secret.write_text("no secret" if wrong == "secret" else "ami secret")
    async with running(AsteriskPbx()) as pbx:
        if wrong == "right":
            pbx.users["richiamo"] = replace(pbx.users["richiamo"], write=frozenset({"reporting"}))
        if wrong == "banner":
            pbx.trouble.banner = "220 mail"
        settings = Settings(
            ami_host="" if wrong == "host" else "127.0.0.1",
            ami_port=1 if wrong == "port" else pbx.port,
            ami_secret_file=secret,
        )
        check = DiallingCheck(settings, SiteSettings, SystemClock())
        answer = await check.answer({"settings": {"dial_how": "ami"}})
        assert (answer["on"], answer["ok"], answer["trouble"]) == (True, trouble is None, trouble)
        assert answer["words"]
        assert pbx.originated == []
