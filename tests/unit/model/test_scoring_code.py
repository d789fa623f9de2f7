from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import xgboost as xgb

from solosolve.model import served
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.kernels import MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.mlflow_flavor import PyfuncScorer, _load_pyfunc
from solosolve.model.scorer import ComplaintScorer, as_raw_complaints
from solosolve.model.scoring_code import copy_scoring_code, scoring_sources
from solosolve.model.word_kernels import HashedTerms
from solosolve.names import NARRATIVE
from support.archives import project_archive

PACKAGE = Path(__file__).parents[3] / "src" / "solosolve"
LIBRARIES = {"mmh3", "numpy", "pandas", "pyarrow", "pydantic", "scipy", "xgboost"}
"""The packages that a registered model requires."""
NOT_NEEDED = [
    "pyspark",
    "delta",
    "deltalake",
    "mlflow",
    "click",
    "rich",
    "dash",
    "plotly",
    "msgspec",
    "kafka",
    "sklearn",
]

ROWS = [
    {NARRATIVE: "They lost {$10.00} of my payment", "date_received": "2016-03-01", "state": "CA"},
    {NARRATIVE: None, "date_received": "2017-12-31", "state": None},
]
# The installed project is taken off the path, and importing a library that scoring does not need fails.
PROGRAM = """
import json, sys
from pathlib import Path
code, model, rows, blocked = sys.argv[1:]
sys.path[:] = [code, *(path for path in sys.path if path and not (Path(path) / "solosolve").exists())]
sys.modules.update(dict.fromkeys(json.loads(blocked)))
import pandas
import solosolve.model.mlflow_flavor as flavor
loaded = [module for name, module in sys.modules.items() if name.split(".")[0] == "solosolve"]
assert all(module.__file__.startswith(code) for module in loaded), loaded
print(flavor._load_pyfunc(model).predict(pandas.DataFrame(json.loads(rows))).to_json(orient="records"))
"""


def trained() -> ComplaintScorer:
    """A scorer with every kind of kernel."""
    encoder = FeatureEncoder(
        kernels=(
            TextLength(column=NARRATIVE),
            HashedTerms(column=NARRATIVE, size=8, stop_words=("of", "my")),
            TextPattern(column=NARRATIVE, name="amount_count", pattern=r"\{\$[0-9.,]+\}"),
            MonthOfYear(column="date_received"),
            TopCategories(column="state", categories=("CA",)),
        )
    )
    features = encoder.encode(as_raw_complaints(pa.Table.from_pylist(ROWS * 4)))
    data = xgb.DMatrix(features, label=[0, 1] * 4)
    parameters = {"objective": "binary:logistic", "nthread": 1, "min_child_weight": 0}
    return ComplaintScorer(encoder, xgb.train(parameters, data, num_boost_round=3))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with the copied code only."""
    folder = tmp_path / "code"
    folder.mkdir()
    assert copy_scoring_code(folder) == folder / "solosolve"
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    trained().save(folder)
    return folder


def imported(source: bytes) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_scoring_code_is_the_loader_and_what_it_imports() -> None:
    assert list(scoring_sources()) == [
        "__init__.py",
        "errors.py",
        "model/__init__.py",
        "model/blend.py",
        "model/encoder.py",
        "model/feature_kernel.py",
        "model/kernels.py",
        "model/linear.py",
        "model/metrics.py",
        "model/mlflow_flavor.py",
        "model/scorer.py",
        "model/word_kernels.py",
        "model/words.py",
        "names.py",
        "where.py",
    ]


def test_scoring_code_imports_only_libraries_that_a_registered_model_requires() -> None:
    names = {name.split(".")[0] for source in scoring_sources().values() for name in imported(source)}
    assert names - set(sys.stdlib_module_names) == LIBRARIES | {"solosolve"}


def test_copied_code_is_complete_and_unchanged(code: Path) -> None:
    copies = {str(file.relative_to(code / "solosolve")): file.read_bytes() for file in code.rglob("*.*")}
    assert copies == {name: (PACKAGE / name).read_bytes() for name in scoring_sources()}


def test_scoring_code_is_found_in_an_archive_too(tmp_path: Path) -> None:
    archive = project_archive(tmp_path)
    program = "from solosolve.model import scoring_code as s; print(s.__file__, *s.scoring_sources())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(archive)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(archive / "solosolve/model/scoring_code.py"), *scoring_sources()]


def test_copied_code_loads_and_scores_a_model_without_the_project_or_other_libraries(code: Path, model: Path) -> None:
    words = [sys.executable, "-P", "-c", PROGRAM, str(code), str(model), json.dumps(ROWS), json.dumps(NOT_NEEDED)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=code)
    assert done.returncode == 0, done.stderr
    expected = PyfuncScorer(ComplaintScorer.load(model)).predict(pd.DataFrame(ROWS))
    actual = [row["probability"] for row in json.loads(done.stdout)]
    assert actual == pytest.approx(expected["probability"].tolist(), abs=1e-9)


def test_loader_of_older_model_versions_is_the_present_one() -> None:
    assert served._load_pyfunc is _load_pyfunc
