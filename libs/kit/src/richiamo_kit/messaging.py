"""How do services ask one another? Request and reply over NATS, where an error is an answer too."""

from collections.abc import Awaitable, Callable

from faststream.nats import NatsBroker

from richiamo_kit.errors import Problem

__all__ = ["Problem", "answering", "ask", "make_broker"]

Payload = dict[str, object]
Handler = Callable[[Payload], Awaitable[Payload]]


def make_broker(nats_url: str, *, name: str) -> NatsBroker:
    """A broker that reconnects for ever; `await broker.start()` after all handlers are declared, `await broker.stop()`."""
    raise NotImplementedError


async def ask(broker: NatsBroker, subject: str, payload: Payload, timeout: float = 5.0) -> Payload:
    """Ask a service and await its answer.

    Raises `Problem` when it refused or failed, `Unavailable` when none answered within `timeout` seconds. While nobody
    listens the question is asked again; once asked it is never repeated, for it may have been carried out.
    """
    raise NotImplementedError


def answering(broker: NatsBroker, subject: str, *, queue: str) -> Callable[[Handler], Handler]:
    """Declare the handler of a subject: `payload -> answer`, shared by the instances of a queue group.

    Whatever it raises becomes a reply: `Rejected` its 409, `Problem` itself, `Unavailable` and `StreamMoved` 503,
    anything else 500 and a logged traceback.
    """
    raise NotImplementedError
