"""Does a replay hold exactly the part that was asked for, once, also when it was killed in between?"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId, Username
from richiamo_events.language import CallerShown, CallMissed, Rank
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.store.api import api
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.command_line import app
from richiamo_ops.replaying.lines import file_of_lines
from richiamo_ops.replaying.part import Part, in_time
from richiamo_ops.replaying.stream import ROOT, IntoStream

pytestmark = pytest.mark.servers

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
ANNA, BRUNO = CallerId("a" * 32), CallerId("b" * 32)


def lost(caller: CallerId, number: int) -> NewEvent:
    return _event(
        caller,
        number,
        CallMissed(
            caller=caller, call=CallId("main", f"{number}.0"), rank=Rank.ROUTING, received_at=NOON, queue="Vendite"
        ),
    )


def shown(caller: CallerId, number: int) -> NewEvent:
    return _event(caller, number, CallerShown(caller=caller, by=Username("sara")))


def _event(caller: CallerId, number: int, data: Any) -> NewEvent:
    return NewEvent(
        id=f"e{number}",
        subject=subjects.caller(caller),
        data=data,
        occurred_at=NOON,
        actor="pbx:main",
        correlation_id="k",
        causation_id="c",
    )


@pytest.fixture
def environment(nats_url: str, tmp_path: Path) -> Mapping[str, str]:
    """What lets `richiamo` find the test's log; no replay asks the database."""
    read_key(tmp_path / "var" / "secrets" / "directory.key")
    return {
        "RICHIAMO_NATS_URL": nats_url,
        "RICHIAMO_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "RICHIAMO_DATA_DIR": str(tmp_path / "var"),
    }


