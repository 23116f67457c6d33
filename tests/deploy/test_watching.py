"""Do alerts and dashboard speak of metrics that exist, and does every alert say what to do?"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from richiamo_kit import metrics

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/rules/richiamo.yml"
DASHBOARD = ROOT / "deploy/grafana/dashboards/richiamo.json"
NAMES = {name for name, _, _, _ in metrics.catalogue()}
LABELS = {name: set(labels) for name, _, _, labels in metrics.catalogue()}


def rules() -> list[dict[str, Any]]:
    (group,) = YAML(typ="safe").load(RULES)["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def asked(expression: str) -> set[str]:
    """The metrics of an expression; a histogram's parts stand for it."""
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\brichiamo_\w+", expression)}


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [rule["expr"] for rule in rules()] + [one["expr"] for panel in panels for one in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_asks_for_what_is_measured(expression: str) -> None:
    assert asked(expression) <= NAMES
    known = {label for name in asked(expression) for label in LABELS[name]} | {"le", "job", "instance"}
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")}
    assert grouped <= known


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_names_a_page_that_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    page = (ROOT / rule["annotations"]["runbook"]).read_text()
    assert "## What to do" in page


def test_no_runbook_is_left_over() -> None:
    named = {Path(rule["annotations"]["runbook"]).name for rule in rules()}
    assert {page.name for page in (ROOT / "docs/runbooks").iterdir()} == named


def test_the_page_of_the_metrics_is_that_of_the_catalogue() -> None:
    assert (ROOT / "docs/metrics.md").read_text() == metrics.page(), "run `make metrics-page`"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with the package prometheus")
@pytest.mark.parametrize(
    "arguments", [("check", "rules", RULES), ("test", "rules", ROOT / "deploy/prometheus/rules_test.yml")]
)
def test_prometheus_agrees(arguments: tuple[str, str, Path]) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
