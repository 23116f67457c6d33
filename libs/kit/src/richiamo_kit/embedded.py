"""Which servers belong to a data folder? One of each, with the same ports and passwords at every start."""

import contextlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from richiamo_kit.servers import NatsServer, PostgresServer, free_port, write_private


@dataclass(frozen=True)
class Embedded:
    """Both servers of a data folder: the same ports and passwords at every start."""

    nats: NatsServer
    postgres: PostgresServer

    @classmethod
    def of(cls, data_dir: Path) -> Self:
        """The servers of `data_dir`; ports are chosen at the first start, and again if somebody else took one."""
        memory = data_dir / "secrets" / "servers.json"
        known: dict[str, str | int] = json.loads(memory.read_text()) if memory.exists() else {}
        chosen = {
            "nats_port": _port_again(known.get("nats_port")),
            "nats_password": known.get("nats_password") or secrets.token_hex(),
            "postgres_port": _port_again(known.get("postgres_port")),
            "postgres_password": known.get("postgres_password") or secrets.token_hex(),
        }
        if chosen != known:
            memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(memory, json.dumps(chosen))
        return cls(
            NatsServer(data_dir / "nats", int(chosen["nats_port"]), str(chosen["nats_password"])),
            PostgresServer(data_dir / "postgres", int(chosen["postgres_port"]), str(chosen["postgres_password"])),
        )


def _port_again(known: str | int | None) -> int:
    """The remembered port, unless a stranger listens there: our own leftovers are ended before the server starts."""
    if known is None:
        return free_port()
    for connection in _listeners(int(known)):
        if connection not in {"nats-server", "postgres"}:
            return free_port()
    return int(known)


def _listeners(port: int) -> list[str]:
    """The names of the programs that listen on `port`, `?` when they are not ours to see."""
    found = []
    with contextlib.suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                try:
                    found.append(psutil.Process(connection.pid).name() if connection.pid else "?")
                except psutil.Error:
                    found.append("?")
    return found
