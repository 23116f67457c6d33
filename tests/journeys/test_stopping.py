"""Does `richiamo up` end within ten seconds while somebody listens, and leave nothing behind?"""

import signal
import time

import pytest

from tests.journeys import people
from tests.journeys.stream import listening
from tests.journeys.system import System


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_ends_within_ten_seconds_with_a_stream_open(sign: signal.Signals) -> None:
    system = System()
    system.start()
    try:
        below = system.below()
        assert len(below) >= 7
        assert system.process is not None
        with listening(people.admin(system)):
            begun = time.monotonic()
            system.asked_to_end = True
            system.process.send_signal(sign)
            code = system.process.wait(timeout=10)
        assert time.monotonic() - begun < 10
        assert code == 0, system.log()
        assert [process for process in below if process.is_running()] == []
    finally:
        system.stop()
