"""How is ingest started? `richiamo serve ingest`, or `python -m richiamo_ingest`."""

import asyncio

from richiamo_ingest.app import run
from richiamo_ingest.settings import IngestSettings
from richiamo_kit import logging


def main() -> None:
    settings = IngestSettings()
    logging.configure(settings.log_level, form=settings.log_format, service="ingest")
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
