"""Is a known vulnerability in a package that is installed or built into the pages? Asks the public databases.

`make audit`. Python packages by pip-audit and every hash of requirements.lock, those of the pages by npm audit and
their lock. Exit code 0: none is known, 1: there are some, named; 2: a database could not be asked, so nothing is known.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "services/gateway/assets"
PIP_AUDIT = "pip-audit==2.10.1"
_LAST_WORDS = 400


class NotAskedError(Exception):
    """The database did not answer; the text says what was heard."""


def python_faults(output: str) -> list[str]:
    """What pip-audit's JSON names: one line a vulnerability. Raises `NotAskedError` when there is no such JSON,
    or when it says nothing about a package.
    """
    report = _object(output)
    if "dependencies" not in report:
        raise NotAskedError(output)
    if unknown := [package["name"] for package in report["dependencies"] if "skip_reason" in package]:
        raise NotAskedError(f"it says nothing about {len(unknown)} packages, such as {unknown[0]}")
    return [
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'nothing yet'}"
        for package in report["dependencies"]
        for found in package.get("vulns", ())
    ]


def page_faults(output: str) -> list[str]:
    """What npm audit's JSON names: one line a package. Raises `NotAskedError` when npm was refused an answer."""
    report = _object(output)
    if "vulnerabilities" not in report:
        raise NotAskedError(str(report.get("message", output)))
    return [f"{name} {found['range']}: {found['severity']}" for name, found in report["vulnerabilities"].items()]


def _object(output: str) -> Mapping[str, Any]:
    try:
        report = json.loads(output)
    except ValueError as error:
        raise NotAskedError(output) from error
    return report if isinstance(report, dict) else {}


def _heard(*command: str | Path, folder: Path = ROOT) -> str:
    """What a command prints on its standard output; when that is nothing, what it complained of."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr


def main() -> int:
    """Ask both; what cannot be asked does not count as well."""
    asked = {
        "Python packages": lambda: python_faults(
            _heard(
                *(Path(sys.executable).with_name("uv"), "tool", "run", PIP_AUDIT, "--format", "json"),
                *("--progress-spinner", "off", "--disable-pip", "--require-hashes", "-r", "requirements.lock"),
            )
        ),
        "the pages' packages": lambda: page_faults(_heard("npm", "audit", "--json", folder=ASSETS)),
    }
    code = os.EX_OK
    for what, ask in asked.items():
        try:
            faults = ask()
        except NotAskedError as error:
            print(f"{what}: NOT AUDITED, the database could not be asked: {str(error).strip()[-_LAST_WORDS:]}")
            code = max(code, 2)
            continue
        for fault in faults:
            print(f"{what}: {fault}")
        print(f"{what}: {len(faults) or 'no'} known vulnerabilities")
        code = max(code, 1 if faults else 0)
    return code


if __name__ == "__main__":
    sys.exit(main())
