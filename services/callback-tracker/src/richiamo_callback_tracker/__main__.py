"""How is the callback tracker started? `richiamo serve callback-tracker`."""

import asyncio

from richiamo_callback_tracker.app import run
from richiamo_callback_tracker.settings import TrackerSettings
from richiamo_kit import logging


def main() -> None:
    settings = TrackerSettings()
    logging.configure(settings.log_level, form=settings.log_format, service="callback-tracker")
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
