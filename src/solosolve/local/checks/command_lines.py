"""Checks the arguments of each task against the command line of its file, and entry points against the package."""

from __future__ import annotations

import importlib.util
import logging
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import click

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node, one_of
from solosolve.errors import BundleError
from solosolve.local.checks.findings import Findings
from solosolve.local.dynamic_values import fill_parameters

logger = logging.getLogger("solosolve.checks")


def check_command_lines(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks every Python task of one target, with the defaults of the job's parameters."""
    for key, job in bundle.resources("jobs").items():
        parameters = {
            each.text("name"): each.text("default") for each in (job.at("parameters") or Node([], job.place)).elements
        }
        for _, task in job.walk():
            path = f"resources.jobs.{key}.{task.text('task_key')}"
            if (python := task.at("spark_python_task")) is not None:
                _check_file(bundle.root, python, parameters, path, findings)
            if (wheel := task.at("python_wheel_task")) is not None:
                _check_wheel(bundle.root, task, wheel, path, findings)


def _check_file(root: Path, python: Node, parameters: dict[str, str], path: str, findings: Findings) -> None:
    written = python.at("python_file")
    if written is None or not isinstance(written.value, str):
        return
    file = (written.place.file.parent / written.value).resolve()
    if not file.is_file() or not file.is_relative_to(root.resolve()):
        return
    try:
        command = _command_of(file)
    except Exception as error:
        logger.debug("%s cannot be imported", file, exc_info=True)
        findings.add(
            written, f"{path}: {file.name} cannot be imported ({type(error).__name__}: {error})", "a Python file"
        )
        return
    if command is None:
        return
    words = (python.at("parameters") or Node([], python.place)).elements
    texts = []
    for word in words:
        try:
            texts.append(fill_parameters(str(word.value), parameters, path))
        except BundleError:
            # The check of references reports it.
            texts.append("{{}}")
    _check_words(command, words, texts, python, path, findings)


@cache
def _command_of(file: Path) -> click.Command | None:
    """The click command of a task file; None if it has none."""
    if "command" not in file.read_text(encoding="utf-8"):
        return None
    spec = importlib.util.spec_from_file_location(f"solosolve_checked_{file.stem}", file)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    command = getattr(module, "command", None)
    return command if isinstance(command, click.Command) else None


def _check_words(
    command: click.Command, words: list[Node], texts: list[str], python: Node, path: str, findings: Findings
) -> None:
    texts, later = list(texts), set[str]()
    while True:
        try:
            with command.make_context(command.name or "task", list(texts)):
                return
        except click.NoSuchOption as error:
            node = _word(words, [error.option_name]) or python
            options = [option for each in command.params for option in each.opts]
            findings.add(node, f"{path}: the option '{error.option_name}'", one_of(error.option_name, options))
            return
        except click.BadParameter as error:
            options = list(error.param.opts) if error.param is not None else []
            at = next((position for position, text in enumerate(texts) if text in options), None)
            if at is not None and "{{" in " ".join(texts[at + 1 : at + 2]):
                # Only a run knows the value.
                later |= {texts[at]}
                del texts[at : at + 2]
                continue
            if isinstance(error, click.MissingParameter) and later & set(options):
                return
            node = _word(words, options) or python.at("parameters") or python
            findings.add(node, f"{path}: {error.format_message().rstrip('.')}", f"what {command.name} --help says")
            return
        except click.UsageError as error:
            option = getattr(error, "option_name", "")
            node = _word(words, [option]) or python.at("parameters") or python
            findings.add(node, f"{path}: {error.format_message().rstrip('.')}", f"what {command.name} --help says")
            return


def _word(words: list[Node], options: list[str]) -> Node | None:
    return next((word for word in words if str(word.value).partition("=")[0] in options), None)


def _check_wheel(root: Path, task: Node, wheel: Node, path: str, findings: Findings) -> None:
    package, entry = wheel.at("package_name"), wheel.at("entry_point")
    if package is None or entry is None:
        return
    project = _project(root)
    libraries = (task.at("libraries") or Node([], task.place)).plain()
    if _canonical(str(package.value)) != _canonical(str(project.get("name", ""))):
        packages = [re.split(r"[=<>~\[ ]", each["pypi"].get("package", ""))[0] for each in libraries if "pypi" in each]
        if _canonical(str(package.value)) not in map(_canonical, packages) and project:
            known = [str(project.get("name", "")), *packages]
            findings.add_name(package, f"{path}: package_name", str(package.value), known)
        return
    groups = [project.get("scripts", {}), project.get("gui-scripts", {}), *project.get("entry-points", {}).values()]
    names = [name for group in groups for name in group]
    if str(entry.value) not in names:
        findings.add_name(entry, f"{path}: entry_point", str(entry.value), names)


def _project(root: Path) -> dict[str, Any]:
    file = root / "pyproject.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")).get("project", {}) if file.is_file() else {}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
