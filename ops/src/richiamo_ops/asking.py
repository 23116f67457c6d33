"""How does a command ask the services? As the system itself, with every right, by the same subjects as the gateway."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from richiamo_kit.messaging import ask, make_broker
from richiamo_ops.site import Site

_SYSTEM = {"username": "system", "role": "admin", "extension": "", "queues": [], "masked": False, "language": "en"}


class Ask(Protocol):
    """Ask a subject; the payload is completed with who asks."""

    async def __call__(self, subject: str, payload: Mapping[str, Any]) -> dict[str, Any]: ...


@asynccontextmanager
async def asking(site: Site, *, patience: float = 30.0) -> AsyncIterator[Ask]:
    """A way to ask, while the context lasts; `patience` seconds an answer."""
    broker = make_broker(site.found.nats_url, name="richiamo-command")
    await broker.start()

    async def question(subject: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        return await ask(broker, subject, {"user": _SYSTEM, **payload}, timeout=patience)

    try:
        yield question
    finally:
        await broker.stop()
