"""Does every open browser hear of a change, also the one whose connection broke?"""

from tests.journeys import edge as pbx
from tests.journeys.edge import Edge
from tests.journeys.people import Person
from tests.journeys.stream import listening
from tests.journeys.test_main_journey import row
from tests.journeys.waiting import eventually


def test_a_change_is_heard_and_a_broken_connection_resumes(edge: Edge, anna: Person, bruno: Person, queue: str) -> None:
    with listening(bruno) as heard:
        edge.loses(pbx.new_number(), queue)
        first = heard.next()
        assert int(first.id) > 0
        caller = eventually(lambda: row(anna, "recall", queue))["caller_id"]
        reserved = anna.reserve(caller).json()["position"]
        messages = [first, *heard.until(reserved)]
        assert any(caller in message.data for message in messages)
    # Nobody listens while this happens.
    released = anna.release(caller).json()["position"]
    assert released > reserved
    with listening(bruno, last_event_id=messages[-1].id) as heard:
        missed = heard.until(released)
        assert any(caller in message.data for message in missed)
        ids = [int(message.id) for message in missed]
        assert ids == sorted(ids)
        assert ids[0] > int(messages[-1].id)


def test_without_a_login_nothing_is_heard(anna: Person) -> None:
    answer = anna.api.get("/changes", headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 401
