"""The code that a registered model carries: the modules that scoring needs, and no others."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path

LOADER_MODULE = "solosolve.model.mlflow_flavor"
"""The module that MLflow imports to load a model version; scoring needs it and what it imports."""

_PACKAGE = "solosolve"
_SOURCE = Path(__file__).parents[2]


def copy_scoring_code(folder: Path) -> Path:
    """Copies the modules that scoring needs into a folder.

    Args:
        folder: An existing folder without a `solosolve` in it.

    Returns:
        The package `solosolve` in that folder, importable once the folder is on the path.
    """
    for file in scoring_files():
        target = folder / file.relative_to(_SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return folder / _PACKAGE


def scoring_files() -> list[Path]:
    """Lists the files of the loader module and of every project module that it imports, directly or not.

    Packages' `__init__` files are included, and so are imports inside functions and under `if TYPE_CHECKING`.
    """
    found: dict[str, Path] = {}
    waiting = [LOADER_MODULE]
    while waiting:
        module = waiting.pop()
        file = _file_of(module)
        if file is not None and module not in found:
            found[module] = file
            waiting += _with_packages([module, *_imports(module, file)])
    return sorted(found.values())


def _imports(module: str, file: Path) -> Iterator[str]:
    """The names that a module imports; `from a import b` may import the module a.b or a name in a."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_packages(names: Iterable[str]) -> Iterator[str]:
    """Each name and the packages above it, whose `__init__` files an import runs."""
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _file_of(name: str) -> Path | None:
    """The file of a project module; None for any other name."""
    parts = name.split(".")
    if parts[0] != _PACKAGE:
        return None
    path = _SOURCE.joinpath(*parts)
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)
