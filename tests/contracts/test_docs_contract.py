"""The documentation names everything that exists, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solosolve.cli.main import cli
from solosolve.names import MADE_BY, Table
from solosolve.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAKE_TARGETS = [word for line in re.findall(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE) for word in line.split()]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_readme_names_every_command(name: str) -> None:
    assert re.search(rf"solosolve {name}\b", README)


def test_readme_names_only_commands_that_exist() -> None:
    named = set(re.findall(r"(?:`|bin/)solosolve ([a-z]+)", README))
    assert named - set(cli.commands) == set()


@pytest.mark.parametrize("target", MAKE_TARGETS)
def test_readme_names_every_make_target(target: str) -> None:
    assert re.search(rf"`make {target}\b|^    make {target}\b", README, re.MULTILINE)


def test_readme_names_only_make_targets_that_exist() -> None:
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", README, re.MULTILINE))
    assert named - set(MAKE_TARGETS) == set()


def test_makefile_has_a_rule_for_every_target_it_declares() -> None:
    rules = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    assert rules == set(MAKE_TARGETS)


@pytest.mark.parametrize("table", sorted(MADE_BY), ids=str)
def test_readme_names_every_table(table: Table) -> None:
    assert f"`{table}`" in README


@pytest.mark.parametrize("command", sorted(set(MADE_BY.values())))
def test_readme_names_every_command_that_creates_a_table(command: str) -> None:
    assert f"`{command.removeprefix('solosolve run ')}" in README


def named_settings(text: str) -> list[str]:
    return [name.lower() for name in re.findall(rf"\b{ENV_PREFIX}([A-Z_]+)\b", text)]


def test_readme_names_only_settings_that_exist() -> None:
    assert set(named_settings(README)) - set(Settings.model_fields) == set()


def test_readme_gives_the_default_of_each_setting_in_its_table() -> None:
    rows = re.findall(rf"^\| (`{ENV_PREFIX}[^|]*) \| ([^|]*)\|", README, re.MULTILINE)
    shown = {name: default.strip(" `") for names, default in rows for name in named_settings(names)}
    defaults = {name: Settings.model_fields[name].default for name in shown}
    assert shown == {name: "" if default is None else str(default) for name, default in defaults.items()}
    assert len(shown) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_only_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    relative = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in relative if not (page.parent / link).exists()] == []
