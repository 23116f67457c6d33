"""What is the least that a call can cost? An endpoint that puts the body it gets into JetStream and says 200.

`python -m richiamo_ops.bench.bare PORT` with RICHIAMO_NATS_URL: the floor under ingest, in a process like ingest's.
"""

import os
import sys
from typing import Any

import uvicorn
from nats.aio.client import Client

from richiamo_kit.lifetime import run_service
from richiamo_kit.store.api import api
from richiamo_kit.store.connection import connect

STREAM = "BENCH"
SUBJECT = "bench.bare"


def _app(client: Client) -> Any:
    async def app(_scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        await client.request(SUBJECT, body, timeout=10)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    client = await connect(os.environ["RICHIAMO_NATS_URL"], name="bench-bare")
    config = {"name": STREAM, "subjects": [SUBJECT], "storage": "file", "retention": "limits", "max_msgs": 1_000_000}
    await api(client, f"STREAM.CREATE.{STREAM}", config, timeout=5)
    await uvicorn.Server(
        uvicorn.Config(_app(client), host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off")
    ).serve()


if __name__ == "__main__":
    run_service(serve(int(sys.argv[1])))
