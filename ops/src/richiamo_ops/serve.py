"""How is one service run alone? Its own main, in this process, until SIGTERM or SIGINT."""

import importlib
import sys
from typing import Literal

SERVICES = ("ingest", "queue", "callback-tracker", "reporting", "gateway")

ServiceName = Literal["ingest", "queue", "callback-tracker", "reporting", "gateway"]


def serve(service: ServiceName | str, /) -> None:
    """Run one service until SIGTERM or SIGINT. It finds its servers by RICHIAMO_NATS_URL and RICHIAMO_DATABASE_URL.

    Example: `richiamo serve queue`

    Args:
        service: ingest, queue, callback-tracker, reporting or gateway.
    """
    if service not in SERVICES:
        sys.exit(f"richiamo: there is no service {service!r}, only {', '.join(SERVICES)}.")
    importlib.import_module(f"richiamo_{service.replace('-', '_')}.__main__").main()
