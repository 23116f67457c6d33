"""Does a service answer, and is its port free? Asked over loopback, with nothing that is slow to import."""

import asyncio
import socket

from richiamo_kit.errors import Unavailable

_LOOPBACK = "127.0.0.1"


async def status_of(port: int, path: str) -> int | None:
    """The HTTP status of a GET, nothing when nobody answers within 2 s."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(_LOOPBACK, port), 2)
    except (OSError, TimeoutError):
        return None
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {_LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), 2)
        return int(line.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return None
    finally:
        writer.close()


async def port_becomes_free(port: int, variable: str, within: float = 6.0) -> None:
    """Wait until we may listen on `port`: what a killed predecessor left may still be ending.

    Raises `Unavailable`, which names the environment variable that chooses another.
    """
    for _ in range(int(within / 0.1)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                await asyncio.sleep(0.1)
                continue
            return
    raise Unavailable(f"port {port} is taken by another program: end it, or set {variable} to a free port.")
