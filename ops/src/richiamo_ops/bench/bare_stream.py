"""What is the least that a live row can cost? A server that hands the body it gets to every open stream.

`python -m richiamo_ops.bench.bare_stream PORT`: the floor under the gateway's streams, in a process like the gateway's.
"""

import asyncio
import sys
from typing import Any

import uvicorn

from richiamo_kit.lifetime import run_service


def _app() -> Any:
    streams: set[asyncio.Queue[bytes]] = set()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await _tell(streams, send)
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        for stream in streams:
            stream.put_nowait(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


async def _tell(streams: set[asyncio.Queue[bytes]], send: Any) -> None:
    """One browser's stream, until the process ends."""
    mine: asyncio.Queue[bytes] = asyncio.Queue()
    streams.add(mine)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    message = b": connected\n\n"
    while True:
        await send({"type": "http.response.body", "body": message, "more_body": True})
        message = await mine.get()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    config = uvicorn.Config(
        _app(), port=port, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    run_service(serve(int(sys.argv[1])))
