"""The drill: everything is destroyed, the backup is brought back. Is every report and every list what it was?"""

import shutil
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import Edge
from tests.journeys.system import System, command
from tests.journeys.waiting import eventually
from tests.kit.servers import digits_anywhere

pytestmark = [pytest.mark.servers, pytest.mark.slow]

NUMBER, OTHER, LATER = "0502718282", "0503141592", "0501414213"
QUEUE = "Vendite"


def richiamo(system: System, *arguments: str) -> str:
    done = subprocess.run(
        [command(), *arguments], env=system.variables, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def destroy(system: System) -> None:
    """End it and remove every file it kept."""
    assert system.process is not None
    system.process.send_signal(signal.SIGTERM)
    assert system.process.wait(timeout=60) == 0
    shutil.rmtree(system.folder / "var")


def told(system: System) -> dict[str, Any]:
    """Every report of the last days, and every open request."""
    admin = people.admin(system)
    period = {"from": pbx.site_day(pbx.now() - timedelta(days=2)), "to": pbx.site_day()}
    reports = {name: admin.report(name, **period) for name in ("dashboard", "code-caller", "historical")}
    reports["day"] = admin.report("day", day=period["from"])
    items = admin.requests("all", queue=QUEUE)
    return reports | {"requests": sorted(items, key=lambda one: one["request_id"])}


def differing(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What is not as it was, of which report; raises with it, so that the last look says it."""
    found = [f"{name}: {before[name]} was, {now[name]} is" for name in before if now[name] != before[name]]
    assert found == []
    return found


def test_what_was_destroyed_comes_back_and_who_was_erased_stays_away(own: System, tmp_path: Path) -> None:
    edge = Edge(own)
    anna = people.hire(own, "anna", name="Anna Rossi")
    began = pbx.now() - timedelta(days=1)
    edge.records(
        pbx.lost(NUMBER, QUEUE, began),
        pbx.lost(OTHER, QUEUE, began + timedelta(minutes=1)),
        pbx.lost(LATER, QUEUE, began + timedelta(minutes=2)),
        pbx.recall(OTHER, began + timedelta(minutes=9), by=anna.extension, talk=42.0, ring=4),
    )
    waiting = eventually(
        lambda: {one["number"]: one for one in anna.requests("recall", queue=QUEUE)},
        so_that=lambda seen: set(seen) == {pbx.e164(NUMBER), pbx.e164(LATER)},
    )
    reserved = anna.reserve(waiting[pbx.e164(LATER)]["caller_id"])
    people.admin(own).report("dashboard", **{"from": pbx.site_day(began), "to": pbx.site_day()})
    assert reserved.status_code == 200
    eventually(lambda: anna.requests("mine", queue=QUEUE))
    before = told(own)
    request = waiting[pbx.e164(NUMBER)]["request_id"]
    assert f"Dunque la richiesta {request} è aperta" in richiamo(own, "explain", request, "--language", "it")
    yesterday = ("--day", pbx.site_day(began), "--figure", "recalled")
    assert "Requests behind it: 1" in richiamo(own, "explain", "dashboard", *yesterday)
    first = tmp_path / "first"
    richiamo(own, "backup", str(first))

    destroy(own)
    assert "Brought back" in richiamo(own, "restore", str(first), "--yes")
    own.start()
    eventually(lambda: differing(told(own), before) == [], what="every report and every request as it was")
    assert "All is well" in richiamo(own, "check")

    richiamo(own, "erase", NUMBER, "--yes")
    second = tmp_path / "second"
    richiamo(own, "backup", str(second))
    assert digits_anywhere(second, NUMBER[1:].encode()) == []
    destroy(own)
    said = richiamo(own, "restore", str(first), "--register", str(second), "--yes")
    assert "1 callers that were erased" in said
    own.start()
    left = [one["number"] for one in people.admin(own).requests("all", queue=QUEUE)]
    assert left == [pbx.e164(LATER)]
    assert "All is well" in richiamo(own, "check")
    assert digits_anywhere(own.folder / "var", NUMBER[1:].encode()) == []
