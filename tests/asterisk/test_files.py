"""What do the files of an Asterisk say? Each call judged once, by how it ended, whatever the order of its lines."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from richiamo_events.language import RecallOutcome
from richiamo_events.records import RECORD, Lost, Nothing, Outbound, Served, verdict
from richiamo_events.settings import SiteSettings
from richiamo_ingest.asterisk.parse import Form, agent_of, layout_of, peer_of
from richiamo_ingest.kalliope.records import Reading
from richiamo_ingest.record_bodies import read_any
from richiamo_ingest.reports import NotUnderstood
from tests.asterisk.lines import (
    CALL,
    CALLER,
    RECEIVED,
    T0,
    entered,
    instant,
    judged,
    master,
    one,
    queue_line,
    read,
    row,
    table,
)

ABANDONED = [entered(), queue_line(40, "ABANDON", 1, 1, 30)]
SERVED = [
    queue_line(9, "DID", "0509876543"),
    entered(),
    queue_line(20, "RINGNOANSWER", 5000, agent="PJSIP/202"),
    queue_line(25, "CONNECT", 15, "x", 4, agent="Local/201@from-queue/n"),
    queue_line(85, "COMPLETECALLER", 15, 60, 1, agent="Local/201@from-queue/n"),
]
LOST_AFTER_TRANSFER = [
    *SERVED[:-1],
    queue_line(85, "BLINDTRANSFER", "700", "from-internal", 15, 60, 1, agent="Local/201@from-queue/n"),
    entered(85, queue="Assistenza"),
    queue_line(130, "ABANDON", 1, 1, 45, queue="Assistenza"),
]
OVERFLOWED = [
    entered(),
    queue_line(40, "EXITWITHTIMEOUT", 1, 1, 30),
    entered(40, queue="Assistenza"),
    queue_line(50, "CONNECT", 10, "x", 4, queue="Assistenza", agent="SIP/203"),
    queue_line(90, "COMPLETEAGENT", 10, 40, 1, queue="Assistenza", agent="SIP/203"),
]
HISTORIES = [ABANDONED, SERVED, LOST_AFTER_TRANSFER, OVERFLOWED]


class TestQueueLog:
    @pytest.mark.parametrize(
        ("event", "data", "waited"),
        [
            ("ABANDON", (1, 1, 30), 30.0),
            ("EXITWITHTIMEOUT", (1, 1, 31), 31.0),
            ("EXITEMPTY", (1, 1, 32), 32.0),
            ("EXITWITHKEY", ("3", 1, 1, 33), 33.0),
            ("ABANDON", (), 30.0),
        ],
    )
    def test_a_caller_who_leaves_unanswered_is_lost(self, event: str, data: Sequence[object], waited: float) -> None:
        found = judged([entered(), queue_line(40, event, *data)])
        assert found == Lost("Vendite", "queue", waited, event, "")

    def test_the_caller_the_line_dialled_and_the_start_are_told(self) -> None:
        record = one(SERVED)
        assert (record.caller, record.called, record.at) == (CALLER, "0509876543", instant(0))
        assert str(record.call) == f"main:{CALL}"

    def test_an_answered_call_is_served_by_the_extension(self) -> None:
        assert judged(SERVED) == Served("Vendite", "201", instant(25), 60.0)

    def test_who_was_transferred_into_a_queue_that_lost_them_is_lost(self) -> None:
        assert judged(LOST_AFTER_TRANSFER) == Lost("Assistenza", "queue", 45.0, "ABANDON", "")

    def test_an_overflow_that_another_queue_answers_is_served(self) -> None:
        assert judged(OVERFLOWED) == Served("Assistenza", "203", instant(50), 40.0)

    def test_leaving_and_coming_back_in_one_second_are_two_waits(self) -> None:
        came_back = [
            entered(),
            queue_line(40, "EXITWITHTIMEOUT", 1, 1, 30),
            entered(40),
            queue_line(40, "CONNECT", 0, "x", 0, agent="SIP/201"),
            queue_line(60, "COMPLETEAGENT", 0, 20, 1, agent="SIP/201"),
        ]
        assert judged(came_back) == Served("Vendite", "201", instant(40), 20.0)

    def test_a_call_that_waits_still_is_left_out(self) -> None:
        assert read([entered()]) == read([entered(), queue_line(11, "RINGNOANSWER", 1000, agent="SIP/201")])
        assert read([entered()]).records == []

    def test_a_call_cut_by_a_start_of_the_pbx_is_lost(self) -> None:
        assert judged([entered(), f"{T0 + 100}|NONE|NONE|NONE|QUEUESTART|"]) == Lost(
            "Vendite", "queue", 90.0, "RESTART", ""
        )

    def test_without_the_line_that_names_the_caller_it_is_refused_by_its_line(self) -> None:
        reading = read(["", *SERVED[2:3], queue_line(40, "ABANDON", 1, 1, 30)], zone="Europe/Rome")
        assert [(one.index, "ENTERQUEUE" in one.reason) for one in reading.refused] == [(1, True)]
        assert queue_line(40, "ABANDON", 1, 1, 30) in reading.refused[0].text

    def test_a_line_that_is_none_is_refused_and_the_others_are_read(self) -> None:
        reading = read([entered(), "1772442|broken", queue_line(40, "ABANDON", 1, 1, 30)])
        assert [one.index for one in reading.refused] == [1]
        assert len(reading.records) == 1

    def test_lines_about_no_call_say_nothing(self) -> None:
        assert not read([f"{T0}|NONE|Vendite|SIP/201|ADDMEMBER|", f"{T0}|REALTIME|Vendite|SIP/201|PAUSE|lunch"]).records

    @pytest.mark.parametrize("history", HISTORIES)
    @given(data=st.data())
    def test_order_and_repetition_change_nothing(self, history: list[str], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations([*history, *data.draw(st.lists(st.sampled_from(history)))]))
        assert one(shuffled).digest() == one(history).digest()

    @given(history=st.sampled_from(HISTORIES), cuts=st.lists(st.integers(0, 90), max_size=8), dropped=st.integers(0, 5))
    def test_lines_that_break_off_never_stop_the_reading(
        self, history: list[str], cuts: list[int], dropped: int
    ) -> None:
        lines = [*history, *HISTORIES[0]]
        other = [line.replace(CALL, "1772441000.9") for line in ABANDONED]
        broken = [line[:cut] for line, cut in zip(lines, cuts, strict=False)]
        reading = read([*other, *broken, *lines[dropped:]])
        assert any(record.call.unique_id == "1772441000.9" for record in reading.records)
        assert all(RECORD.validate_json(RECORD.dump_json(record)) == record for record in reading.records)
        assert {type(verdict(record)) for record in reading.records} <= {Lost, Served, Nothing}


WAITED = row(0, 40, sequence=1, disposition="ANSWERED")
RANG = row(0, 25, dstchannel="PJSIP/202-0000001b", sequence=2)
TALKED = row(0, 85, answer=25, dstchannel="Local/201@from-queue-00000002;1", sequence=3)
HALF = row(
    5, 80, answer=20, channel="Local/201@from-queue-00000002;2", dstchannel="PJSIP/201-0000001c", lastapp="Dial",
    lastdata="PJSIP/201", dst="201", uniqueid=f"{T0 + 5}.19", sequence=4,
)  # fmt: skip
LOST_LATER = row(85, 45, disposition="ANSWERED", lastdata="Assistenza,t", dst="700", sequence=5)
DIALLED = row(
    0, 40, answer=10, src="201", dst="0501234567", dcontext="from-internal", channel="PJSIP/201-00000020",
    dstchannel="PJSIP/linea-it-00000021", lastapp="Dial", lastdata="PJSIP/0501234567@linea-it",
)  # fmt: skip


class TestCallRecords:
    @pytest.mark.parametrize("form", [master, table])
    def test_music_answers_nobody(self, form: Callable[..., list[str]]) -> None:
        assert judged(form(WAITED)) == Lost("Vendite", "queue", 40.0, "NOANSWER", "")

    @pytest.mark.parametrize("form", [master, table])
    def test_members_that_rang_beside_the_one_who_answered_lose_nothing(self, form: Callable[..., list[str]]) -> None:
        assert judged(form(RANG, HALF, TALKED)) == Served("Vendite", "201", instant(25), 60.0)

    def test_a_wait_after_the_answer_is_lost(self) -> None:
        found = judged(master(TALKED, HALF, RANG, LOST_LATER))
        assert found == Lost("Assistenza", "queue", 45.0, "NOANSWER", "")

    def test_a_consultation_that_the_queue_lost_is_lost(self) -> None:
        consulted = row(60, 90, channel="PJSIP/201-0000001d", src="201", uniqueid=f"{T0 + 60}.30", sequence=6)
        assert isinstance(judged(master(TALKED, consulted)), Lost)

    def test_the_line_dialled_and_the_one_it_came_in_on_are_told(self) -> None:
        record = one(table(row(0, 40, did="0509876543", accountcode="AC7")))
        assert (record.called, record.gateway, record.account_code) == ("0509876543", "linea-it", "AC7")

    def test_an_answered_recall_reached_the_customer(self) -> None:
        assert judged(master(DIALLED)) == Outbound("201", instant(10), instant(40), 30.0, None)

    @pytest.mark.parametrize(
        ("disposition", "outcome"),
        [
            ("NO ANSWER", RecallOutcome.NO_ANSWER),
            ("BUSY", RecallOutcome.BUSY),
            ("FAILED", RecallOutcome.FAILED),
            ("CONGESTION", RecallOutcome.FAILED),
        ],
    )
    def test_a_recall_without_an_answer_says_why(self, disposition: str, outcome: RecallOutcome) -> None:
        failed = {**DIALLED, "disposition": disposition, "billsec": "0", "answer": ""}
        found = judged(master(failed))
        assert isinstance(found, Outbound)
        assert (found.outcome, found.answered_at) == (outcome, None)

    def test_the_own_phone_that_answered_first_is_not_the_customer(self) -> None:
        own = row(0, 40, answer=4, src="201", dst="201", channel="Local/201@originate-skipvm-00000003;2",
                  dstchannel="PJSIP/201-00000022", lastapp="Dial", uniqueid="d1;2", linkedid="d1", sequence=2)  # fmt: skip
        customer = {**DIALLED, "channel": "Local/201@originate-skipvm-00000003;1", "uniqueid": "d1", "linkedid": "d1",
                    "disposition": "NO ANSWER", "answer": "", "billsec": "0"}  # fmt: skip
        record = one(master(own, customer))
        found = verdict(record)
        assert isinstance(found, Outbound)
        assert (record.call.unique_id, record.called, found.extension, found.outcome) == (
            "d1",
            "0501234567",
            "201",
            RecallOutcome.NO_ANSWER,
        )

    def test_a_second_line_of_the_telephone_company_may_succeed(self) -> None:
        first = {**DIALLED, "disposition": "CONGESTION", "billsec": "0", "answer": "", "dstchannel": "PJSIP/altra-1a2b"}
        assert isinstance(judged(master(first, {**DIALLED, "sequence": "2"})), Outbound)
        assert verdict(one(master(first, {**DIALLED, "sequence": "2"}))) == judged(master(DIALLED))

    def test_a_call_without_a_queue_that_a_person_answered_is_served(self) -> None:
        direct = row(0, 40, answer=10, lastapp="Dial", lastdata="PJSIP/201", dstchannel="PJSIP/201-0000002a", dst="201")
        assert judged(master(direct)) == Served(None, "201", instant(10), 30.0)

    def test_times_may_be_utc(self) -> None:
        (record,) = read(master(DIALLED), zone="UTC").records
        assert record.started_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
        assert one(master(DIALLED)).started_at == instant(0)

    def test_the_id_settles_the_doubled_hour(self) -> None:
        epoch = int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp())
        late = {**DIALLED, "uniqueid": f"{epoch}.1", "linkedid": f"{epoch}.1"}
        late |= {"start": "2026-10-25 02:30:00", "answer": "2026-10-25 02:30:10", "end": "2026-10-25 02:30:40"}
        record = one(master(late))
        assert record.started_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        assert record.ended_at == datetime(2026, 10, 25, 1, 30, 40, tzinfo=UTC)

    @pytest.mark.parametrize("columns", [17, 18, 20, 21])
    def test_the_last_columns_depend_on_cdr_conf(self, columns: int) -> None:
        line = master(DIALLED)[0].split(",")
        kept = {17: line[:17], 18: line[:18], 20: line[:17] + line[18:], 21: line}[columns]
        assert judged([",".join(kept)]) == judged(master(DIALLED))

    def test_without_an_id_it_is_refused_with_the_remedy(self) -> None:
        reading = read([",".join(master(DIALLED)[0].split(",")[:16])])
        assert "loguniqueid=yes" in reading.refused[0].reason

    def test_a_line_that_breaks_off_is_refused_and_the_others_are_read(self) -> None:
        whole = master(DIALLED)[0]
        for cut in range(1, len(whole) - 30):
            reading = read([whole, whole[:cut]])
            assert [one.index for one in reading.refused] == [1], whole[:cut]
            assert len(reading.records) == 1

    @given(data=st.data())
    def test_order_and_repetition_change_nothing(self, data: st.DataObject) -> None:
        rows = [TALKED, HALF, RANG, LOST_LATER]
        shuffled = data.draw(st.permutations([*rows, *data.draw(st.lists(st.sampled_from(rows)))]))
        assert one(master(*shuffled)).digest() == one(master(*rows)).digest()
        assert one(table(*shuffled)).digest() == one(table(*rows)).digest()

    @given(st.permutations([RANG, TALKED, HALF]))
    def test_both_files_judge_a_call_alike(self, rows: list[dict[str, str]]) -> None:
        told, logged = judged(master(*rows)), judged(SERVED)
        assert told == logged
        assert one(master(*rows)).call == one(SERVED).call


class TestForms:
    @pytest.mark.parametrize(
        ("lines", "form"),
        [(ABANDONED, Form.QUEUE_LOG), (master(TALKED), Form.MASTER), (table(TALKED), Form.TABLE)],
    )
    def test_the_content_tells_the_form(self, lines: list[str], form: Form) -> None:
        layout = layout_of("\ufeff" + lines[0] + "\r\n")
        assert layout is not None
        assert layout.form is form

    def test_what_is_no_asterisk_is_left_to_the_other_readers(self) -> None:
        body = json.dumps([{"unique_id": "1.0", "caller": "0501234567"}]).encode()
        assert len(_any(body).records) == 1
        assert len(_any(b"unique_id,caller\n1.0,0501234567").records) == 1

    def test_a_body_of_lines_is_read_wherever_it_comes_from(self) -> None:
        assert len(_any("\n".join(ABANDONED).encode()).records) == 1
        assert len(_any("\r\n".join(master(DIALLED)).encode(), utc="1").records) == 1

    @pytest.mark.parametrize(
        "query", [{"format": "other"}, {"timezone": "Rome"}, {"utc": "1", "timezone": "Europe/Rome"}]
    )
    def test_a_wrong_question_is_answered_in_words(self, query: dict[str, str]) -> None:
        with pytest.raises(NotUnderstood):
            _any(b"[]", **query)

    @pytest.mark.parametrize(
        ("channel", "peer"),
        [
            ("PJSIP/201-0000001a", "201"),
            ("Local/201@from-queue-00000002;1", "201"),
            ("SIP/voip-it-0000001a", "voip-it"),
            ("PJSIP/201", "201"),
            ("DAHDI/i1/0501234567-2", "i1"),
            ("", ""),
            ("odd", "odd"),
        ],
    )
    def test_whose_channel_it_is(self, channel: str, peer: str) -> None:
        assert peer_of(channel) == peer

    @pytest.mark.parametrize(
        ("agent", "extension"),
        [("SIP/201", "201"), ("Local/201@from-queue/n", "201"), ("Agent/1001", "1001"), ("Anna Neri", "Anna Neri")],
    )
    def test_which_extension_a_member_has(self, agent: str, extension: str) -> None:
        assert agent_of(agent) == extension

    @given(st.binary(max_size=400), st.sampled_from(["auto", "queue_log", "master", "freepbx"]))
    def test_no_bytes_stop_the_reading(self, body: bytes, form: str) -> None:
        with suppress(NotUnderstood):
            reading = _any(body, format=form)
            assert all(RECORD.validate_json(RECORD.dump_json(record)) == record for record in reading.records)


def _any(body: bytes, **query: str) -> Reading:
    return read_any(body, query, pbx="main", settings=SiteSettings(), at=RECEIVED)
