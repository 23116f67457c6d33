"""How did a call end? Every way of `protocols.md`, "reading a call", with its traps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import RecallOutcome
from richiamo_events.records import (
    RECORD,
    CallRecord,
    Leg,
    Lost,
    Nothing,
    Outbound,
    Served,
    record_fact_id,
    talked_enough,
    verdict,
)

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def leg(
    kind: str, name: str = "", *, enters: float, exits: float, by: str = "", after: float = 0, cause: str = ""
) -> Leg:
    return Leg(
        type=kind,
        name=name,
        entered_at=at(enters),
        exited_at=at(exits),
        answered_by=by,
        answered_at=at(enters + after) if by else None,
        exit_cause=cause or ("NCC" if by else "CANCELED"),
    )


def inbound(*legs: Leg, **more: Any) -> CallRecord:
    fields: dict[str, Any] = {"source_type": "ibl", "ended_at": at(300), "caller": "0501234567", **more}
    return CallRecord(call=CallId("main", "1.1"), received_at=at(600), started_at=START, legs=legs, **fields)


def outbound(**more: Any) -> CallRecord:
    fields: dict[str, Any] = {
        "source_type": "local_exten", "destination_type": "obl", "status": "OK", "caller": "201",
        "called": "0501234567", "answered_at": at(10), "ended_at": at(40), **more,
    }  # fmt: skip
    return CallRecord(call=CallId("main", "1.1"), received_at=at(600), started_at=START, **fields)


class TestInbound:
    def test_a_queue_that_nobody_answered_lost_the_call(self) -> None:
        judged = verdict(inbound(leg("queue", "Vendite", enters=2, exits=62)))
        assert judged == Lost("Vendite", "queue", 60.0, "CANCELED", "")

    def test_music_is_no_answer(self) -> None:
        record = inbound(leg("queue", "Vendite", enters=2, exits=62), status="OK", answered_at=at(2), bill_seconds=60.0)
        assert isinstance(verdict(record), Lost)

    def test_an_overflow_that_another_queue_answered_is_not_lost(self) -> None:
        judged = verdict(
            inbound(
                leg("queue", "Vendite", enters=2, exits=62, cause="NOANSWER"),
                leg("queue", "Altra", enters=62, exits=200, by="202", after=10),
            )
        )
        assert judged == Served("Altra", "202", at(72), 228.0)

    def test_an_overflow_that_nobody_answered_belongs_to_the_last_queue(self) -> None:
        judged = verdict(inbound(leg("queue", "A", enters=2, exits=62), leg("queue", "B", enters=62, exits=92)))
        assert judged == Lost("B", "queue", 90.0, "CANCELED", "")

    def test_a_receptionist_who_transfers_into_a_queue_that_loses_it_served_nobody(self) -> None:
        judged = verdict(
            inbound(
                leg("local_exten", enters=2, exits=30, by="200", after=3, cause="BLINDXFER"),
                leg("queue", "Vendite", enters=30, exits=90),
            )
        )
        assert judged == Lost("Vendite", "queue", 60.0, "CANCELED", "")

    def test_a_receptionist_named_only_by_the_call_is_placed_by_the_time_of_the_answer(self) -> None:
        legs = leg("local_exten", enters=2, exits=30, cause="ATXFER"), leg("queue", "Vendite", enters=30, exits=90)
        assert isinstance(verdict(inbound(*legs, answered_by="200", answered_at=at(5))), Lost)
        assert isinstance(verdict(inbound(*legs, answered_by="202", answered_at=at(40))), Served)

    def test_a_transfer_after_the_queues_answer_stays_served_by_the_queue(self) -> None:
        judged = verdict(
            inbound(
                leg("queue", "Vendite", enters=2, exits=100, by="201", after=8, cause="ATXFER"),
                leg("local_exten", enters=100, exits=120, cause="NOANSWER"),
            )
        )
        assert judged == Served("Vendite", "201", at(10), 290.0)

    def test_a_queue_forwarded_to_a_person_is_served_on_no_queue(self) -> None:
        judged = verdict(
            inbound(
                leg("queue", "Vendite", enters=2, exits=62, cause="CFWD"),
                leg("local_exten", enters=62, exits=200, by="203", after=5),
            )
        )
        assert judged == Served(None, "203", at(67), 233.0)

    @pytest.mark.parametrize("kind", ["ivr", "checktime", "voicemail"])
    def test_a_menu_a_time_check_and_a_machine_are_nobody(self, kind: str) -> None:
        machine = leg(kind, enters=62, exits=90, by=kind, after=1)
        assert isinstance(verdict(inbound(leg("queue", "Vendite", enters=2, exits=62), machine)), Lost)
        assert verdict(inbound(machine)) == Nothing()

    def test_the_pbxs_own_call_back_counts_as_missed(self) -> None:
        judged = verdict(inbound(leg("queue", "Vendite", enters=2, exits=62, cause="QUEUE_CALLBACK")))
        assert isinstance(judged, Lost)
        assert judged.reason == "QUEUE_CALLBACK"

    def test_the_time_check_alone_is_told_apart(self) -> None:
        judged = verdict(inbound(leg("checktime", "Orari", enters=0, exits=1, cause="CLOSED")))
        assert judged == Lost("Orari", "checktime", 0.0, "CLOSED", "")

    def test_extensions_call_queues_too(self) -> None:
        record = inbound(leg("queue", "Vendite", enters=2, exits=62), source_type="local_exten", caller="103")
        assert isinstance(verdict(record), Lost)

    def test_legs_in_any_order_are_the_same_call(self) -> None:
        legs = leg("queue", "A", enters=2, exits=62), leg("queue", "B", enters=62, exits=92, by="201", after=4)
        assert verdict(inbound(*legs)) == verdict(inbound(*reversed(legs)))

    def test_a_summary_alone_can_serve_but_not_lose(self) -> None:
        assert verdict(inbound(destination_type="queue", status="NOANSWER")) == Nothing()
        answered = inbound(destination_type="queue", answered_by="201", answered_at=at(20))
        assert verdict(answered) == Served(None, "201", at(20), 280.0)

    def test_a_direct_call_that_nobody_took_is_no_queues_loss(self) -> None:
        assert verdict(inbound(leg("local_exten", enters=0, exits=30))) == Nothing()


class TestOutbound:
    @pytest.mark.parametrize(("seconds", "enough"), [(5.0, False), (5.2, True), (4.9, False), (0.0, False)])
    def test_talk_must_last_more_than_the_threshold(self, seconds: float, enough: bool) -> None:
        judged = verdict(outbound(bill_seconds=seconds))
        assert isinstance(judged, Outbound)
        assert talked_enough(judged, 5.0) is enough

    def test_without_seconds_talk_is_end_minus_answer(self) -> None:
        assert verdict(outbound()) == Outbound("201", at(10), at(40), 30.0, None)

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("BUSY", RecallOutcome.BUSY), ("NOANSWER", RecallOutcome.NO_ANSWER),
            ("CANCELED", RecallOutcome.NO_ANSWER), ("CANCELLED", RecallOutcome.NO_ANSWER),
            ("UNAVAILABLE", RecallOutcome.UNAVAILABLE), ("FORBIDDEN", RecallOutcome.FAILED),
            ("FAILED", RecallOutcome.FAILED), ("??", RecallOutcome.FAILED), ("", RecallOutcome.FAILED),
        ],
    )  # fmt: skip
    def test_why_it_failed(self, status: str, outcome: RecallOutcome) -> None:
        assert verdict(outbound(status=status, answered_at=None)) == Outbound("201", None, at(40), 0.0, outcome)

    def test_a_call_between_extensions_is_nothing(self) -> None:
        assert verdict(outbound(called="202", destination_type="local_exten")) == Nothing()
        assert verdict(outbound(called="202", destination_type="")) == Nothing()

    def test_without_a_type_of_destination_the_number_says_that_it_is_outside(self) -> None:
        assert isinstance(verdict(outbound(destination_type="")), Outbound)

    def test_the_pbxs_own_call_back_is_a_recall(self) -> None:
        assert isinstance(verdict(outbound(source_type="queue", caller="800")), Outbound)


def test_an_id_follows_from_what_the_pbx_sent_alone() -> None:
    record = outbound()
    later = replace(record, received_at=at(9000), customer=CallerId("mario"))
    assert record_fact_id(record) == record_fact_id(later)
    assert record_fact_id(record) != record_fact_id(replace(record, bill_seconds=1.0))
    removed = replace(record, content=record.digest(), called="", numbers_removed=True)
    assert record_fact_id(removed) == record_fact_id(record)
    assert isinstance(verdict(removed), Outbound)


def test_a_record_survives_its_journey_through_the_stream() -> None:
    record = inbound(leg("queue", "Vendite", enters=2, exits=62, by="201"))
    assert RECORD.validate_json(RECORD.dump_json(record)) == record
