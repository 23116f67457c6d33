"""How is the callback tracker started? `richiamo serve callback-tracker`."""

from richiamo_callback_tracker.app import run
from richiamo_callback_tracker.settings import TrackerSettings
from richiamo_kit import logging, tracing
from richiamo_kit.lifetime import run_service


def main() -> None:
    settings = TrackerSettings()
    logging.configure(settings.log_level, form=settings.log_format, service="callback-tracker")
    tracing.begin("callback-tracker")
    run_service(run(settings))


if __name__ == "__main__":
    main()
