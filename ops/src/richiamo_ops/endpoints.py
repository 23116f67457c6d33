"""Where are the servers of the running system? What `richiamo up` wrote down, for the other commands."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from richiamo_kit.errors import Unavailable
from richiamo_ops.settings import Installation


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses with passwords: the file that holds them is for its owner alone."""

    nats_url: str
    database_url: str
    gateway: str
    ingest: str
    supervisor: int


def _file(data_dir: Path) -> Path:
    return data_dir / "run" / "endpoints.json"


def publish(data_dir: Path, endpoints: Endpoints) -> None:
    """Write them down, all or nothing."""
    target = _file(data_dir)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(endpoints), file)
    part.rename(target)


def withdraw(data_dir: Path) -> None:
    """The system does not run any more."""
    _file(data_dir).unlink(missing_ok=True)


def find(installation: Installation) -> Endpoints:
    """By the environment where it names both servers, else by what `richiamo up` wrote. Raises `Unavailable`."""
    if installation.nats_url and installation.database_url:
        return Endpoints(
            installation.nats_url, installation.database_url, installation.gateway, installation.ingest, supervisor=0
        )
    try:
        found = Endpoints(**json.loads(_file(installation.folder).read_text()))
    except FileNotFoundError:
        raise Unavailable(
            f"Richiamo does not run with its data in {installation.folder}: start it, or set RICHIAMO_DATA_DIR."
        ) from None
    return Endpoints(
        installation.nats_url or found.nats_url,
        installation.database_url or found.database_url,
        found.gateway,
        found.ingest,
        found.supervisor,
    )
