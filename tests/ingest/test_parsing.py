"""What is read from the PBX's bytes? The samples of `protocols.md`, and anything else without a crash."""

import contextlib
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from richiamo_events.language import Rank
from richiamo_events.records import Lost, verdict
from richiamo_ingest.kalliope.notification import Noted, read_notification
from richiamo_ingest.kalliope.records import MASKED, Reading, read_records
from richiamo_ingest.kalliope.routing import read_routing
from richiamo_ingest.reports import REPORTS, LostReport, NotUnderstood, RecordReport, ServedReport

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")

ROUTING = b"""<?xml version="1.0"?>
<parameters>
<unique_id>1511212918.0</unique_id>
<caller>0501234567</caller>
<called>0509876543</called>
<servicecode>%PARAM1%</servicecode>
<param1>Assistenza</param1>
<param2>queue</param2>
<param3></param3><param4></param4><param5></param5>
</parameters>
"""


def records(body: bytes | str | list[object] | dict[str, object]) -> Reading:
    given_bytes = (
        body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    )
    return read_records(given_bytes, pbx="main", zone=ROME, received_at=NOW)


class TestRouting:
    def test_the_sample(self) -> None:
        report = read_routing(ROUTING, {}, pbx="main", received_at=NOW)
        assert (report.call.unique_id, report.caller, report.called) == ("1511212918.0", "0501234567", "0509876543")
        assert (report.queue, report.type, report.rank) == ("Assistenza", "queue", Rank.ROUTING)

    @pytest.mark.parametrize("absent", ["", "%PARAM2%", "%PARAM2", "  "])
    def test_a_parameter_never_asked_is_absent(self, absent: str) -> None:
        body = ROUTING.replace(b">queue<", f">{absent}<".encode())
        assert read_routing(body, {}, pbx="main", received_at=NOW).type == "queue"

    def test_bom_blank_lines_and_another_code_page(self) -> None:
        for body in (
            b"\xef\xbb\xbf" + ROUTING,
            b"\n\n" + ROUTING,
            ROUTING.replace(b"Assistenza", "Qualità".encode("cp1252")),
            ROUTING.replace(b'"1.0"', b'"1.0" encoding="UTF-8"').replace(b"Assistenza", "Qualità".encode("cp1252")),
        ):
            assert read_routing(body, {}, pbx="main", received_at=NOW).queue in {"Assistenza", "Qualità"}

    @pytest.mark.parametrize("name", ["unique_id", "uniqueid", "id"])
    def test_the_id_has_three_names(self, name: str) -> None:
        body = ROUTING.replace(b"unique_id", name.encode())
        assert read_routing(body, {}, pbx="main", received_at=NOW).call.unique_id == "1511212918.0"

    def test_entities_are_refused_and_files_are_not_read(self) -> None:
        bomb = b'<!DOCTYPE p [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><p><unique_id>&b;</unique_id></p>'
        file = b'<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/hostname">]><p><unique_id>&a;</unique_id></p>'
        for body in (bomb, file, b"<!DOCTYPE p><p><unique_id>1</unique_id></p>"):
            with pytest.raises(NotUnderstood):
                read_routing(body, {}, pbx="main", received_at=NOW)

    @given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
    def test_no_body_crashes_it(self, body: bytes) -> None:
        with contextlib.suppress(NotUnderstood):
            REPORTS.dump_json([read_routing(body, {}, pbx="main", received_at=NOW)])

    @given(st.binary(max_size=60))
    def test_no_value_crashes_it(self, value: bytes) -> None:
        with contextlib.suppress(NotUnderstood):
            REPORTS.dump_json([read_routing(ROUTING.replace(b"1511212918.0", value), {}, pbx="main", received_at=NOW)])


