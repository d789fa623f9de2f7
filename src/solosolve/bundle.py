"""The bundle's files: where they are, one target's variables, and the jobs that they declare."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from solosolve.errors import BundleError, SettingsError

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.]+)\}")


@dataclass(frozen=True)
class DeclaredJob:
    """A job as its resource file declares it, variables filled in.

    Attributes:
        name: Its key below `resources.jobs`.
        file: The resource file; paths in the job are relative to its folder.
        content: The YAML mapping.
    """

    name: str
    file: Path
    content: Any


def find_bundle(start: Path | None = None) -> Path | None:
    """Finds the folder that holds `databricks.yml`.

    Args:
        start: Where to begin; the working folder when None.

    Returns:
        The first of `start`, its parents, the running job's folder and the checkout that has the file; None when
        none has it.
    """
    here = (start or Path.cwd()).absolute()
    job, checkout = Path(sys.argv[0]).absolute(), Path(__file__).absolute().parents[2]
    for folder in (here, *here.parents, *job.parents[:2], checkout):
        if (folder / "databricks.yml").is_file():
            return folder
    return None


def bundle_variables(root: Path, target: str) -> dict[str, Any]:
    """Reads the bundle's variables as one target sees them.

    Args:
        root: The folder that holds `databricks.yml`.
        target: A target of `bundle/targets.yml`.

    Returns:
        Variable name to value: the target's own, or else the default.

    Raises:
        SettingsError: The bundle has no such target, or one of its files cannot be read.
    """
    try:
        declared = _mapping_in(root / "bundle" / "variables.yml", "variables")
        targets = _mapping_in(root / "bundle" / "targets.yml", "targets")
    except BundleError as error:
        raise SettingsError(str(error)) from error
    if target not in targets:
        raise SettingsError(f"target: found '{target}', allowed: {', '.join(targets)}")
    values = {name: spec["default"] for name, spec in declared.items() if "default" in (spec or {})}
    return values | ((targets[target] or {}).get("variables") or {})


def declared_jobs(root: Path, target: str) -> Iterator[DeclaredJob]:
    """Reads the jobs of the bundle as one target sees them.

    Args:
        root: The folder that holds `databricks.yml`.
        target: A target of `bundle/targets.yml`.

    Raises:
        BundleError: A file cannot be read as YAML, two jobs share a name, or a variable is unknown.
        SettingsError: There is no such target.
    """
    variables = {f"var.{name}": str(value) for name, value in bundle_variables(root, target).items()}
    main = _read(root / "databricks.yml")
    bundle = _mapping_in(root / "databricks.yml", "bundle")
    variables |= {"bundle.name": str(bundle.get("name", "")), "bundle.target": target}
    names: set[str] = set()
    for pattern in main.get("include") or []:
        for file in sorted(root.glob(pattern)):
            for name, content in _mapping_in(file, "resources", "jobs").items():
                if name in names:
                    raise BundleError(f"{file.name}: job '{name}' is declared twice")
                names.add(name)
                yield DeclaredJob(name, file, _resolved(content, variables, file))


def _resolved(value: Any, variables: Mapping[str, str], file: Path) -> Any:
    """The value with every `${...}` in it replaced."""
    if isinstance(value, dict):
        return {key: _resolved(inner, variables, file) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, variables, file) for inner in value]
    if not isinstance(value, str):
        return value

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise BundleError(f"{file.name}: found ${{{match[1]}}}, known variables: {', '.join(sorted(variables))}")
        return variables[match[1]]

    return _REFERENCE.sub(value_of, value)


def _mapping_in(path: Path, *keys: str) -> dict[str, Any]:
    """The mapping below some keys of a YAML file; empty when the file does not have them."""
    found: Any = _read(path)
    for key in keys:
        found = found.get(key) or {}
        if not isinstance(found, dict):
            raise BundleError(f"{path.name}: {key}: found {found!r}, expected a mapping")
    return dict(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BundleError(f"{path.name}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise BundleError(f"{path.name}: found {content!r}, expected a mapping")
    return content
