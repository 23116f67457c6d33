"""How is ingest started? `richiamo serve ingest`, or `python -m richiamo_ingest`."""

from richiamo_ingest.app import run
from richiamo_ingest.settings import IngestSettings
from richiamo_kit import logging, tracing
from richiamo_kit.lifetime import run_service


def main() -> None:
    settings = IngestSettings()
    logging.configure(settings.log_level, form=settings.log_format, service="ingest")
    tracing.begin("ingest")
    run_service(run(settings))


if __name__ == "__main__":
    main()
