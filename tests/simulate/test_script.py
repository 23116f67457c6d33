"""Does the same seed always play the same calls, and do they look like those of a PBX?"""

import json
from datetime import UTC, date, datetime
from itertools import islice, pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from richiamo_ops.simulate.history import batches, days_before
from richiamo_ops.simulate.people import scene
from richiamo_ops.simulate.script import live, past_day
from richiamo_ops.simulate.steps import Dial, ReportNotice, ReportRecord, ReportRouting, Reserve, Step
from richiamo_ops.simulate.wire import NoticeForm, RecordForm, notification, records, routing

ROME = ZoneInfo("Europe/Rome")
BEGINS = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WHO = scene(3, operator_count=4)


def played(seed: int, count: int = 3000) -> list[Step]:
    return list(islice(live(seed, WHO, BEGINS, rate=6), count))


def test_one_seed_plays_the_same_steps_and_another_seed_other_ones() -> None:
    assert played(1) == played(1)
    assert played(1) != played(2)


def test_steps_come_in_the_order_of_their_instants() -> None:
    assert all(earlier.at <= later.at for earlier, later in pairwise(played(1)))


def test_the_rate_is_that_of_lost_calls_a_minute() -> None:
    steps = played(1)
    minutes = (steps[-1].at - BEGINS).total_seconds() / 60
    lost = {
        s.call.unique_id
        for s in steps
        if isinstance(s, ReportRecord) and s.call.legs[-1:] and not s.call.legs[-1].answered_at
    }
    assert 5 < len(lost) / minutes < 9


def test_every_source_of_a_lost_call_appears_and_customers_are_rung_back() -> None:
    kinds = {type(step) for step in played(1)}
    assert {ReportRouting, ReportNotice, ReportRecord, Reserve, Dial} <= kinds


def test_talks_lie_on_both_sides_of_the_threshold() -> None:
    talks = {s.call.bill_seconds for s in played(1) if isinstance(s, ReportRecord) and not s.call.inbound}
    assert {0.0, 5.0, 5.2} <= talks


def test_a_call_has_an_id_of_its_own() -> None:
    calls = {s.call.unique_id: s.call for s in played(1) if isinstance(s, ReportRecord)}
    again = [s for s in played(1) if isinstance(s, ReportRecord)]
    assert len(again) > len(calls), "some records come twice"
    assert all(calls[step.call.unique_id] == step.call for step in again)


def test_a_past_day_is_the_same_whenever_it_is_imported() -> None:
    friday = date(2026, 2, 27)
    assert past_day(1, WHO, friday, ROME, calls=50) == past_day(1, WHO, friday, ROME, calls=50)
    assert past_day(1, WHO, date(2026, 3, 1), ROME, calls=50) == [], "nobody works on a Sunday"


def test_days_before_today_end_yesterday() -> None:
    assert days_before(date(2026, 3, 2), 2) == [date(2026, 2, 28), date(2026, 3, 1)]


def test_a_batch_holds_one_form_and_no_call_twice() -> None:
    arriving = past_day(1, WHO, date(2026, 2, 27), ROME, calls=200)
    made = list(batches(arriving))
    assert sum(len(calls) for _, calls in made) == len(arriving)
    for _, calls in made:
        assert len({call.unique_id for call in calls}) == len(calls) <= 250


@pytest.mark.parametrize("form", list(RecordForm))
def test_records_are_written_in_local_time_without_a_zone(form: RecordForm) -> None:
    step = next(s for s in played(1) if isinstance(s, ReportRecord) and s.call.legs)
    text = records((step.call,), form, ROME).body.decode()
    assert step.call.started_at.astimezone(ROME).strftime("%Y-%m-%d %H:%M:%S") in text
    assert step.call.unique_id in text


def test_flat_rows_repeat_the_id_of_a_call_with_several_legs() -> None:
    step = next(s for s in played(1) if isinstance(s, ReportRecord) and len(s.call.legs) == 2)
    rows = json.loads(records((step.call,), RecordForm.FLAT, ROME).body)
    assert [row["unique_id"] for row in rows] == [step.call.unique_id] * 2


def test_the_routing_body_is_xml_whatever_its_content_type_says() -> None:
    step = next(s for s in played(1) if isinstance(s, ReportRouting))
    message = routing(step.call, "Vendite & più")
    root = ET.fromstring(message.body)
    assert message.content_type == "application/x-www-form-urlencoded"
    assert root.findtext("param1") == "Vendite & più"


@pytest.mark.parametrize("form", list(NoticeForm))
def test_a_notification_names_the_call_in_every_form(form: NoticeForm) -> None:
    step = next(s for s in played(1) if isinstance(s, ReportNotice))
    assert step.call.unique_id in notification(step.call, form).body.decode()
