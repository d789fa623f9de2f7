"""Checks that the files that a bundle names exist, and lie inside it."""

from __future__ import annotations

import re
from pathlib import Path

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node, as_text, one_of
from solosolve.local.checks.findings import Findings

_REMOTE = re.compile(r"^(/|[a-z][a-z0-9+]+:|\$\{|\{\{)")
"""A path in the workspace, a URL, or one that is known only later."""

_FILES: dict[str, tuple[tuple[str, ...], ...]] = {
    "jobs": (
        ("spark_python_task", "python_file"),
        ("notebook_task", "notebook_path"),
        ("sql_task", "file", "path"),
        ("dbt_task", "project_directory"),
    ),
    "pipelines": (("notebook", "path"), ("file", "path")),
    "apps": (("source_code_path",),),
    "dashboards": (("file_path",),),
}
"""The fields that name files, below a resource or one of its parts."""

_LIBRARIES = ("whl", "jar", "requirements")
_NOTEBOOKS = (".py", ".ipynb", ".sql", ".scala", ".r")


def check_files(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks the files of all resources; a library that the deployment builds need not exist yet."""
    for kind, fields in _FILES.items():
        for key, resource in bundle.resources(kind).items():
            for steps, node in resource.walk((f"resources.{kind}.{key}",)):
                for field in fields:
                    found = node.at(*field)
                    is_of_git = node.text(field[0], "source") == "GIT" or resource.at("git_source") is not None
                    if found is not None and not (found.is_mapping or found.is_list or is_of_git):
                        _check_file(bundle.root, found, _path(steps, field), findings)
    for key, job in bundle.resources("jobs").items():
        for steps, node in job.walk((f"resources.jobs.{key}",)):
            if len(steps) > 2 and steps[-2] == "libraries":
                _check_library(bundle, node, _path(steps, ()), findings)


def _path(steps: tuple[str | int, ...], field: tuple[str, ...]) -> str:
    return ".".join(str(step) for step in (*steps, *field))


def _check_file(root: Path, node: Node, path: str, findings: Findings) -> None:
    text = as_text(node.value)
    if _REMOTE.match(text):
        return
    file = (node.place.file.parent / text).resolve()
    if not file.is_relative_to(root.resolve()):
        findings.add(node, f"{path}: '{text}', outside the bundle", "a file inside the bundle")
    elif not file.exists():
        candidates = [each.name for each in file.parent.glob("*")] if file.parent.is_dir() else []
        findings.add(node, f"{path}: '{text}', which does not exist", one_of(file.name, candidates))
    elif path.endswith("notebook_path") and file.suffix.lower() not in _NOTEBOOKS:
        findings.add(
            node, f"{path}: '{text}', which is not a notebook", f"a file that ends with {', '.join(_NOTEBOOKS)}"
        )


def _check_library(bundle: ResolvedBundle, node: Node, path: str, findings: Findings) -> None:
    for kind in _LIBRARIES:
        library = node.at(kind)
        text = node.text(kind)
        if library is None or _REMOTE.match(text):
            continue
        file = (library.place.file.parent / text).resolve()
        is_built = kind == "whl" and bundle.tree.at("artifacts") is not None
        if not file.is_relative_to(bundle.root.resolve()):
            findings.add(library, f"{path}.{kind}: '{text}', outside the bundle", "a file inside the bundle")
        elif not is_built and not any(file.parent.glob(file.name)):
            allowed = "a file that exists, or an artifact that builds it"
            findings.add(library, f"{path}.{kind}: '{text}', which does not exist", allowed)
