"""Does ingest still hold anything of a person who is being forgotten? It reads the register, empties itself, and says so."""

import asyncio
import json
from dataclasses import dataclass

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from richiamo_ingest.intake import Intake
from richiamo_ingest.link import Link
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.errors import Unavailable
from richiamo_kit.settling import HEARD, SETTLE
from richiamo_kit.store.connection import connect

_log = structlog.get_logger(__name__)
_WITHIN = 20.0
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Settling:
    """Answers `richiamo_kit.settling.settled`; every instance does, for each has a spool of its own."""

    settings: IngestSettings
    link: Link
    intake: Intake

    async def run(self) -> None:
        """Answer until cancelled."""
        client = await self._connected()
        try:
            await client.subscribe(SETTLE, cb=self._settle)
            await asyncio.Event().wait()
        finally:
            await client.close()

    async def _connected(self) -> Client:
        while True:
            try:
                return await connect(self.settings.nats_url.get_secret_value(), name="richiamo-ingest-settling")
            except Unavailable:
                await asyncio.sleep(_PAUSE)

    async def _settle(self, question: Msg) -> None:
        try:
            await question.respond(HEARD)
            if (writer := self.link.writer) is not None:
                await writer.directory.read_erasures()
            waiting = await self.intake.settled(_WITHIN)
            await question.respond(json.dumps({"waiting": waiting}).encode())
        except (Unavailable, nats.errors.Error, OSError) as error:
            # Whoever asked hears nothing, and does not take that for an answer.
            _log.warning("settling_failed", reason=str(error))
