from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "solosolve"
MODULES = sorted(PACKAGE.rglob("*.py"))
JOBS = sorted((ROOT / "jobs").glob("*.py"))

CORE = {"names", "errors", "settings", "schemas"}
LAYERS = CORE | {"transforms", "model", "adapters"}
ARROWS: dict[str, set[str]] = {
    "names": set(),
    "errors": set(),
    "logs": set(),
    "spreadsheets": set(),
    "edge": {"errors"},
    "settings": {"names", "errors"},
    "schemas": {"names"},
    "transforms": {"names", "schemas", "errors"},
    "model": {"transforms", "names", "settings", "errors"},
    "adapters": {"errors", "names", "settings", "schemas"},
    "flows": LAYERS | {"logs"},
    "dashboard": {"names", "settings", "errors", "spreadsheets", "adapters.reader", "adapters.feedback"},
    "local": LAYERS | {"flows", "edge", "logs", "spreadsheets"},
    "serve": LAYERS | {"flows", "dashboard"},
    "__main__": {"cli"},
    "cli": LAYERS | {"flows", "serve", "edge", "logs", "local"},
}
"""What each layer may import of the project, beside itself and its version."""

JVM_NAMES = {"sparkContext", "_jvm", "_jdf", "_jsparkSession", "_sc", "rdd", "SparkContext", "RDD"}


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE if path.is_relative_to(SOURCE) else ROOT))


def imported_names(path: Path) -> Iterator[str]:
    """Every module, or name in a module, that a file imports anywhere, as a dotted name."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def own_imports(path: Path) -> set[str]:
    """What a file imports of the project, without the project's name; the project's version is left out."""
    own = {name.removeprefix("solosolve.") for name in imported_names(path) if name.split(".")[0] == "solosolve"}
    return own - {"__version__"}


def is_below(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


def test_every_layer_has_its_arrows() -> None:
    assert {layer_of(path) for path in MODULES} - {"__init__"} <= set(ARROWS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_imports_only_what_its_layer_may(path: Path) -> None:
    layer = layer_of(path)
    allowed = ARROWS.get(layer, set()) | {layer}
    assert [name for name in sorted(own_imports(path)) if not is_below(name, allowed)] == []


@pytest.mark.parametrize("path", JOBS, ids=name_of)
def test_job_file_imports_only_its_flow_and_the_edge(path: Path) -> None:
    allowed = {f"flows.{path.stem}", "flows.task", "edge.run_as_program"}
    assert [name for name in sorted(own_imports(path)) if not is_below(name, allowed)] == []


@pytest.mark.parametrize("path", JOBS, ids=name_of)
def test_job_file_is_thin(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 50


def test_source_imports_no_test() -> None:
    modules = {"support", "conftest", "tests", "pytest", "hypothesis", "chispa"}
    found = [(name_of(path), name) for path in MODULES + JOBS for name in imported_names(path)]
    assert [(path, name) for path, name in found if name.split(".")[0] in modules] == []


@pytest.mark.parametrize("layer", ["transforms", "model"])
def test_pure_layer_knows_no_session_registry_or_command_line(layer: str) -> None:
    unwanted = {"pyspark.sql.SparkSession", "mlflow", "click", "rich", "deltalake", "delta", "os"}
    found = [(name_of(path), name) for path in (PACKAGE / layer).rglob("*.py") for name in imported_names(path)]
    assert [(path, name) for path, name in found if is_below(name, unwanted)] == []


def test_reader_and_dashboard_know_no_spark() -> None:
    jvm_free = ("reader", "commits", "delta_reader", "feedback", "delta_feedback", "warehouse")
    paths = [*(PACKAGE / "adapters" / f"{name}.py" for name in jvm_free), *(PACKAGE / "dashboard").rglob("*.py")]
    found = [(name_of(path), name) for path in paths for name in imported_names(path)]
    assert [(path, name) for path, name in found if is_below(name, {"pyspark", "delta"})] == []


@pytest.mark.parametrize("path", MODULES + JOBS, ids=name_of)
def test_module_neither_prints_nor_asserts(path: Path) -> None:
    nodes = list(ast.walk(tree_of(path)))
    asserts = [node.lineno for node in nodes if isinstance(node, ast.Assert)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    prints = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert (prints, asserts) == ([], [])


@pytest.mark.parametrize("path", MODULES + JOBS, ids=name_of)
def test_module_is_under_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("path", MODULES + JOBS, ids=name_of)
def test_module_infers_no_schema(path: Path) -> None:
    assert "inferschema" not in path.read_text(encoding="utf-8").lower()


def test_only_the_session_builder_reaches_into_the_jvm() -> None:
    found = {
        name_of(path)
        for path in MODULES + JOBS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.alias)
        and (node.attr if isinstance(node, ast.Attribute) else node.name) in JVM_NAMES
    }
    assert found <= {"solosolve/adapters/spark.py"}
