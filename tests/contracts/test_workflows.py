"""The workflow files: what they run is pinned or exists, and they hold no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EACH_WORKFLOW = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
TARGETS = yaml.safe_load((ROOT / "bundle" / "targets.yml").read_text(encoding="utf-8"))["targets"]


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        yield from job["steps"]


@EACH_WORKFLOW
def test_workflow_pins_every_action_to_a_commit_and_names_its_release(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []


@EACH_WORKFLOW
def test_workflow_runs_only_make_targets_that_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"\bmake ([a-z-]+)", "\n".join(step.get("run", "") for step in steps(path)))
    assert [target for target in named if f"\n{target}:" not in makefile] == []


@EACH_WORKFLOW
def test_workflow_stores_no_secret_and_may_not_write_to_the_repository(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert yaml.safe_load(text)["permissions"]["contents"] == "read"


def test_deployment_offers_the_targets_that_are_not_a_persons_own() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    # YAML 1.1 reads the key `on` as true.
    offered = yaml.safe_load(text)[True]["workflow_dispatch"]["inputs"]["target"]["options"]
    assert set(offered) == {name for name, target in TARGETS.items() if target.get("mode") != "development"}
