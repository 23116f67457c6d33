"""Is a figure that disagrees with another found, counted, and led back to its requests?"""

from typing import Any

import pytest

from richiamo_kit import metrics
from richiamo_reporting.questions import Question, read
from richiamo_reporting.reconciliation import Reconciliation
from tests.reporting.conftest import View
from tests.reporting.log import instant
from tests.reporting.test_dashboard import a_monday

pytestmark = pytest.mark.servers

MONDAY = {"from": "2026-03-02", "to": "2026-03-02"}


def shown(identity: str) -> float:
    [family] = metrics.IDENTITY_BREACHES.collect()
    return sum(sample.value for sample in family.samples if sample.labels["identity"] == identity)


async def damage(view: View, closed_by: str) -> None:
    async with view.pool.connection() as connection:
        await connection.execute(
            f"UPDATE {view.schema}.request SET closed_by = %s WHERE request_id = 'main:1.1' AND closed_at IS NOT NULL".encode(),
            (closed_by,),
        )


async def test_a_request_without_an_outcome_is_named(view: View) -> None:
    await view.apply(a_monday().events)
    assert (await view.reports.check(read(Question, MONDAY)))["breaches"] == []
    await damage(view, "nobody knows")
    found = (await view.reports.check(read(Question, MONDAY)))["breaches"]
    day = [breach for breach in found if breach["identity"] == "D1" and breach["day"] == "2026-03-02"]
    assert [breach["requests"] for breach in day] == [["main:1.1"]]
    assert "main:1.1" in day[0]["sentence"]


async def test_the_metric_counts_what_does_not_hold_and_forgets_what_holds_again(view: View) -> None:
    await view.apply(a_monday().events)
    view.clock.set(instant("2026-03-05 12:00:00"))
    reconciliation = Reconciliation(view.reports)
    await reconciliation.once()
    assert shown("D1") == 0
    await damage(view, "nobody knows")
    await reconciliation.once()
    assert shown("D1") == 2  # The day, and the period.
    await damage(view, "recalled")
    await reconciliation.once()
    assert shown("D1") == 0


async def test_a_pass_looks_at_one_older_week_each_time(view: View) -> None:
    await view.apply(a_monday().events)
    await damage(view, "nobody knows")
    view.clock.set(instant("2026-03-20 12:00:00"))
    reconciliation = Reconciliation(view.reports)
    await reconciliation.once()
    assert shown("D1") == 0
    await reconciliation.once()
    assert shown("D1") == 2


def named(found: list[dict[str, Any]], identity: str, day: str = "2026-03-02") -> list[list[str]]:
    return [breach["requests"] for breach in found if (breach["identity"], breach["day"]) == (identity, day)]


async def test_what_is_open_and_neither_opened_nor_closed_is_named(view: View) -> None:
    await view.apply(a_monday().events)
    await damage(view, "nobody knows")
    found = (await view.reports.check(read(Question, MONDAY)))["breaches"]
    assert named(found, "D4") == [["main:1.1"]]
    assert all(shown in str(found) for shown in ("D4 does not hold for 2026-03-02", "requests main:1.1"))


@pytest.mark.parametrize(
    ("table", "which", "identity", "requests"),
    [
        ("daily_requests", "closed_by = 'recalled'", "S (dashboard recalled)", ["main:1.1"]),
        ("daily_callers", 'stood = \'[["Assistenza", "open"]]\'', "S (historical not_yet)", ["main:1.2", "main:1.3"]),
        (
            "daily_queues",
            "queue = 'Assistenza' AND figure = 'not_recalled'",
            "S (code-caller not_recalled)",
            ["main:1.3"],
        ),
    ],
)
async def test_a_sum_that_does_not_say_what_the_facts_say_is_named(
    view: View, table: str, which: str, identity: str, requests: list[str]
) -> None:
    await view.apply(a_monday().events)
    async with view.pool.connection() as connection:
        changed = await connection.execute(f"UPDATE {view.schema}.{table} SET n = n + 1 WHERE {which}".encode())
        assert changed.rowcount == 1
    assert named((await view.reports.check(read(Question, MONDAY)))["breaches"], identity) == [requests]


async def test_the_metric_says_which_day(view: View) -> None:
    await view.apply(a_monday().events)
    view.clock.set(instant("2026-03-05 12:00:00"))
    await damage(view, "nobody knows")
    await Reconciliation(view.reports).once()
    [family] = metrics.IDENTITY_BREACHES.collect()
    places = {(one.labels["identity"], one.labels["day"]) for one in family.samples if one.value}
    assert {("D1", "2026-03-02"), ("D4", "2026-03-02"), ("D1", "")} <= places
