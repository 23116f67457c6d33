"""Is what docs/security.md says still so? The tests it names are there, and no password comes with Richiamo."""

import importlib
import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from richiamo_kit.embedded import Embedded

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"password|secret|token|_key", re.IGNORECASE)
MODULES = ("kit", "ingest", "queue", "callback_tracker", "reporting", "gateway", "ops")
GIVEN = re.compile(r"(?i)password\w*[\"']?(?:\s*=|:|\s+(?='))\s*(?P<value>.+)")
ELSEWHERE = re.compile(r"^[\"']?(\$|/run/secrets/|\{ file: |\*)")
"""A variable or a file."""
DEPLOYED = [ROOT / "deploy/compose.yaml", ROOT / "deploy/roles.sql", *sorted((ROOT / "deploy/nats").iterdir())]


def test_every_test_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/security.md").read_text())
    assert len(named) > 20
    for file, test in named:
        assert re.search(rf"def {test}\(", (ROOT / file).read_text()), f"{file} has no {test}"


def settings() -> list[type[BaseSettings]]:
    found: list[type[BaseSettings]] = []
    for name in MODULES:
        module = importlib.import_module(f"richiamo_{name}.settings")
        found += [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, BaseSettings)]
    return found


def test_no_password_comes_with_richiamo() -> None:
    """No setting that holds a secret has a default."""
    secret = [
        (one.__name__, name, field.default)
        for one in settings()
        for name, field in one.model_fields.items()
        if SECRET.search(name) and field.annotation is not int
    ]
    assert len(secret) > 10
    for where, name, default in secret:
        bare = default.get_secret_value() if isinstance(default, SecretStr) else default
        assert not bare, f"{where}.{name}"


@pytest.mark.parametrize("file", DEPLOYED, ids=lambda file: str(file.name))
def test_no_file_of_a_deployment_holds_one(file: Path) -> None:
    for line in file.read_text().splitlines():
        if line.lstrip().startswith(("#", "--")):
            continue
        for given in GIVEN.finditer(line):
            assert ELSEWHERE.match(given["value"]), line


def test_two_installations_share_none(tmp_path: Path) -> None:
    one, other = Embedded.of(tmp_path / "one"), Embedded.of(tmp_path / "other")
    passwords = {one.nats.password, other.nats.password, one.postgres.password, other.postgres.password}
    assert len(passwords) == 4
    assert min(map(len, passwords)) >= 32
