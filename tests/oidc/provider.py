"""Where does the tests' identity provider run? A certified one, in Node.js, on a free port."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from richiamo_kit.servers import free_port

_HERE = Path(__file__).parent / "provider"
_ROOT = Path(__file__).parents[2]

CLIENT_SECRET = "known to: both/sides + nobody%else"


@dataclass(frozen=True)
class Company:
    """A provider that runs, and the accounts it knows."""

    issuer: str
    _people: Path

    def employs(self, account: str, **claims: Any) -> None:
        """Adds an account, or changes what the tokens say of it."""
        people = json.loads(self._people.read_text())
        self._people.write_text(json.dumps(people | {account: claims}))


@asynccontextmanager
async def company(folder: Path, callback: str) -> AsyncIterator[Company]:
    """Runs the provider while the context lasts."""
    if not (_HERE / "node_modules").is_dir():
        raise RuntimeError("The identity provider is not installed: `make test` does it.")
    people = folder / "people.json"
    people.write_text("{}")
    port = free_port()
    found = await asyncio.to_thread(subprocess.check_output, [_ROOT / "tools/ensure-node"], text=True)
    node = await asyncio.create_subprocess_exec(
        f"{found.strip()}/node",
        "provider.mjs",
        str(port),
        callback,
        CLIENT_SECRET,
        str(people),
        cwd=_HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "NODE_ENV": "test"},
    )
    assert node.stdout is not None
    try:
        assert (await node.stdout.readline()).strip() == b"ready"
        yield Company(f"http://127.0.0.1:{port}", people)
    finally:
        node.terminate()
        await node.wait()
