"""The map of the rooms, held against the imports, and the house rules for source that a parser can check."""

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
EACH_MODULE = pytest.mark.parametrize(
    "path", MODULES + JOBS, ids=lambda path: str(path.relative_to(SOURCE if path.is_relative_to(SOURCE) else ROOT))
)

FACTS = {
    "names",
    "where",
    "urls",
    "clock",
    "errors",
    "environment",
    "exit_codes",
    "task_values",
    "bundle",
    "loop_settings",
    "settings",
    "schemas",
    "spark_schemas",
    "table_properties",
    "logs",
    "safe_csv",
}
ARROWS: dict[str, set[str]] = {
    "names": set(),
    "where": set(),
    "urls": set(),
    "clock": set(),
    "errors": {"names", "where"},
    "exit_codes": {"errors", "where"},
    "task_values": {"errors", "where"},
    "bundle": {"errors"},
    "environment": {"urls"},
    "loop_settings": set(),
    "settings": {"names", "errors", "environment", "loop_settings"},
    "schema_fields": set(),
    "model_schemas": {"names", "schema_fields"},
    "schemas": {"names", "schema_fields", "model_schemas"},
    "spark_schemas": {"names", "schemas"},
    "table_properties": {"names", "schemas"},
    "logs": set(),
    "safe_csv": set(),
    "landing": FACTS,
    "transforms": FACTS | {"landing"},
    "model": FACTS | {"transforms"},
    "alerts": FACTS | {"model.retraining"},
    "storage": FACTS | {"transforms", "model", "alerts"},
    "kafka": FACTS,
    "streaming": FACTS | {"landing", "transforms", "model", "storage", "kafka"},
    "flows": FACTS | {"landing", "transforms", "model", "alerts", "storage", "kafka", "streaming"},
    "dashboard": FACTS
    | {
        "landing.normalise",
        "model.metrics",
        "model.evaluation",
        "model.drift",
        "model.alarms",
        "model.proportions",
        "model.effects",
        "model.retraining",
        "alerts",
        "storage",
    },
    "samples": {"names", "errors"},
    "local": FACTS | {"landing", "model", "storage", "kafka", "samples"},
    "cli": FACTS | {"storage", "kafka", "flows", "dashboard", "samples", "local", "model.plots"},
    "__main__": {"cli"},
}
"""What each room may import of the project, apart from itself. Each room imports only rooms above it in this list."""

DASHBOARD_ORDER = ("data", "views", "web")
"""The rooms of the dashboard; each may import those before it."""

PURE = ("landing", "transforms", "model", "alerts")
"""Rooms that know no session, path, registry or command line."""

JVM_FREE = (
    *("storage/alert_facts", "storage/asked_tables", "storage/champion_state", "storage/job_runs", "model/retraining"),
    *("storage/judged_alerts", "storage/known_sizes", "storage/landed", "storage/scoring_requests"),
    *("storage/champions", "storage/delta_columns", "storage/delta_feedback", "storage/delta_log"),
    *("storage/delta_reader", "storage/delta_requests", "storage/feedback"),
    *(
        "storage/model_events",
        "storage/model_explainer",
        "storage/reader",
        "storage/registry",
        "storage/sample_truth",
        "storage/store_reader",
        "storage/warehouse",
        "storage/warehouse_feedback",
    ),
    *(
        "model/metrics",
        "model/evaluation",
        "model/drift",
        "model/alarms",
        "model/proportions",
        "model/scorer",
        "model/kernels",
    ),
)
"""Modules that answer without Spark, besides the dashboard and landing."""

