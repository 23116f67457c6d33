"""How is the queue service started? `python -m richiamo_queue`, or `richiamo serve queue`."""

from richiamo_kit import logging, tracing
from richiamo_kit.lifetime import run_service
from richiamo_queue.app import run
from richiamo_queue.settings import Settings


def main() -> None:
    """Read the environment and serve until SIGTERM or SIGINT."""
    settings = Settings()
    logging.configure(settings.log_level, form=settings.log_format, service="queue")
    tracing.begin("queue")
    run_service(run(settings))


if __name__ == "__main__":
    main()