class TestNotifications:
    SAMPLE = (
        '{"reason":"CANCELED","queue_id":"1","uniqueid":"1511212918.0","called_num":"201","caller_num":"103",'
        '"queue_name":"QueueTest","waiting_time":"5"}'
    )
    XML = (
        '<?xml version="1.0"?><response><reason>CANCELED</reason><queue_id>1</queue_id>'
        "<uniqueid>1511212918.0</uniqueid><called_num>201</called_num><caller_num>103</caller_num>"
        "<queue_name>QueueTest</queue_name><waiting_time>5</waiting_time></response>"
    )
    AVP = (
        "reason=CANCELED&queue_id=1&uniqueid=1511212918.0&called_num=201&caller_num=103&queue_name=QueueTest"
        "&waiting_time=5"
    )

    @pytest.mark.parametrize("body", [SAMPLE, XML, AVP])
    @pytest.mark.parametrize("query", [{"event": "pbx.queue.unservedcall"}, {}])
    def test_the_samples(self, body: str, query: dict[str, str]) -> None:
        report = read_notification(body.encode(), query, pbx="main", received_at=NOW)
        assert report == LostReport(
            call=report.call,  # type: ignore[union-attr]
            received_at=NOW,
            rank=Rank.NOTIFICATION,
            caller="103",
            called="201",
            queue="QueueTest",
            waiting_seconds=5.0,
            reason="CANCELED",
        )

    def test_the_event_may_be_in_the_body(self) -> None:
        body = b'{"event":"pbx.queue.servedcall","uniqueid":"1.1","anything":{"else":[1]}}'
        assert isinstance(read_notification(body, {}, pbx="main", received_at=NOW), ServedReport)
        assert read_notification(b'{"event":"pbx.new.event"}', {}, pbx="main", received_at=NOW) == Noted(
            "pbx.new.event"
        )

    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    def test_no_body_crashes_it(self, body: bytes) -> None:
        for query in ({}, {"event": "pbx.queue.unservedcall"}, {"event": "servedcall"}):
            with contextlib.suppress(NotUnderstood):
                read_notification(body, query, pbx="main", received_at=NOW)


NAMES_OF_2020 = {
    "id": "1511212918.0", "source": "ibl", "start_time": "2017-11-20 22:21:58", "answer_time": "",
    "end_time": "2017-11-20 22:23:00", "account_code": "77", "caller": "0501234567", "gateway_name": "trunk1",
    "called": "0509876543", "status": "CANCELED", "answered_by": "", "bill_secs": "61.5", "duration": "62",
    "destination": "queue",
}  # fmt: skip
LATER = {
    "unique_id": "1511212918.0", "source_type": "ibl", "destination_type": "queue", "status": "CANCELED",
    "start_datetime": "2017-11-20 22:21:58", "channel_up_datetime": "2017-11-20 22:22:00", "answer_datetime": "",
    "answered_by": "", "end_datetime": "2017-11-20 22:23:00", "caller": "0501234567", "caller_name": "",
    "anonymous": "no", "called": "0509876543", "gateway_name": "trunk1", "account_code": "77", "duration": "62",
    "bill_secs": "61.5", "src_peer_name": "", "src_ip_port": "",
}  # fmt: skip
LEG = {
    "detail_source_num": "0501234567", "detail_destination_type": "queue", "detail_destination_id": "1",
    "detail_destination_name": "Vendite", "detail_destination_num": "800",
    "detail_enter_datetime": "2017-11-20 22:22:00", "detail_enqueue_datetime": "2017-11-20 22:22:00",
    "detail_answer_datetime": "", "detail_exit_datetime": "2017-11-20 22:23:00", "detail_exit_cause": "CANCELED",
    "detail_answered_by": "", "detail_waiting_time": "60", "detail_account_code": "",
    "detail_mapped_dst_num": "",
}  # fmt: skip


