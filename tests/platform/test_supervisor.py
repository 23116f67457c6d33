"""Does the supervisor keep its parts alive, and end them when it is told to?"""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from richiamo_kit.children import Child, Program
from richiamo_kit.errors import Unavailable
from richiamo_ops.supervisor import Part, Supervisor
from tests.platform.waiting import until


@dataclass
class Desk:
    """A supervisor, and everything it said."""

    folder: Path
    said: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        def note(part: str, line: str) -> None:
            self.said.append((part, line))

        self.supervisor = Supervisor(note, note)

    def keep(self, name: str, script: str, patience: float = 5.0) -> Part:
        async def prepare() -> Program:
            return Program(("/bin/sh", "-c", script), {"PATH": os.environ["PATH"]}, self.folder)

        part = Part(name, prepare, patience=patience)
        self.parts.append(part)
        self.supervisor.keep(part)
        return part

    async def hears(self, part: str, line: str) -> None:
        async def heard() -> bool:
            return (part, line) in self.said

        await until(f"{part} says {line}", heard)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.supervisor.stop(made.parts)


def pid_of(part: Part) -> int:
    assert part.child is not None
    return part.child.pid


async def test_a_part_that_is_killed_is_started_again(desk: Desk) -> None:
    part = desk.keep("worker", "echo here; exec sleep 600")
    await desk.hears("worker", "here")
    first = pid_of(part)
    os.kill(first, signal.SIGKILL)

    async def another() -> bool:
        return part.starts == 2 and pid_of(part) != first

    await until("another process", another)
    assert ("worker", "ended by signal 9; starting it again in 0.1 s") in desk.said


async def test_a_part_that_keeps_dying_is_tried_less_and_less_often(desk: Desk) -> None:
    desk.keep("broken", "exit 3")
    await desk.hears("broken", "ended with code 3; starting it again in 0.1 s")
    await desk.hears("broken", "ended with code 3; starting it again in 0.2 s")
    await desk.hears("broken", "ended with code 3; starting it again in 0.4 s")


async def test_a_part_that_cannot_be_prepared_is_tried_again(desk: Desk) -> None:
    async def prepare() -> Program:
        raise Unavailable("no binary")

    part = Part("absent", prepare)
    desk.parts.append(part)
    desk.supervisor.keep(part)
    await desk.hears("absent", "cannot start: no binary; starting it again in 0.1 s")


async def test_ready_names_what_is_not(desk: Desk) -> None:
    async def never(_child: Child) -> None:
        raise Unavailable("it will never be")

    async def prepare() -> Program:
        return Program(("/bin/sleep", "600"), {}, desk.folder)

    part = Part("slow", prepare, never)
    desk.parts.append(part)
    desk.supervisor.keep(part)
    ready = desk.keep("quick", "exec sleep 600")
    with pytest.raises(Unavailable, match=r"not ready after 0 s: slow$"):
        await desk.supervisor.ready([part, ready], within=0.3)


async def test_stopping_ends_the_first_group_before_the_second(desk: Desk) -> None:
    said_on_end = "trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.01; done"
    service, server = desk.keep("service", said_on_end), desk.keep("server", said_on_end)
    await desk.hears("service", "here")
    await desk.hears("server", "here")
    await desk.supervisor.stop([service], [server])
    assert [entry for entry in desk.said if entry[1] == "bye"] == [("service", "bye"), ("server", "bye")]


async def test_stopping_does_not_wait_for_ever(desk: Desk) -> None:
    part = desk.keep("deaf", "trap '' TERM; echo here; while :; do sleep 0.01; done", patience=0.1)
    await desk.hears("deaf", "here")
    await desk.supervisor.stop([part])
    assert part.child is not None
    assert not part.child.alive
