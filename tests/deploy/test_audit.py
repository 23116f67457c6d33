"""Does the audit tell "nothing is known" from "nobody answered"?"""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / "tools/audit.py"
NOWHERE = "http://127.0.0.1:9/"

PYTHON = """{"dependencies": [
  {"name": "sound", "version": "1.0", "vulns": []},
  {"name": "torn", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
], "fixes": []}"""
PAGES = """{"vulnerabilities": {"frayed": {"range": "<3", "severity": "high"}}, "metadata": {}}"""


@pytest.fixture(scope="module")
def audit() -> dict[str, Any]:
    return runpy.run_path(str(AUDIT))


def test_what_is_known_is_named(audit: dict[str, Any]) -> None:
    assert audit["python_faults"](PYTHON) == ["torn 2.0: PYSEC-1, mended in 2.1"]
    with pytest.raises(audit["NotAskedError"], match="absent"):
        audit["python_faults"]('{"dependencies": [{"name": "absent", "skip_reason": "not found"}]}')
    assert audit["page_faults"](PAGES) == ["frayed <3: high"]
    assert audit["page_faults"]('{"vulnerabilities": {}}') == []


@pytest.mark.parametrize("reading", ["python_faults", "page_faults"])
@pytest.mark.parametrize("answer", ["", "ERROR: connection refused", "[]", '{"message": "405", "error": {}}'])
def test_an_answer_that_is_none_is_no_clean_bill(audit: dict[str, Any], reading: str, answer: str) -> None:
    read: Callable[[str], list[str]] = audit[reading]
    with pytest.raises(audit["NotAskedError"]):
        read(answer)


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'no route to the registry' >&2\nexit 1\n")
    npm.chmod(0o755)
    offline = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "UV_OFFLINE": "1"}
    offline |= {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_NO_CONFIG": "1", "UV_INDEX_URL": NOWHERE}
    done = subprocess.run([sys.executable, AUDIT], env=offline, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout
    assert done.stdout.count("NOT AUDITED") == 2
    assert "no known" not in done.stdout
