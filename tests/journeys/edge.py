"""What does the PBX say in a journey? Lost calls as XML, call records as JSON, over HTTP."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.journeys.system import System

ROME = ZoneInfo("Europe/Rome")
ACCEPTED = "<value>1</value>"
REFUSED = "<value>0</value>"
ROUTING = "/voipToCall/kalliopeToCall/insert/"
_counter = itertools.count(100)

Record = dict[str, Any]


def new_number() -> str:
    """A land line that no other journey uses, as the PBX shows it."""
    return f"0502{next(_counter):06d}"


def e164(number: str) -> str:
    return f"+39{number}"


def new_unique_id(at: datetime | None = None) -> str:
    return f"{int((at or now()).timestamp())}.{next(_counter)}"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def local(at: datetime) -> str:
    """An instant as the PBX writes it: its local time without zone."""
    return at.astimezone(ROME).strftime("%Y-%m-%d %H:%M:%S")


def xml(unique_id: str, caller: str, queue: str, kind: str = "queue") -> str:
    """The body of `protocols.md`."""
    return f"""<?xml version="1.0"?>
<parameters>
<unique_id>{unique_id}</unique_id>
<caller>{caller}</caller>
<called>0509876543</called>
<servicecode>%PARAM1%</servicecode>
<param1>{queue}</param1>
<param2>{kind}</param2>
<param3></param3><param4></param4><param5></param5>
</parameters>
"""


def lost(caller: str, queue: str, at: datetime, *, wait: int = 20, unique_id: str = "") -> Record:
    """A call that waited in `queue` and was not answered."""
    end = at + timedelta(seconds=wait)
    return _inbound(caller, at, end, unique_id) | {
        "details": [_leg(queue, at, end, cause="CANCELED")],
    }


def served(caller: str, queue: str, at: datetime, *, talk: int = 60, by: str = "201", unique_id: str = "") -> Record:
    """A call that `by` answered after ten seconds in `queue`."""
    answer = at + timedelta(seconds=10)
    end = answer + timedelta(seconds=talk)
    return _inbound(caller, at, end, unique_id) | {
        "answer_datetime": local(answer),
        "answered_by": by,
        "details": [_leg(queue, at, end, cause="NCC", answer=answer, by=by)],
    }


def recall(
    number: str, at: datetime, *, by: str = "201", talk: float | None, ring: int = 0, unique_id: str = ""
) -> Record:
    """An operator's call to a customer: answered `ring` seconds after its start, or not at all."""
    answer = at + timedelta(seconds=ring)
    end = answer + timedelta(seconds=int(talk or 0))
    return {
        "unique_id": unique_id or new_unique_id(at),
        "source_type": "local_exten",
        "destination_type": "obl",
        "status": "NOANSWER" if talk is None else "OK",
        "start_datetime": local(at),
        "answer_datetime": "" if talk is None else local(answer),
        "answered_by": "" if talk is None else number,
        "end_datetime": local(end),
        "caller": by,
        "called": number,
        "gateway_name": "TIM-1",
        "duration": int((end - at).total_seconds()),
        "bill_secs": talk or 0,
        "details": [],
    }


class Edge:
    """The PBX's connection to ingest."""

    def __init__(self, system: System, auth: tuple[str, str] | None = None) -> None:
        self.client = system.client(system.ingest, auth=auth)

    def loses(self, caller: str, queue: str, *, unique_id: str = "", kind: str = "queue") -> str:
        """Report a lost call by the dynamic routing, which must accept it; gives its unique id."""
        unique_id = unique_id or new_unique_id()
        answer = self.post(xml(unique_id, caller, queue, kind))
        assert answer.status_code == 200
        assert ACCEPTED in answer.text, answer.text
        return unique_id

    def post(self, body: str | bytes, content_type: str | None = "application/x-www-form-urlencoded") -> httpx.Response:
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self.client.post(ROUTING, content=body, headers=headers)

    def records(self, *records: Record) -> dict[str, Any]:
        """Push call records; gives the answer, which must be 202."""
        answer = self.client.post("/pbx/cdr", json=list(records))
        assert answer.status_code == 202, answer.text
        said: dict[str, Any] = answer.json()
        return said


def site_day(at: datetime | None = None) -> str:
    return (at or now()).astimezone(ROME).date().isoformat()


def _inbound(caller: str, at: datetime, end: datetime, unique_id: str) -> Record:
    return {
        "unique_id": unique_id or new_unique_id(at),
        "source_type": "ibl",
        "destination_type": "queue",
        "status": "OK",
        "start_datetime": local(at),
        "channel_up_datetime": local(at),
        "answer_datetime": "",
        "answered_by": "",
        "end_datetime": local(end),
        "caller": caller,
        "called": "0509876543",
        "gateway_name": "TIM-1",
        "duration": int((end - at).total_seconds()),
        "bill_secs": int((end - at).total_seconds()),
    }


def _leg(
    queue: str, at: datetime, end: datetime, *, cause: str, answer: datetime | None = None, by: str = ""
) -> dict[str, str]:
    return {
        "detail_destination_type": "queue",
        "detail_destination_name": queue,
        "detail_enter_datetime": local(at),
        "detail_enqueue_datetime": local(at),
        "detail_answer_datetime": "" if answer is None else local(answer),
        "detail_exit_datetime": local(end),
        "detail_exit_cause": cause,
        "detail_answered_by": by,
        "detail_waiting_time": str(int(((answer or end) - at).total_seconds())),
    }
