"""What does the client of the AMI hear in these bytes? Without a connection, as fast as they can be read."""

import asyncio

from richiamo_kit.ami import AmiConnection, AmiLost, Message


class Nowhere(asyncio.Transport):
    """Nothing is sent."""

    def is_closing(self) -> bool:
        return True


def messages_in(body: bytes) -> tuple[list[Message], str]:
    """The events, and in which words the connection was given up: at the latest that the bytes ended."""
    return asyncio.run(_hear(body))


async def _hear(body: bytes) -> tuple[list[Message], str]:
    reader = asyncio.StreamReader(limit=64 * 1024)
    reader.feed_data(body)
    reader.feed_eof()
    loop = asyncio.get_running_loop()
    writer = asyncio.StreamWriter(Nowhere(), asyncio.StreamReaderProtocol(reader), reader, loop)
    connection = AmiConnection(reader, writer, 5.0)
    heard: list[Message] = []
    try:
        while (message := await connection.event()) is not None:
            heard.append(message)
    except AmiLost as error:
        return heard, str(error)
    return heard, ""