@pytest.fixture
def richiamo(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A command in this process, on a thread so that it has a loop of its own."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def run(*words: str) -> None:
        await asyncio.to_thread(app, list(words), result_action="return_value")

    return run


async def started(environment: Mapping[str, str], *words: str) -> asyncio.subprocess.Process:
    """A command as a process of its own, which can be killed."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "richiamo_ops", "replay", *words, env={**os.environ, **environment}
    )


def positions(file: Path) -> list[int]:
    return [json.loads(line)["position"] for line in file.read_text().splitlines()]


async def copied(store: JetStreamEventStore, name: str) -> list[Recorded]:
    replayed = JetStreamEventStore(store.client, stream=name)
    return [event async for event in replayed.read(subject=f"{ROOT}.{name}.>")]


async def test_a_part_by_position_time_caller_and_type(
    event_store: JetStreamEventStore, richiamo: Any, tmp_path: Path
) -> None:
    for number in range(1, 6):
        await event_store.append([lost(ANNA, number), shown(BRUNO, number)])
    third = [event async for event in event_store.read()][4].recorded_at
    file = tmp_path / "part.jsonl"

    async def told(*words: str) -> list[int]:
        file.unlink(missing_ok=True)
        await richiamo("replay", "--out", str(file), *words)
        return positions(file)

    assert await told() == list(range(1, 11))
    assert await told("--after", "3", "--up-to", "6") == [4, 5, 6]
    assert await told("--from", third.isoformat()) == [5, 6, 7, 8, 9, 10]
    assert await told("--until", third.isoformat()) == [1, 2, 3, 4]
    assert await told("--caller", BRUNO) == [2, 4, 6, 8, 10]
    assert await told("--type", "caller.call_missed") == [1, 3, 5, 7, 9]
    assert await told("--type", "caller.call_missed", "--type", "caller.caller_shown", "--up-to", "2") == [1, 2]
    with pytest.raises(Problem, match="There is no event type"):
        await told("--type", "caller.nonsense")
    with pytest.raises(Problem, match="is no instant"):
        await told("--from", "yesterday")


async def test_a_caller_is_found_by_any_spelling_of_the_number(
    event_store: JetStreamEventStore, richiamo: Any, tmp_path: Path
) -> None:
    directory = NatsDirectory(event_store.client, read_key(tmp_path / "var" / "secrets" / "directory.key"))
    caller = await directory.resolve("+390501234567")
    await event_store.append([lost(ANNA, 1), lost(caller, 2)])
    file = tmp_path / "one.jsonl"
    await richiamo("replay", "--out", str(file), "--caller", "050 123 4567")
    assert positions(file) == [2]
    with pytest.raises(Problem, match="holds nothing under this number"):
        await richiamo("replay", "--out", str(file), "--caller", "0509999999")


async def test_killed_and_started_again_a_file_holds_every_event_once(
    event_store: JetStreamEventStore, environment: Mapping[str, str], tmp_path: Path
) -> None:
    await event_store.append([lost(ANNA, number) for number in range(1, 3001)])
    file = tmp_path / "all.jsonl"
    # Slow enough to be killed in the middle: what one batch recorded within milliseconds takes a second and more.
    first = await started(environment, "--out", str(file), "--speed", "0.01")
    async with asyncio.timeout(60):
        while not file.exists() or file.stat().st_size < 2000:
            await asyncio.sleep(0.01)
    first.kill()
    await first.wait()
    written = len(file.read_bytes().splitlines())
    assert 0 < written < 3000
    with file.open("ab") as cut:
        cut.write(b'{"position": 3000, "recorded_at": "2026-')
    second = await started(environment, "--out", str(file))
    assert await second.wait() == 0
    assert positions(file) == list(range(1, 3001))
    before = file.read_bytes()
    await event_store.append([lost(ANNA, 3001)])
    assert await (await started(environment, "--out", str(file))).wait() == 0
    assert file.read_bytes().startswith(before)
    assert positions(file)[-2:] == [3000, 3001], "what came since is added, nothing else"


async def test_killed_and_started_again_a_stream_holds_every_event_once(
    event_store: JetStreamEventStore, environment: Mapping[str, str]
) -> None:
    await event_store.append([lost(ANNA, number) for number in range(1, 2001)])
    first = await started(environment, "--stream", "TRAINING", "--speed", "0.01")
    async with asyncio.timeout(60):
        while await _size(event_store, "TRAINING") < 5:
            await asyncio.sleep(0.01)
    first.kill()
    await first.wait()
    assert 0 < await _size(event_store, "TRAINING") < 2000
    assert await (await started(environment, "--stream", "TRAINING")).wait() == 0
    there = await copied(event_store, "TRAINING")
    original = [event async for event in event_store.read()]
    assert [event.id for event in there] == [event.id for event in original]
    assert [event.data for event in there] == [event.data for event in original]
    assert [event.recorded_at for event in there] == [event.recorded_at for event in original]
    assert [event.causation_id for event in there] == [event.causation_id for event in original]


async def _size(store: JetStreamEventStore, stream: str) -> int:
    names = (await api(store.client, "STREAM.NAMES")).get("streams") or []
    assert isinstance(names, list)
    return (await JetStreamEventStore(store.client, stream=stream).last_position()) if stream in names else 0


async def test_of_two_replays_into_one_stream_the_second_is_told(event_store: JetStreamEventStore) -> None:
    await event_store.append([lost(ANNA, number) for number in range(1, 4)])
    events = [event async for event in event_store.read()]
    one = await IntoStream.open(event_store.client, "COPY")
    other = await IntoStream.open(event_store.client, "COPY")
    await one.write(events[:2])
    with pytest.raises(Problem, match="Somebody else writes into COPY"):
        await other.write(events[:1])
    with pytest.raises(Problem, match="Somebody else writes into COPY"):
        await other.write(events)
    await one.write(events[2:])
    assert [event.id for event in await copied(event_store, "COPY")] == ["e1", "e2", "e3"]


async def test_a_batch_that_was_stored_and_not_acknowledged_is_not_stored_again(
    event_store: JetStreamEventStore,
) -> None:
    await event_store.append([lost(ANNA, number) for number in range(1, 4)])
    events = [event async for event in event_store.read()]
    one = await IntoStream.open(event_store.client, "COPY")
    repeating = await IntoStream.open(event_store.client, "COPY")
    await one.write(events)
    await repeating.write(events)
    assert repeating.held is None
    assert [event.id for event in await copied(event_store, "COPY")] == ["e1", "e2", "e3"]


async def test_what_is_no_replay_or_of_another_log_is_left_alone(
    event_store: JetStreamEventStore, richiamo: Any, tmp_path: Path
) -> None:
    await event_store.append([lost(ANNA, 1)])
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Anna,\nall is well.")
    with pytest.raises(Problem, match="something else than a replay"):
        await richiamo("replay", "--out", str(letter))
    assert letter.read_text() == "Dear Anna,\nall is well."
    other = tmp_path / "other.jsonl"
    other.write_text('{"position": 1, "id": "of another log"}\n')
    with pytest.raises(Problem, match="another log"):
        await richiamo("replay", "--out", str(other))
    for taken in ("EVENTS", "CDR"):
        with pytest.raises(Problem, match="is a stream of something else"):
            await richiamo("replay", "--stream", taken)
    with pytest.raises(Problem, match="letters, digits"):
        await richiamo("replay", "--stream", "a.b")
    async with file_of_lines(tmp_path / "busy.jsonl"):
        with pytest.raises(Problem, match="Another replay writes"):
            await richiamo("replay", "--out", str(tmp_path / "busy.jsonl"))


async def test_the_recorded_pace_is_kept_or_divided(event_store: JetStreamEventStore) -> None:
    await event_store.append([lost(ANNA, 1)])
    (one,) = [event async for event in Part().read(event_store, 0)]
    apart = [replace(one, recorded_at=NOON + timedelta(seconds=second)) for second in (0, 0, 30, 20, 60)]

    async def those() -> Any:
        for event in apart:
            yield event

    began = monotonic()
    took = [(len(some), monotonic() - began) async for some in in_time(those(), 100)]
    assert [many for many, _ in took] == [2, 2, 1]
    assert took[1][1] >= 0.3
    assert took[2][1] >= 0.6
    assert [len(some) async for some in in_time(those(), 0)] == [5]