JVM_NAMES = {"sparkContext", "_jvm", "_jdf", "_jsparkSession", "_sc", "rdd", "SparkContext", "RDD"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_names(path: Path, *, runtime_only: bool = False) -> Iterator[str]:
    """Every module, or name in a module, that a file imports anywhere, as a dotted name."""
    tree = tree_of(path)
    unused = {id(each) for node in ast.walk(tree) if _is_for_types(node) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if runtime_only and id(node) in unused:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def top_level_names(path: Path) -> Iterator[str]:
    """What a file imports as soon as it is imported itself."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def own_imports(path: Path) -> set[str]:
    """What a file imports of the project, without the project's name and its version."""
    own = {name.removeprefix("solosolve.") for name in imported_names(path) if name.split(".")[0] == "solosolve"}
    return own - {"__version__"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def is_below(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


def test_every_room_is_on_the_map() -> None:
    assert {room_of(path) for path in MODULES} - {"__init__"} == set(ARROWS)


def test_arrows_point_up_the_map() -> None:
    order = list(ARROWS)
    upward = {
        (room, name) for room, names in ARROWS.items() for name in names
        if order.index(name.split(".")[0]) > order.index(room)
    }  # fmt: skip
    assert upward == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_module_imports_only_what_its_room_may(path: Path) -> None:
    room = room_of(path)
    allowed = ARROWS.get(room, set()) | {room}
    assert [name for name in sorted(own_imports(path)) if not is_below(name, allowed)] == []


@pytest.mark.parametrize("room", DASHBOARD_ORDER)
def test_dashboard_imports_go_from_web_to_views_to_data(room: str) -> None:
    later = DASHBOARD_ORDER[DASHBOARD_ORDER.index(room) + 1 :]
    unwanted = {f"dashboard.{name}" for name in later}
    found = [(path.name, name) for path in (PACKAGE / "dashboard" / room).rglob("*.py") for name in own_imports(path)]
    assert [(path, name) for path, name in found if is_below(name, unwanted)] == []


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.name)
def test_job_file_imports_only_its_flow_and_the_command_line(path: Path) -> None:
    allowed = {f"flows.{path.stem}", "cli.task", "exit_codes.run_as_task"}
    assert [name for name in sorted(own_imports(path)) if not is_below(name, allowed)] == []


def test_flows_are_tasks_and_nothing_else() -> None:
    flows = [path for path in sorted((PACKAGE / "flows").glob("*.py")) if path.name != "__init__.py"]
    without_run = [
        path.name for path in flows
        if not any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree_of(path).body)
    ]  # fmt: skip
    assert without_run == []


def test_source_imports_no_test() -> None:
    unwanted = {"support", "conftest", "tests", "pytest", "hypothesis", "chispa"}
    found = [(path.name, name) for path in MODULES + JOBS for name in imported_names(path)]
    assert [(path, name) for path, name in found if name.split(".")[0] in unwanted] == []


@pytest.mark.parametrize("room", PURE)
def test_pure_room_knows_no_session_registry_or_command_line(room: str) -> None:
    unwanted = {"pyspark.sql.SparkSession", "mlflow", "click", "rich", "deltalake", "delta", "os"}
    found = [(path.name, name) for path in (PACKAGE / room).rglob("*.py") for name in imported_names(path)]
    assert [(path, name) for path, name in found if is_below(name, unwanted)] == []


def test_modules_without_a_jvm_import_no_spark() -> None:
    paths = [
        *(PACKAGE / f"{name}.py" for name in JVM_FREE),
        *(PACKAGE / "dashboard").rglob("*.py"),
        *(PACKAGE / "landing").rglob("*.py"),
        *(PACKAGE / "alerts").rglob("*.py"),
    ]
    found = [(path.name, name) for path in paths for name in top_level_names(path)]
    assert [(path, name) for path, name in found if is_below(name, {"pyspark", "delta"})] == []


@EACH_MODULE
def test_module_neither_prints_nor_asserts(path: Path) -> None:
    nodes = list(ast.walk(tree_of(path)))
    asserts = [node.lineno for node in nodes if isinstance(node, ast.Assert)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    prints = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert (prints, asserts) == ([], [])


# The two limits are for source; test files may be longer.
@EACH_MODULE
def test_module_has_at_most_250_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


@EACH_MODULE
def test_function_has_at_most_50_lines(path: Path) -> None:
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {each.name: lines for each in functions if (lines := (each.end_lineno or 0) - each.lineno + 1) > 50}
    assert long == {}


@EACH_MODULE
def test_module_infers_no_schema(path: Path) -> None:
    assert "inferschema" not in path.read_text(encoding="utf-8").lower()


def test_only_the_session_builder_reaches_into_the_jvm() -> None:
    found = {
        str(path.relative_to(SOURCE)) if path in MODULES else path.name
        for path in MODULES + JOBS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.alias)
        and (node.attr if isinstance(node, ast.Attribute) else node.name) in JVM_NAMES
    }
    assert found <= {"solosolve/storage/spark.py"}
