"""How is the simulated Kalliope reached? On a free port of this machine, in a thread of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.kalliope.pbx import KalliopePbx


@contextmanager
def running(pbx: KalliopePbx) -> Iterator[str]:
    """Serve `pbx` while the context lasts; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            pbx.app(),
            log_level="critical",
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            date_header=False,  # The PBX tells the time of its own clock.
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=60)
