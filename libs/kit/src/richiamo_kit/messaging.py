"""How do services ask one another? Request and reply over NATS, where an error is an answer too."""

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import nats.errors
import structlog
from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from faststream.nats.security import NatsUserPassword

from richiamo_kit import tracing
from richiamo_kit.errors import Problem, Rejected, StreamMoved, Unavailable
from richiamo_kit.store.client import SteadyClient
from richiamo_kit.store.connection import Address, inbox_of
from richiamo_kit.store.majority import stay_with_majority

__all__ = ["Problem", "answering", "ask", "make_broker"]

Payload = dict[str, Any]
Handler = Callable[[Payload], Awaitable[Payload]]

_log = structlog.get_logger(__name__)

_STOP_WITHIN = 4.0
_AT_ONCE = 64
"""Questions of one subject that one instance works on at a time."""


class _Broker(NatsBroker):
    """FastStream's broker, but one whose `stop` ends also when the server is gone, and raises nothing then.

    Set to `in_cluster` it leaves a server that was cut off from the others.
    """

    in_cluster = False
    _watching: asyncio.Task[None] | None = None

    async def _connect(self) -> SteadyClient:
        connection = SteadyClient()
        await connection.connect(**self._connection_kwargs)
        self.config.connect(connection)
        return connection

    async def start(self) -> None:
        await super().start()
        if self.in_cluster and self._watching is None and self._connection is not None:
            self._watching = asyncio.create_task(stay_with_majority(self._connection))

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        connection = self._connection
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        try:
            # Handlers at work get `graceful_timeout` to answer; a drain without a server would wait for ever.
            async with asyncio.timeout(_STOP_WITHIN if connection is None or connection.is_connected else 0.1):
                await super().stop(exc_type, exc_val, exc_tb)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            _log.info("broker_stopped_without_farewell", reason=repr(error))
        finally:
            if connection is not None and not connection.is_closed:
                # Its last bytes find nobody when the server has just died.
                with suppress(OSError):
                    await connection.close()


def make_broker(nats_url: str, *, name: str) -> NatsBroker:
    """A broker that reconnects for ever; `await broker.start()` after all handlers are declared, `await broker.stop()`."""
    address = Address.of(nats_url)
    broker = _Broker(
        address.servers,
        name=name,
        # As in `connect`: the servers are shuffled already, and whoever leaves one tries all others first.
        dont_randomize=True,
        # Said outright, so that it is shown to the servers too of which the cluster tells.
        security=NatsUserPassword(address.user, address.password) if address.user else None,
        inbox_prefix=inbox_of(address.user),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # Seconds; fractions work.
        ping_interval=5,
        max_outstanding_pings=2,
        logger=logging.getLogger("faststream"),
        graceful_timeout=2.0,
    )
    broker.in_cluster = address.cluster
    return broker


async def ask(broker: NatsBroker, subject: str, payload: Mapping[str, Any], timeout: float = 5.0) -> Payload:
    """Ask a service and await its answer.

    Raises `Problem` when it refused or failed, `Unavailable` when none answered within `timeout` seconds. While nobody
    listens the question is asked again; once asked it is never repeated, for it may have been carried out.
    """
    with tracing.step(f"ask {subject}", tracing.SpanKind.CLIENT):
        answer = await _asked(broker, subject, payload, timeout)
        if "problem" in answer:
            raise Problem.from_json(answer["problem"])
        result: Payload = answer["answer"]
        return result


async def _asked(broker: NatsBroker, subject: str, payload: Mapping[str, Any], timeout: float) -> Payload:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        left = max(0.05, deadline - loop.time())
        try:
            message = await broker.request(dict(payload), subject, timeout=left, headers=tracing.headers())
        except nats.errors.NoRespondersError as error:
            if loop.time() + 0.1 >= deadline:
                raise Unavailable(f"nobody answers {subject}") from error
            await asyncio.sleep(0.1)
            continue
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise Unavailable(f"no answer from {subject} in time") from error
        answer: Payload = json.loads(message.body)
        return answer


def answering(broker: NatsBroker, subject: str, *, queue: str) -> Callable[[Handler], Handler]:
    """Declare the handler of a subject: `payload -> answer`, shared by the instances of a queue group.

    Whatever it raises becomes a reply: `Rejected` its 409, `Problem` itself, `Unavailable` and `StreamMoved` 503,
    anything else 500 and a logged traceback.
    """

    def declare(handler: Handler) -> Handler:
        async def reply(payload: Any, message: NatsMessage) -> Payload:
            if not isinstance(payload, dict):
                return {"problem": Problem(400, "bad-request", "The question is no JSON object").as_json()}
            try:
                with tracing.consequence(f"answer {subject}", [tracing.of(message.headers)], tracing.SpanKind.SERVER):
                    return {"answer": await handler(payload)}
            except Problem as problem:
                return {"problem": problem.as_json()}
            except Rejected as refusal:
                return {"problem": refusal.as_problem().as_json()}
            except (Unavailable, StreamMoved) as error:
                _log.warning("question_not_answered", subject=subject, error=str(error))
                return {"problem": Problem(503, "unavailable", "Not available now", "Try again in a moment.").as_json()}
            except Exception:
                _log.exception("question_failed", subject=subject)
                return {"problem": Problem(500, "internal-error", "This went wrong inside Richiamo").as_json()}

        broker.subscriber(
            subject, queue=queue, max_workers=_AT_ONCE, title=subject, description=inspect.getdoc(handler)
        )(reply)
        return handler

    return declare
