"""Does the bench say what it measured, beside its floor and its target?"""

import json
import subprocess
from pathlib import Path

import pytest

from richiamo_ops.bench.figures import Figure, percentile
from tests.journeys.system import command


def figure(value: float, **more: object) -> Figure:
    return Figure(key="a.b", words="calls", value=value, unit="/s", **{"better": "more", **more})  # type: ignore[arg-type]


def test_a_ratio_is_told_against_its_target() -> None:
    one = figure(520, floor=1000, target=0.6, of_floor=True)
    assert one.verdict() == "0.52 of the floor (target 0.6)"
    assert one.holds is False
    assert figure(600, floor=1000, target=0.6, of_floor=True).holds is True


def test_a_target_of_the_value_is_told_in_its_unit() -> None:
    assert figure(900, floor=1000, target=1000).verdict() == "0.90 of the floor (target 1,000 /s)"
    assert figure(900, floor=1000, target=1000).holds is False
    less = figure(20, better="less", target=25)
    assert less.verdict() == "target 25 /s"
    assert less.holds is True


def test_without_a_target_nothing_holds_or_fails() -> None:
    assert figure(5).holds is None
    assert figure(5).verdict() == ""


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([5, 1, 3], 0.5) == 3
    assert percentile(range(100), 0.99) == 99
    assert percentile([7], 0.99) == 7
    assert percentile([], 0.5) == 0


@pytest.mark.servers
@pytest.mark.slow
def test_every_question_is_answered_on_a_system_of_its_own(tmp_path: Path) -> None:
    sizes = [
        "--seconds",
        "1",
        "--history",
        "1000",
        "--open-requests",
        "300",
        "--claimers",
        "6",
        "--streams",
        "8",
        "--day",
        "2",
    ]
    done = subprocess.run(
        [command(), "bench", *sizes, "--no-growth", "--output", "bench.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "bench.json").read_text())
    keys = {one["key"] for one in told["figures"]}
    assert {key[0] for key in keys} == set("abcdefh")
    by_key = {one["key"]: one for one in told["figures"]}
    assert by_key["a.calls_per_second"]["ratio"] > 0
    assert by_key["d.row_p99"]["value"] >= by_key["d.row_p50"]["value"] > 0
    # A narrow terminal breaks the names of the table into lines.
    assert "Lost" in done.stdout
