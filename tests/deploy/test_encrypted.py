"""Does a service speak with a NATS that wants TLS, and with none whose certificate it does not know?"""

import asyncio
import os
import ssl
import sysconfig
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from richiamo_kit.servers import NatsServer, free_port, running
from tests.certificates import certify

RICHIAMO = Path(sysconfig.get_path("scripts")) / "richiamo"
TLS = Path(__file__).parents[2] / "deploy/nats/tls.conf"

pytestmark = [pytest.mark.servers, pytest.mark.slow]


class Encrypted(NatsServer):
    """NATS with `deploy/nats/tls.conf`, its certificate in the folder above."""

    def config(self) -> str:
        return super().config() + TLS.read_text().replace("/etc/nats/tls", str(self.folder.parent))

    @property
    def own(self) -> str:
        """The address for the queue service, by the name in the certificate."""
        parts = urlsplit(self.url_of("queue"))
        return parts._replace(scheme="tls", netloc=parts.netloc.replace("127.0.0.1", "localhost")).geturl()


async def queue(
    server: Encrypted, database_url: str, folder: Path, **more: str
) -> tuple[asyncio.subprocess.Process, int]:
    """The queue service, started; and the port on which it says how it is."""
    port = free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RICHIAMO_", "SSL_CERT"))}
    environment = inherited | {
        "RICHIAMO_NATS_URL": server.own,
        "RICHIAMO_DATABASE_URL": database_url,
        "RICHIAMO_DATA_DIR": str(folder / "data"),
        "RICHIAMO_OBSERVE_PORT": str(port),
        **more,
    }
    child = await asyncio.create_subprocess_exec(
        *(RICHIAMO, "serve", "queue"), env=environment, stderr=asyncio.subprocess.PIPE
    )
    return child, port


async def test_a_service_works_over_tls_and_refuses_a_stranger(tmp_path: Path, database_url: str) -> None:
    certificate = certify(tmp_path)
    server = Encrypted(tmp_path / "nats")
    async with running(server):
        child, port = await queue(server, database_url, tmp_path, SSL_CERT_FILE=str(certificate))
        try:
            async with httpx.AsyncClient(verify=ssl.create_default_context()) as client, asyncio.timeout(60):
                while not await ready(client, port):
                    assert child.returncode is None, (await child.communicate())[1].decode()[-2000:]
                    await asyncio.sleep(0.1)
        finally:
            await end(child)

        child, _ = await queue(server, database_url, tmp_path)
        try:
            assert child.stderr is not None
            async with asyncio.timeout(60):
                while b"CERTIFICATE_VERIFY_FAILED" not in (line := await child.stderr.readline()):
                    assert line, "it ended without a word about the certificate"
        finally:
            await end(child)


async def ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


async def end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    await asyncio.wait_for(child.communicate(), 60)
