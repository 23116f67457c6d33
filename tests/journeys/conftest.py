"""What do all journeys share? One running system, and people who work with it."""

import uuid
from collections.abc import Iterator

import pytest

from tests.journeys import people
from tests.journeys.edge import Edge
from tests.journeys.people import Person
from tests.journeys.system import System


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A whole Richiamo that the journeys share; each keeps to numbers, queues and days of its own."""
    running = System()
    running.start()
    try:
        yield running
    finally:
        log = running.log()
        running.stop()
    # Each service is a NATS user with no more rights than it needs, and no fewer.
    assert "permissions violation" not in log.lower(), log[-3000:]


@pytest.fixture
def own() -> Iterator[System]:
    """A system of one test alone, for what the others would notice."""
    running = System()
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def edge(system: System) -> Edge:
    return Edge(system)


@pytest.fixture(scope="session")
def admin(system: System) -> Person:
    return people.admin(system)


@pytest.fixture(scope="session")
def anna(system: System) -> Person:
    return people.hire(system, "anna", name="Anna Rossi")


@pytest.fixture(scope="session")
def bruno(system: System) -> Person:
    return people.hire(system, "bruno", name="Bruno Bianchi")


@pytest.fixture(scope="session")
def sara(system: System) -> Person:
    """A supervisor."""
    return people.hire(system, "sara", role="supervisor", name="Sara Sole")


@pytest.fixture
def queue() -> str:
    """The name of a queue that only this test uses."""
    return f"Coda {uuid.uuid4().hex[:8]}"
