from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from solosolve.bundle.nodes import Finding
from solosolve.cli.main import cli
from solosolve.errors import BundleError, SettingsError
from solosolve.local.checks.check import check_bundle
from solosolve.local.checks.triggers import cron_problem

ROOT = Path(__file__).parents[3]
BUNDLES = ROOT / "tests" / "support" / "bundles"
SHAPES = ["wheel", "models", "branches"]
CLEANUP = "resources/cleanup.job.yml"


def copy_of(bundle: str, folder: Path) -> Path:
    if bundle != "own":
        return Path(shutil.copytree(BUNDLES / bundle, folder / bundle))
    for name in ("bundle", "resources", "jobs"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("databricks.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "src").mkdir()
    return folder


def found_in(root: Path, *targets: str) -> list[Finding]:
    return check_bundle(root, targets, environ={})[1]


def test_nothing_is_wrong_with_the_projects_own_bundle() -> None:
    assert [finding.describe(ROOT) for finding in found_in(ROOT)] == []


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_wrong_with_bundles_of_other_shapes(shape: str) -> None:
    assert [finding.describe(ROOT) for finding in found_in(BUNDLES / shape)] == []


@dataclass(frozen=True)
class Mistake:
    """An edit of one file of a bundle, and what must be found: on a line that holds `line`, with the words `found`."""

    name: str
    bundle: str
    file: str
    old: str
    new: str
    line: str
    found: str
    reported_in: str = ""

    def __str__(self) -> str:
        return self.name


MISTAKES = [
    Mistake(name, **fields)
    for name, fields in yaml.safe_load((BUNDLES / "mistakes.yml").read_text(encoding="utf-8")).items()
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_mistake_is_found_at_its_place(mistake: Mistake, tmp_path: Path) -> None:
    root = copy_of(mistake.bundle, tmp_path)
    file = root / mistake.file
    text = file.read_text(encoding="utf-8")
    assert mistake.old in text
    file.write_text(text.replace(mistake.old, mistake.new, 1), encoding="utf-8")
    reported_in = root / (mistake.reported_in or mistake.file)
    lines = reported_in.read_text(encoding="utf-8").splitlines()
    found = found_in(root)
    matching = [
        finding
        for finding in found
        if finding.place.file == reported_in
        and mistake.line in lines[finding.place.line - 1]
        and mistake.found in finding.describe(root)
    ]
    assert matching, "\n".join(finding.describe(root) for finding in found)


def test_check_reports_a_mistake_of_one_target_only_for_that_target(tmp_path: Path) -> None:
    root = copy_of("models", tmp_path)
    file = root / "bundle" / "targets.yml"
    file.write_text(file.read_text().replace("num_workers: 8", "num_workers: many"))
    line = file.read_text().splitlines().index("                num_workers: many") + 1
    assert [finding.place.line for finding in found_in(root, "prod")] == [line]
    assert found_in(root, "dev", "staging") == []


def test_check_refuses_an_unknown_target(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="target: found 'moon', allowed: dev, staging, prod"):
        found_in(BUNDLES / "models", "moon")


@pytest.mark.parametrize(
    "expression",
    ["0 0 6 * * ?", "0 0/15 6-20 ? * MON-FRI", "0 0 0 L * ?", "0 0 0 ? * 6L", "0 0 0 ? * FRI#2", "0 0 0 15W * ? 2030"],
)
def test_cron_problem_accepts_what_quartz_does(expression: str) -> None:
    assert cron_problem(expression) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * * *",
        "60 0 0 * * ?",
        "0 0 24 * * ?",
        "0 0 0 32 * ?",
        "0 0 0 * 13 ?",
        "0 0 0 ? * 8",
        "0 0 0 ? * ?",
        "0 0 0 ? * FUNDAY",
        "0 0/0 0 * * ?",
        "0 1-2-3 0 * * ?",
        "0 0 0 * * ? 1900",
    ],
)
def test_cron_problem_finds_what_quartz_refuses(expression: str) -> None:
    assert cron_problem(expression) is not None


def test_check_command_ends_with_a_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copy_of("branches", tmp_path)
    monkeypatch.chdir(root)
    done = CliRunner().invoke(cli, ["bundle", "check"])
    assert (done.exit_code, done.output) == (0, "0 findings in test, prod\n")
    (root / CLEANUP).write_text((root / CLEANUP).read_text().replace("task_key: remove", "task_key: re move"))
    failed = CliRunner().invoke(cli, ["bundle", "check", "--target", "prod"])
    assert isinstance(failed.exception, BundleError)
    assert str(failed.exception) == "1 finding in prod"
    assert failed.output.startswith(
        "resources/cleanup.job.yml:7: found resources.jobs.cleanup: task_key 're move', allowed"
    )
