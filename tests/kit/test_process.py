"""Does a service's process behave? Its logs, its health, its clock, its settings and its end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from richiamo_kit.clock import FixedClock, SystemClock
from richiamo_kit.errors import Problem, Rejected
from richiamo_kit.health import Health, live, measured
from richiamo_kit.lifetime import run_until_signal
from richiamo_kit.settings import Settings

LOGGING_PROCESS = """
import logging, sys, structlog
from richiamo_kit.logging import configure
configure(form=sys.argv[1], service="test")
text = sys.argv[2]
log = structlog.get_logger("richiamo")
log.info("something_happened", text=text, position=1234567)
logging.getLogger("other.library").warning("it says %s", text)
try:
    raise ValueError(text)
except ValueError:
    log.exception("something_failed")
    logging.getLogger("other.library").exception("it failed")
"""


def logged(form: str, text: str) -> str:
    """What a process of its own writes: pytest has its own hands on the loggers of this one."""
    done = subprocess.run(
        [sys.executable, "-c", LOGGING_PROCESS, form, text], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == ""
    return done.stderr


class TestLogging:
    @pytest.mark.parametrize("form", ["json", "console"])
    def test_no_number_in_clear(self, form: str) -> None:
        texts = [
            "+390501234567",
            "GET /insert/?caller=%2B390501234567&unique_id=1511212918.0",
            "the number 0501234567.",
            '{"caller":"0501234567"}',
            "tel:0501234567",
        ]
        written = logged(form, " and ".join(texts))
        assert "501234567" not in written
        assert written.count("501234xxx") == 4 * len(texts)

    def test_what_is_no_number_stays(self) -> None:
        first, *_ = logged("json", "main:1511212918.0 of 0123456789abcdef0123456789abcdef").splitlines()
        entry = json.loads(first)
        assert entry["text"] == "main:1511212918.0 of 0123456789abcdef0123456789abcdef"
        assert (entry["position"], entry["service"], entry["level"]) == (1234567, "test", "info")


class TestHealth:
    async def test_ready_when_nothing_is_missing(self) -> None:
        health = Health()

        async def fine() -> str | None:
            return None

        health.add("log", fine)
        assert await health.ready() == (200, {"ready": True})
        assert live()[0] == 200

    async def test_says_what_is_missing_also_when_a_check_breaks(self) -> None:
        health = Health()

        async def behind() -> str | None:
            return "the view is behind"

        async def broken() -> str | None:
            raise ConnectionError("no server")

        health.add("view", behind)
        health.add("log", broken)
        status, body = await health.ready()
        assert status == 503
        assert body["missing"] == {"view": "the view is behind", "log": "ConnectionError: no server"}

    def test_metrics_are_named(self) -> None:
        body, kind = measured()
        assert b"richiamo_view_position" in body
        assert kind.startswith("text/plain")


class TestClock:
    def test_a_fixed_clock_stands_until_told(self) -> None:
        clock = FixedClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
        clock.advance(timedelta(minutes=30))
        assert clock.now() == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
        with pytest.raises(ValueError, match="time zone"):
            FixedClock(datetime(2026, 3, 2, 12))  # noqa: DTZ001
        assert SystemClock().now().tzinfo is UTC


class TestLifetime:
    async def test_a_signal_ends_all_parts(self) -> None:
        ended: list[str] = []

        async def part() -> None:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.Event().wait()
            finally:
                ended.append("part")

        async with asyncio.timeout(60):
            await run_until_signal(part)
        assert ended == ["part"]

    async def test_a_part_that_fails_ends_all_with_its_error(self) -> None:
        async def fails() -> None:
            raise RuntimeError("for good")

        async def waits() -> None:
            await asyncio.Event().wait()

        with pytest.raises(RuntimeError, match="for good"):
            await run_until_signal(fails, waits)


class TestSettings:
    def test_the_environment_by_its_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RICHIAMO_NATS_URL", "nats://u:secret@127.0.0.1:1")
        monkeypatch.setenv("RICHIAMO_DATA_DIR", "/tmp/x")
        settings = Settings()
        assert settings.nats_url.get_secret_value() == "nats://u:secret@127.0.0.1:1"
        assert settings.data_dir == Path("/tmp/x")
        assert "secret" not in repr(settings)

    def test_every_field_is_documented(self) -> None:
        assert [name for name, field in Settings.model_fields.items() if not field.description] == []


class TestErrors:
    def test_a_problem_there_and_back(self) -> None:
        class Held(Rejected):
            type = "already-reserved"
            title = "Held"

        problem = Problem.from_json(Held("by Anna", reserved_by="anna").as_problem().as_json())
        assert problem.as_json() == {
            "type": "already-reserved",
            "title": "Held",
            "status": 409,
            "detail": "by Anna",
            "reserved_by": "anna",
        }