class TestRecords:
    def test_both_generations_of_names_are_one_record(self) -> None:
        (old,) = records([NAMES_OF_2020]).records
        (new,) = records([LATER]).records
        assert old == new
        assert (old.bill_seconds, old.started_at) == (61.5, datetime(2017, 11, 20, 21, 21, 58, tzinfo=UTC))

    def test_legs_nested_flat_and_unprefixed_are_one_record(self) -> None:
        second = {**LEG, "detail_destination_name": "Altra", "detail_enter_datetime": "2017-11-20 22:22:30"}
        nested = records([{**LATER, "details": [LEG, second]}]).records
        flat = records([{**LATER, **LEG}, {**LATER, **second}]).records
        plain = [{name.removeprefix("detail_"): value for name, value in leg.items()} for leg in (LEG, second)]
        assert nested == flat == records([{**LATER, "details": plain}]).records
        assert isinstance(verdict(nested[0]), Lost)

    @pytest.mark.parametrize(
        "shape", [lambda row: row, lambda row: [row], lambda row: {"cdr": [row]}, lambda row: {"cdr": row}]
    )
    def test_one_call_in_any_wrapping(self, shape: object) -> None:
        assert len(records(shape(LATER)).records) == 1  # type: ignore[operator]

    def test_fields_beside_the_calls_are_passed_over_and_no_second_array_is(self) -> None:
        beside = {"status": "ok", "total": 1, "errors": [], "cdr": [LATER], "took": 0.1}
        assert len(records(beside).records) == 1
        assert len(records({"legs": [LEG], **LATER}).records) == 1
        with pytest.raises(NotUnderstood, match="follows the array"):
            records({"data": [], "cdr": [LATER]})

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("sign", ["#", "# ", "", "\ufeff#"])
    def test_csv(self, separator: str, sign: str) -> None:
        row = {**LATER, **LEG}
        body = sign + separator.join(row) + "\r\n" + separator.join(f'"{value}"' for value in row.values()) + "\r\n\r\n"
        assert records(body).records == records([row]).records

    def test_xml_flat_and_nested(self) -> None:
        def element(name: str, row: dict[str, str], inside: str = "") -> str:
            return f"<{name}>" + "".join(f"<{k}>{v}</{k}>" for k, v in row.items()) + inside + f"</{name}>"

        flat = f"<?xml version='1.0'?><cdr>{element('row', {**LATER, **LEG})}</cdr>"
        legs = "<details>" + element("detail", {"id": "9", **LEG}) + "</details>"
        nested = f"<response><cdr>{element('call', LATER, legs)}</cdr></response>"
        one_leg = f"<cdr>{element('call', LATER, element('details', LEG))}</cdr>"
        assert records(flat).records == records(nested).records == records(one_leg).records
        assert len(records(flat).records[0].legs) == 1

    def test_ids_keep_their_last_zero_also_as_json_numbers(self) -> None:
        (record,) = records(b'[{"unique_id": 1511212918.10, "source_type": "ibl", "bill_secs": 5.20}]').records
        assert (record.call.unique_id, record.bill_seconds) == ("1511212918.10", 5.2)

    def test_masked_numbers_are_not_imported(self) -> None:
        reading = records([{**LATER, "caller": "0501234xxx"}, LATER])
        assert [one.reason for one in reading.refused] == [MASKED]
        assert len(reading.records) == 1

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("unique_id", "", "unique_id of the call is missing"),
            ("start_datetime", "yesterday", "start of the call is not a time"),
            ("end_datetime", "2017-13-01 00:00:00", "end of the call is not a time"),
            ("bill_secs", "many", "bill_secs is not a number"),
            ("duration", "-1", "duration is not a possible number"),
            ("bill_secs", "nan", "bill_secs is not a possible number"),
            ("start_datetime", "9999-12-31 23:59:59", "outside the years"),
            ("start_datetime", "0001-01-01 00:00:00", "outside the years"),
        ],
    )
    def test_what_is_wrong_is_said_in_words(self, field: str, value: str, words: str) -> None:
        (refusal,) = records([{**LATER, field: value}]).refused
        assert words in refusal.reason

    def test_the_doubled_hour_is_settled_by_the_epoch_of_the_id(self) -> None:
        # 2025-10-26 02:30 happens twice in Rome: 00:30 and 01:30 UTC.
        for epoch, hour in ((1761438600, 0), (1761442200, 1)):
            row = {**LATER, "unique_id": f"{epoch}.7", "start_datetime": "2025-10-26 02:30:00"}
            (record,) = records([{**row, "end_datetime": "2025-10-26 02:31:00"}]).records
            assert record.started_at == datetime(2025, 10, 26, hour, 30, tzinfo=UTC)
            assert record.ended_at == datetime(2025, 10, 26, hour, 31, tzinfo=UTC)
        row = {**LATER, "unique_id": "1761440340.7", "start_datetime": "2025-10-26 02:59:00"}
        (record,) = records([{**row, "end_datetime": "2025-10-26 02:01:00"}]).records
        assert record.started_at is not None
        assert record.ended_at is not None
        assert (record.ended_at - record.started_at).total_seconds() == 120

    def test_a_time_with_its_own_zone_is_taken_as_it_is(self) -> None:
        (record,) = records([{**LATER, "start_datetime": "2026-03-02T10:00:00.7+02:00"}]).records
        assert record.started_at == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    @given(st.binary(max_size=200) | st.text(max_size=300).map(str.encode))
    def test_no_body_crashes_it(self, body: bytes) -> None:
        with contextlib.suppress(NotUnderstood):
            REPORTS.dump_json([RecordReport(record=one) for one in records(body).records])

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from([*LATER, *LEG, "details", "cdr"]), inner, max_size=6)
            ),
            max_leaves=20,
        )
    )
    def test_no_json_crashes_it(self, value: object) -> None:
        with contextlib.suppress(NotUnderstood):
            for record in records(json.dumps([value]).encode()).records:
                verdict(record)
                record.digest()

    @given(st.sampled_from(sorted(LATER)), st.text(max_size=30))
    def test_no_value_crashes_it(self, name: str, value: str) -> None:
        for record in records([{**LATER, name: value}]).records:
            verdict(record)
            record.digest()
