"""What does a browser hear on `/changes`? The events of a stream with their ids, read in a thread."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import httpx

from tests.journeys.people import Person


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event; comments are left out."""

    id: str
    event: str
    data: str


class Stream:
    """What arrived so far, oldest first."""

    def __init__(self) -> None:
        self.arriving: queue.Queue[Message] = queue.Queue()
        self.open = threading.Event()

    def next(self, within: float = 60.0) -> Message:
        """The next message that carries data."""
        return self.arriving.get(timeout=within)

    def until(self, position: int, within: float = 60.0) -> list[Message]:
        """The messages up to the first at or after a position of the log."""
        seen: list[Message] = []
        while not seen or not seen[-1].id or int(seen[-1].id) < position:
            seen.append(self.next(within))
        return seen


@contextmanager
def listening(person: Person, last_event_id: str | None = None) -> Iterator[Stream]:
    """Listen while the context lasts; entered when the server has answered."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    heard = Stream()
    with person.api.stream("GET", "/changes", headers=headers, timeout=httpx.Timeout(5, read=None)) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        reader = threading.Thread(target=_read, args=(answer, heard), daemon=True)
        reader.start()
        yield heard


def _read(answer: httpx.Response, heard: Stream) -> None:
    fields = {"id": "", "event": "", "data": ""}
    last_id = ""
    with suppress(httpx.HTTPError, httpx.StreamError):
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(":")
                if name in fields:
                    fields[name] = (fields[name] + "\n" + value.removeprefix(" ")).strip("\n")
                continue
            last_id = fields["id"] or last_id
            if fields["data"]:
                heard.arriving.put(Message(last_id, fields["event"], fields["data"]))
            fields = {"id": "", "event": "", "data": ""}
