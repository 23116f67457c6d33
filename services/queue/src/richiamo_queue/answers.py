"""Which question goes where? The subjects of the service and the methods that answer them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import psycopg
from faststream.nats import NatsBroker
from psycopg_pool import PoolTimeout

from richiamo_kit import metrics
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.messaging import answering
from richiamo_kit.store.port import EventStore
from richiamo_queue import payloads
from richiamo_queue.caller.errors import Malformed, UnknownCaller
from richiamo_queue.commanding import Commanding
from richiamo_queue.notes.noting import Noting
from richiamo_queue.worklist.items import Site
from richiamo_queue.worklist.query import Worklist
from richiamo_queue.worklist.questions import read_question
from richiamo_queue.worklist.rows_query import Rows
from richiamo_queue.worklist.timeline import Teller, events_of

Payload = dict[str, Any]
Handler = Callable[[Payload], Awaitable[Payload]]

GROUP = "queue"
ROOT = "richiamo.queue"


class Questions:
    """Answers questions about the worklist; one method a subject."""

    def __init__(self, worklist: Worklist, rows: Rows, *, store: EventStore, site: Site, noting: Noting) -> None:
        self._worklist = worklist
        self._rows = rows
        self._store = store
        self._site = site
        self._noting = noting

    async def requests(self, payload: Payload) -> Payload:
        return await self._worklist.requests(read_question(payload, view="recall"))

    async def callers(self, payload: Payload) -> Payload:
        return await self._worklist.callers(read_question(payload, view="open"))

    async def rows(self, payload: Payload) -> Payload:
        asked = payloads.read(payloads.AskRows, payload)
        return await self._rows.rows(asked.user, asked.caller_ids, asked.min_position, _instant(asked.as_of))

    async def closed(self, payload: Payload) -> Payload:
        asked = payloads.read(payloads.AskClosed, payload)
        return await self._rows.closed(asked.user, asked.caller, asked.limit)

    async def summary(self, payload: Payload) -> Payload:
        asked = payloads.read(payloads.AskSummary, payload)
        return await self._rows.summary(asked.user, asked.day, asked.min_position, _instant(asked.as_of))

    async def timeline(self, payload: Payload) -> Payload:
        """Every call and every decision; queues the user may not see are told without their name."""
        asked = payloads.read(payloads.AskTimeline, payload)
        if asked.min_position:
            await self._rows.wait_for(asked.min_position)
        found = await self._rows.caller(asked.caller_id)
        if found is None:
            raise UnknownCaller
        caller, shared = found
        if not asked.user.knows(caller):
            raise UnknownCaller
        events = await events_of(self._store, asked.caller_id, shared=shared)
        settings = self._site.settings
        reader = asked.user.username if settings.operators_as_numbers else None
        teller = Teller(self._site.operators, settings.zone, reader)
        items = teller.items(events, caller, _instant(asked.as_of))
        for item in items:
            if item.get("queue") and not asked.user.sees(item["queue"]):
                item["queue"] = None
                item["other_queue"] = True
        return {
            "items": items,
            "note": None if asked.as_of else await self._noting.shown(asked.caller_id),
            "caller_id": asked.caller_id,
            "number": asked.user.shown(await self._rows.number(asked.caller_id)),
            "position": caller.touched,
        }


def declare(broker: NatsBroker, commanding: Commanding, questions: Questions, noting: Noting) -> None:
    """Declare every subject of the service on the broker."""
    commands: dict[str, Handler] = {
        "reserve": commanding.reserve,
        "release": commanding.release,
        "assign": commanding.assign,
        "assign_many": commanding.assign_many,
        "unassign": commanding.unassign,
        "flush": commanding.flush,
        "undo_flush": commanding.undo_flush,
        "start_recall": commanding.start_recall,
        "show": commanding.show,
        "dispute": commanding.dispute,
        "erase": commanding.erase,
        "hand_back": commanding.hand_back,
        "write_note": noting.write_note,
    }
    for name, handler in commands.items():
        answering(broker, f"{ROOT}.{name}", queue=GROUP)(_counted(name, _patient(handler)))
    asked: dict[str, Handler] = {
        "requests": questions.requests,
        "callers": questions.callers,
        "rows": questions.rows,
        "closed": questions.closed,
        "timeline": questions.timeline,
        "summary": questions.summary,
        "notes": noting.notes,
    }
    for name, handler in asked.items():
        answering(broker, f"{ROOT}.{name}", queue=GROUP)(_patient(handler))


def _patient(handler: Handler) -> Handler:
    """A database that is away is no fault of the question: it can be asked again."""

    async def patient(payload: Payload) -> Payload:
        try:
            return await handler(payload)
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable, PoolTimeout) as error:
            raise Unavailable(f"the database does not answer: {error}") from error

    return patient


def _counted(name: str, handler: Handler) -> Handler:
    async def counted(payload: Payload) -> Payload:
        try:
            answer = await handler(payload)
        except Problem as problem:
            metrics.COMMANDS.labels(name, problem.type).inc()
            raise
        except Exception as error:
            metrics.COMMANDS.labels(name, type(error).__name__).inc()
            raise
        metrics.COMMANDS.labels(name, "done").inc()
        return answer

    return counted


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed("as_of: must be an instant in ISO 8601.") from error
    if instant.tzinfo is None:
        raise Malformed("as_of: must have an offset.")
    return instant
