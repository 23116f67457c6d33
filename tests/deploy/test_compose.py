"""Would the containers start? The compose file against its schema, every start command and health check run for real."""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from ruamel.yaml import YAML

from richiamo_kit import database
from richiamo_kit.analysts import ROLES
from richiamo_kit.roles import SCHEMAS
from richiamo_kit.servers import PostgresServer, free_port, running
from tests.packaged import as_packaged

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRIPTS = Path(sysconfig.get_path("scripts"))
OURS = ("ingest", "queue", "callback-tracker", "reporting", "gateway")


def composed() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
    return loaded


def made_secrets(folder: Path) -> Path:
    subprocess.run([DEPLOY / "make-secrets", folder], check=True, capture_output=True)
    return folder


def test_it_fits_the_compose_specification() -> None:
    done = subprocess.run(
        [SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_file_it_names_is_there_or_made_by_make_secrets(tmp_path: Path) -> None:
    document = composed()
    for config in document["configs"].values():
        assert (DEPLOY / config["file"]).is_file()
    made = {file.name for file in made_secrets(tmp_path / "secrets").iterdir()}
    assert {Path(secret["file"]).name for secret in document["secrets"].values()} <= made
    for service in document["services"].values():
        assert set(mounted(service)) <= set(document["secrets"])


def mounted(service: Mapping[str, Any]) -> dict[str, str]:
    """A container's secrets: the name in the container of each."""
    given = service.get("secrets", ())
    return {one: one for one in given if isinstance(one, str)} | {
        one["source"]: one["target"] for one in given if not isinstance(one, str)
    }


def test_postgres_is_given_the_analysts_roles_that_the_services_know() -> None:
    assert (DEPLOY / "analysts.sql").read_text() == ROLES


def test_every_service_comes_to_nats_as_itself() -> None:
    for name in OURS:
        assert mounted(composed()["services"][name])[f"nats_url_{name}"] == "richiamo_nats_url"


def test_every_service_comes_to_postgres_as_itself_and_knows_no_other_s_password() -> None:
    for name in OURS:
        known = mounted(composed()["services"][name])
        assert known[f"database_url_{name}"] == "richiamo_database_url"
        assert [one for one in known if "database" in one or "postgres" in one] == [f"database_url_{name}"]


def test_secrets_are_made_once(tmp_path: Path) -> None:
    folder = made_secrets(tmp_path)
    first = {file.name: file.read_text() for file in folder.iterdir()}
    made_secrets(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == first
    passwords = [text for name, text in first.items() if "password" in name or name == "directory.key"]
    assert len(set(passwords)) == len(passwords) >= 16


def test_prometheus_asks_services_that_listen_there() -> None:
    document = composed()
    scraped = YAML(typ="safe").load(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"][0]["static_configs"][0]
    ports = {"ingest": "RICHIAMO_INGEST_PORT", "gateway": "RICHIAMO_GATEWAY_PORT"}
    expected = {
        f"{name}:{document['services'][name]['environment'][ports.get(name, 'RICHIAMO_OBSERVE_PORT')]}" for name in OURS
    }
    assert set(scraped["targets"]) == expected


def test_no_container_of_ours_runs_with_more_rights_than_it_needs() -> None:
    for name in OURS:
        service = composed()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "ports" not in service, "only the proxy is reached from outside"
        assert "postgres_superuser_password" not in mounted(service)
    assert re.search(r"^USER 10001$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)


@pytest.mark.servers
async def test_in_containers_each_service_has_a_role_of_its_own_and_none_is_a_superuser(tmp_path: Path) -> None:
    """The script that the image runs, twice as after an upgrade, on a server with the image's superuser."""
    scripts = {config["target"]: config["source"] for config in composed()["services"]["postgres"]["configs"]}
    files = {target: DEPLOY / composed()["configs"][source]["file"] for target, source in scripts.items()}
    made = made_secrets(tmp_path / "secrets")
    script = files["/docker-entrypoint-initdb.d/1-roles.sh"].read_text()
    script = script.replace("/run/secrets", str(made))
    script = script.replace("/etc/richiamo/roles.sql", str(files["/etc/richiamo/roles.sql"]))
    assert {file.name for file in made.iterdir() if file.name.startswith("postgres")} == set(
        mounted(composed()["services"]["postgres"])
    )
    server = PostgresServer(tmp_path / "postgres", free_port(), durable=False)
    async with running(server):
        await as_packaged(server)
        at = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": server.password}
        for _ in range(2):
            shell = await asyncio.create_subprocess_exec("sh", "-ec", script, env={**os.environ, **at})
            assert await shell.wait() == 0
        for name in OURS:
            url = (made / f"database_url_{name}").read_text().replace("@postgres:5432", f"@127.0.0.1:{server.port}")
            async with await database.connect(url, autocommit=True) as service:
                for schema in SCHEMAS[name]:
                    await service.execute(sql.SQL("CREATE TABLE {}.own (n int)").format(sql.Identifier(schema)))
                with pytest.raises(InsufficientPrivilege):
                    await service.execute("CREATE ROLE another")
                with pytest.raises(InsufficientPrivilege):
                    await service.execute("SELECT rolpassword FROM pg_authid")


@pytest.mark.servers
def test_nats_reads_its_configuration(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path / "run/secrets")
    config = tmp_path / "etc/nats/cluster.conf"
    config.parent.mkdir(parents=True)
    config.write_bytes((DEPLOY / "nats/cluster.conf").read_bytes())
    for file in (config, DEPLOY / "nats/single.conf"):
        done = subprocess.run(
            [SCRIPTS / "nats-server", "-t", "-c", file],
            env={**os.environ, "NODE": "nats-1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "user: queue" in (secrets / "nats_accounts").read_text()


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
async def test_the_start_command_leads_to_a_healthy_service(
    name: str, nats_url: str, database_url: str, tmp_path: Path
) -> None:
    service = composed()["services"][name]
    secrets = made_secrets(tmp_path / "secrets")
    (secrets / "richiamo_nats_url").write_text(nats_url)
    (secrets / "richiamo_database_url").write_text(database_url)
    port = str(free_port())
    environment = here(service["environment"], port, secrets, tmp_path)
    kept = {file.name for file in secrets.iterdir()} - set(mounted(service).values())
    for unseen in kept:
        (secrets / unseen).unlink()
    child = await asyncio.create_subprocess_exec(
        SCRIPTS / "richiamo", *service["command"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        _, *check = service["healthcheck"]["test"]
        command = [sys.executable, *(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", part) for part in check[1:])]
        while True:
            asked = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
            if await asked.wait() == 0:
                break
            assert child.returncode is None, (await child.communicate())[1].decode()[-2000:]
    finally:
        if child.returncode is None:
            child.terminate()
        await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0


def here(environment: Mapping[str, str], port: str, secrets: Path, data: Path) -> dict[str, str]:
    """The container's environment on this machine: one node of NATS, free ports, its folders below `data`."""
    plain = {key: value.split(":-")[-1].rstrip("}") if "${" in value else value for key, value in environment.items()}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RICHIAMO_")}
    ports = {key: port for key in plain if key.endswith("_PORT")}
    return {
        **inherited,
        **plain,
        **ports,
        "RICHIAMO_NATS_REPLICAS": "1",
        "RICHIAMO_DIRECTORY_KEY_FILE": str(secrets / "directory.key"),
        "RICHIAMO_DATA_DIR": str(data),
        "CREDENTIALS_DIRECTORY": str(secrets),
    }
