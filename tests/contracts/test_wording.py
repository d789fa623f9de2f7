"""Words that a native speaker would not have written here, kept out of everything that people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "jobs", "tests", "docs", "bundle", "resources")
ENDINGS = {".py", ".md", ".yml", ".css", ".js", ".conf", ".properties", ".toml"}
FILES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in ENDINGS and "egg-info" not in str(path) and path != Path(__file__)
] + [*sorted(ROOT.glob("*.md")), ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "databricks.yml"]

UNWANTED = re.compile(
    r"\b(behind|anew|what it lacks|that it lacks|is told|said rightly|of this choice|given lately|the ten with most"
    r"|asked for longest ago|no complaint file|that are all there|one behind the other"
    r"|(?<!there )(?:is|are) no (?:archive|complaint|record)s?|passes over|one \w+ a (?:line|batch|table|run)"
    r"|equal to the bit|for certain|how it is called)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_reads_as_if_written_in_english(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if UNWANTED.search(line)] == []
