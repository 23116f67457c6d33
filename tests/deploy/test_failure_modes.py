"""Is what docs/failure-modes.md says proven by a test that exists?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELLS = 5


def rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "failure-modes.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def test_it_has_rows_of_five_cells() -> None:
    assert len(rows()) > 20
    assert {len(row) for row in rows()} == {CELLS}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_is_proven_by_a_test_that_exists(row: list[str]) -> None:
    path, _, name = row[-1].strip("`").partition("::")
    assert re.search(rf"\bdef {re.escape(name)}\(", (ROOT / path).read_text(encoding="utf-8")), row[-1]
    for page in re.findall(r"\]\((runbooks/[\w-]+\.md)\)", " ".join(row)):
        assert (ROOT / "docs" / page).is_file(), page
