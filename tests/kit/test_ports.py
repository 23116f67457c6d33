"""Is a port that was chosen still free when a server comes to listen?"""

import socket

from richiamo_kit.servers import free_port


def test_none_is_chosen_twice_and_none_that_is_taken() -> None:
    first = free_port()
    with socket.create_server(("127.0.0.1", first + 1)):
        assert free_port() not in {first, first + 1}
