"""Does anybody notice that every view is made anew and switched? No request fails, no row is missing for an instant."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.journeys import edge as pbx
from tests.journeys.edge import Edge
from tests.journeys.people import Person
from tests.journeys.system import System, command
from tests.journeys.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.slow]


class Work:
    """Four things that people and programs do over and over; each fails when something was lost or went back."""

    def __init__(self, edge: Edge, anna: Person, sara: Person, queue: str, database: str) -> None:
        self.edge, self.anna, self.sara, self.queue, self.database = edge, anna, sara, queue, database
        self.today = pbx.site_day(pbx.now())
        self.shown: set[str] = set()
        self.position = self.requests = self.calls = 0
        self.done = dict.fromkeys(("list_all", "report", "analyse", "lose_and_reserve"), 0)

    def list_all(self) -> None:
        answer = self.sara.api.get("/requests", params={"view": "all", "queue": self.queue, "limit": 1000})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        there = {item["number"] for item in body["items"]}
        assert self.shown <= there, f"rows vanished: {self.shown - there}"
        assert body["position"] >= self.position, "the list went back"
        self.shown, self.position = there, body["position"]

    def report(self) -> None:
        total = self.sara.report("dashboard", **{"from": self.today, "to": self.today, "queue": self.queue})["totals"]
        assert total["total"] >= self.requests, "the report went back"
        self.requests = total["total"]

    def analyse(self) -> None:
        with psycopg.connect(self.database) as connection:
            row = connection.execute(
                "SELECT count(*) FROM bi.fact_missed_call WHERE queue = %s", (self.queue,)
            ).fetchone()
        assert row is not None
        assert row[0] >= self.calls, "the BI schema went back"
        self.calls = row[0]

    def lose_and_reserve(self) -> None:
        number = pbx.new_number()
        self.edge.loses(number, self.queue)
        (row,) = eventually(lambda: self.anna.requests("recall", queue=self.queue, caller=number))
        position = self.anna.reserve(row["caller_id"]).json()["position"]
        answer = self.anna.api.get(
            "/requests", params={"view": "mine", "caller": number}, headers={"Min-Position": str(position)}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == 1, "one's own reservation is not shown"

    @contextmanager
    def all_along(self) -> Iterator[list[str]]:
        """Each of the four in a thread of its own; the faults that they ran into."""
        ended = threading.Event()
        faults: list[str] = []

        def over_and_over(name: str) -> None:
            while not ended.is_set() and not faults:
                try:
                    getattr(self, name)()
                except (AssertionError, httpx.HTTPError, psycopg.Error) as fault:
                    faults.append(f"{name}: {fault!r}")
                self.done[name] += 1

        threads = [threading.Thread(target=over_and_over, args=(name,)) for name in self.done]
        for thread in threads:
            thread.start()
        try:
            yield faults
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def test_readers_and_writers_notice_nothing_while_every_view_is_rebuilt_and_switched(
    system: System, edge: Edge, anna: Person, sara: Person, queue: str
) -> None:
    database = json.loads((system.folder / "var" / "run" / "endpoints.json").read_text())["database_url"]
    work = Work(edge, anna, sara, queue, database)
    work.lose_and_reserve()
    with psycopg.connect(database) as connection:
        eventually(lambda: connection.execute("SELECT 1 FROM pg_views WHERE viewname = 'freshness'").fetchone())
    with work.all_along() as faults:
        rebuild = subprocess.run(
            [command(), "rebuild", "all"],
            env=system.variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        meanwhile = dict(work.done)
        # Also the instants after the last switch.
        eventually(lambda: faults or work.done["lose_and_reserve"] > meanwhile["lose_and_reserve"] + 2)
    assert faults == []
    assert rebuild.returncode == 0, rebuild.stderr
    assert rebuild.stderr.count(", as it was.") == 5
    assert min(meanwhile.values()) > 2, meanwhile
    assert beside(database) == []


def test_ctrl_c_leaves_no_trace_of_any_view_that_was_being_made(system: System, anna: Person) -> None:
    database = json.loads((system.folder / "var" / "run" / "endpoints.json").read_text())["database_url"]
    # On a busy machine it may be done before the signal comes: then once more.
    eventually(lambda: interrupted_rebuild(system, database) == 130)
    assert beside(database) == []
    assert anna.api.get("/requests").status_code == 200


def interrupted_rebuild(system: System, database: str) -> int:
    """The exit code of a rebuild that gets a Ctrl-C as soon as its first view is being made."""
    rebuild = subprocess.Popen([command(), "rebuild", "all"], env=system.variables, stderr=subprocess.PIPE)
    eventually(lambda: beside(database) or rebuild.poll() is not None)
    rebuild.send_signal(signal.SIGINT)
    _, said = rebuild.communicate(timeout=60)
    assert rebuild.returncode in {0, 130}, said
    return rebuild.returncode


def beside(database: str) -> list[str]:
    """The schemas of views that are being made, or were replaced."""
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '_(next|old)$'").fetchall()
    return [name for (name,) in found]
