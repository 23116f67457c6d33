"""Does the service start and end as a process should? `python -m richiamo_queue` on the test's servers."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from richiamo_kit.messaging import ask, make_broker

pytestmark = pytest.mark.servers

ANNA = {"username": "anna", "role": "operator", "extension": "201"}


async def test_it_answers_and_ends_cleanly_on_sigterm(nats_url: str, database_url: str, data_dir: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "richiamo_queue",
        env={
            **os.environ,
            "RICHIAMO_NATS_URL": nats_url,
            "RICHIAMO_DATABASE_URL": database_url,
            "RICHIAMO_DATA_DIR": str(data_dir),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    broker = make_broker(nats_url, name="test")
    await broker.start()
    try:
        answer = await ask(broker, "richiamo.queue.requests", {"user": ANNA, "view": "recall"}, timeout=60)
        assert answer == {"items": [], "total": 0, "next": None, "position": 0}
    finally:
        await broker.stop()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "Traceback" not in said.decode()
