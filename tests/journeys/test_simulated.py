"""Does `richiamo simulate` play a whole call centre against a running Richiamo?"""

import subprocess
from datetime import timedelta

import pytest

from tests.journeys import edge as pbx
from tests.journeys.people import Person
from tests.journeys.system import System, command


@pytest.mark.slow
def test_a_minute_of_calls_and_three_days_of_history(system: System, sara: Person) -> None:
    options = ["--rate", "400", "--seed", "2", "--days", "3", "--calls-per-day", "40", "--duration", "20"]
    done = subprocess.run(
        [command(), "simulate", *options], env=system.variables, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Refused" not in done.stdout, done.stdout
    assert "Customers reserved" in done.stdout
    first = pbx.site_day(pbx.now() - timedelta(days=3))
    told = sara.report("dashboard", **{"from": first, "to": pbx.site_day(), "queue": "Assistenza"})
    totals = told["totals"]
    assert totals["total"] > 5
    assert totals["total"] == sum(totals[name] for name in totals if name != "total")
    assert totals["total"] == sum(day["total"] for day in told["days"])
