"""The code that a registered model carries: the modules that scoring needs, and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.util import resolve_name
from pathlib import Path

LOADER_MODULE = "solosolve.model.mlflow_flavor"
"""The module that MLflow imports to load a model version; scoring needs it and what it imports."""

_PACKAGE = "solosolve"


def copy_scoring_code(folder: Path) -> Path:
    """Copies the modules that scoring needs into a folder.

    Args:
        folder: An existing folder without a `solosolve` in it.

    Returns:
        The package `solosolve` in that folder, importable once the folder is on the path.
    """
    for name, source in scoring_sources().items():
        target = folder / _PACKAGE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source)
    return folder / _PACKAGE


def scoring_sources() -> dict[str, bytes]:
    """Reads the loader module and every project module that it imports, directly or not.

    Packages' `__init__` files are included, and so are imports inside functions and under `if TYPE_CHECKING`.

    Returns:
        File name, relative to the package, to content, in order of name.
    """
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    waiting = [LOADER_MODULE]
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        if (file := _file_of(module)) is not None:
            name, source = file
            found[name] = source
            waiting += _with_packages([module, *_imports(module, name, source)])
    return dict(sorted(found.items()))


def _imports(module: str, file: str, source: bytes) -> Iterator[str]:
    """The names that a module imports; `from a import b` may import the module a.b or a name in a."""
    package = module if file.endswith("__init__.py") else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
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


def _file_of(module: str) -> tuple[str, bytes] | None:
    """The file of a project module and its content; None for any other name."""
    package, *parts = module.split(".")
    if package != _PACKAGE:
        return None
    # On a cluster the package is an archive, so its files are no paths.
    path = "/".join(parts)
    for name in (f"{path}/__init__.py".lstrip("/"), f"{path}.py"):
        if (file := files(_PACKAGE).joinpath(name)).is_file():
            return name, file.read_bytes()
    return None
