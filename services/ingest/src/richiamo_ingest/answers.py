"""What does ingest tell the other services? How the poll goes, and whether the PBX is set up right."""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog

from richiamo_ingest.checking import check_records, tried
from richiamo_ingest.link import Link
from richiamo_ingest.poll.marks import Marks
from richiamo_ingest.quarantined import Quarantined
from richiamo_ingest.settings import IngestSettings
from richiamo_ingest.site import Site
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Unavailable
from richiamo_kit.messaging import answering, make_broker

_log = structlog.get_logger(__name__)
_GROUP = "ingest"
_LOOK_AGAIN = 0.5


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers questions over NATS, whichever instance is asked."""

    settings: IngestSettings
    site: Site
    link: Link
    clock: Clock
    quarantined: Quarantined

    async def run(self) -> None:
        """Answer until cancelled; whatever fails here never ends the receiving."""
        while True:
            if self.link.client is not None:
                try:
                    await self._answer()
                except Exception:
                    _log.exception("answers_failed")
            await asyncio.sleep(_LOOK_AGAIN)

    async def _answer(self) -> None:
        broker = make_broker(self.settings.nats_url.get_secret_value(), name="richiamo-ingest-answers")
        answering(broker, "richiamo.ingest.test_pbx", queue=_GROUP)(self.test_pbx)
        answering(broker, "richiamo.ingest.poll", queue=_GROUP)(self.poll)
        answering(broker, "richiamo.ingest.quarantine.submit", queue=_GROUP)(self.quarantined.submit)
        answering(broker, "richiamo.ingest.quarantine.repair", queue=_GROUP)(self.quarantined.repair)
        answering(broker, "richiamo.ingest.quarantine.drop", queue=_GROUP)(self.quarantined.drop)
        try:
            await broker.start()
            await asyncio.Event().wait()
        finally:
            await broker.stop()

    async def test_pbx(self, payload: dict[str, Any]) -> dict[str, Any]:
        """`{"settings": {...}}`, what is not saved yet -> `{"ok", "trouble", "words", "values"}`; takes some seconds."""
        site = tried(self.site.settings, payload.get("settings") or {})
        return (await check_records(site, self.settings, self.clock)).as_json()

    async def poll(self, _payload: dict[str, Any]) -> dict[str, Any]:
        """How the poll goes: `{"on", "through", "succeeded_at", "failing_since", "trouble", "words", "values"}`."""
        site, client = self.site.settings, self.link.client
        if client is None:
            raise Unavailable("not connected to the log")
        kept = await Marks(client).read(site.pbx_name) if site.cdr_poll else None
        if kept is None:
            return {"on": site.cdr_poll, "through": None, "trouble": None, "words": "", "values": {}}
        mark = kept.mark
        return {
            "on": True,
            "through": mark.through.isoformat(),
            "succeeded_at": mark.succeeded_at.isoformat() if mark.succeeded_at else None,
            "failing_since": mark.failing_since.isoformat() if mark.failing_since else None,
            "trouble": mark.trouble,
            "words": mark.words,
            "values": dict(mark.values),
        }
