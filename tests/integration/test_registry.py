from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost as xgb

from solosolve.errors import ModelError
from solosolve.model.encoder import FILED_TYPES, FeatureEncoder
from solosolve.model.kernels import TextLength, TopCategories
from solosolve.model.promotion import GateResult
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.version_tags import Subject, VersionTags
from solosolve.names import CHALLENGER, CHAMPION, FILED_COLUMNS, MODEL, NARRATIVE
from solosolve.settings import Settings
from solosolve.storage.registry import RegisteredModel, Registry
from support.builders import settings_in

ENCODER = FeatureEncoder(
    kernels=(TextLength(column=NARRATIVE), TopCategories(column="company", categories=("Acme Bank",)))
)
TAGS = VersionTags(prior=0.75, fingerprint="f1")
PERSONAL = "Jane Roe of Springfield"
ROW = dict.fromkeys(FILED_COLUMNS, PERSONAL) | {"date_received": date(2016, 3, 1), "company": "Acme Bank"}
COMPLAINTS = pa.RecordBatch.from_pylist(
    [ROW | {NARRATIVE: PERSONAL * times} for times in range(8)], pa.schema(FILED_TYPES)
)


def tiny_scorer() -> ComplaintScorer:
    features = ENCODER.encode(COMPLAINTS)
    data = xgb.DMatrix(features, label=[0, 1] * 4)
    parameters = {"objective": "binary:logistic", "nthread": 1, "min_child_weight": 0}
    return ComplaintScorer(ENCODER, xgb.train(parameters, data, num_boost_round=3))


SCORER = tiny_scorer()


@pytest.fixture(scope="module")
def home_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_in(tmp_path_factory.mktemp("registry_home"))


@pytest.fixture(scope="module")
def registry(home_settings: Settings) -> Iterator[Registry]:
    yield Registry(home_settings)
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scorer")
    SCORER.save(folder)
    return folder


@pytest.fixture(scope="module")
def registered(registry: Registry, files: Path) -> RegisteredModel:
    """The first version, with the alias challenger."""
    with registry.run("train_model", {"fingerprint": "f1"}):
        model = registry.register(files, TAGS)
    registry.set_alias(CHALLENGER, model)
    return model


def log_foreign(registry: Registry, folder: Path) -> RegisteredModel:
    """A version whose loader is not the project's."""
    (folder / "data").mkdir()
    with registry.run("elsewhere", {}):
        logged = mlflow.pyfunc.log_model(name="model", loader_module="pickle", data_path=str(folder / "data"))
    made = mlflow.register_model(logged.model_uri, registry.model_name)
    return RegisteredModel(made.name, int(made.version), made.run_id, {})


def test_registered_model_has_the_projects_name_a_version_and_its_tags(registered: RegisteredModel) -> None:
    assert (registered.name, registered.version) == (MODEL, 1)
    assert registered.tags == TAGS


def test_find_gives_the_version_that_an_alias_names(registry: Registry, registered: RegisteredModel) -> None:
    assert registry.find(CHALLENGER) == registered


def test_find_gives_none_for_an_alias_that_names_nothing(registry: Registry, registered: RegisteredModel) -> None:
    assert registry.find(CHAMPION) is None


def test_find_gives_none_if_nothing_is_registered(
    registry: Registry, registered: RegisteredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "model_name", "another_model")
    assert registry.find(CHAMPION) is None
    assert registry.find_version("f1") is None


def test_alias_is_set_moved_and_deleted(registry: Registry, registered: RegisteredModel) -> None:
    registry.set_alias("tried", registered)
    assert registry.find("tried") == registered
    registry.delete_alias("tried")
    assert registry.find("tried") is None


def test_written_tags_replace_those_of_the_project_and_no_others(registry: Registry, files: Path) -> None:
    with registry.run("train_model", {}):
        model = registry.register(files, TAGS)
    client = mlflow.tracking.MlflowClient()
    client.set_model_version_tag(model.name, str(model.version), "team", "lending")
    validated = replace(TAGS, validation=GateResult.PASSED, subject=Subject(None, "ab"))
    for tags in (validated, replace(validated, validation=GateResult.REJECTED, subject=None), TAGS):
        written = registry.write_tags(model, tags)
        assert written == registry.get(model.version)
        assert written.tags == tags
        assert written.stored_tags == tags.write() | {"team": "lending"}


def test_fetched_model_scores_as_the_registered_one(registry: Registry, registered: RegisteredModel) -> None:
    loaded = ComplaintScorer.load(registry.fetch(registered))
    assert loaded.score(COMPLAINTS).tobytes() == SCORER.score(COMPLAINTS).tobytes()


def test_registered_model_scores_text_by_its_alias(registry: Registry, registered: RegisteredModel) -> None:
    served = mlflow.pyfunc.load_model(f"models:/{registry.model_name}@{CHALLENGER}")
    asked = COMPLAINTS.to_pandas().astype({"date_received": str})
    assert served.predict(asked)["probability"].to_numpy().tobytes() == SCORER.score(COMPLAINTS).tobytes()


def test_registered_model_has_the_signature_of_raw_complaints(registry: Registry, registered: RegisteredModel) -> None:
    signature = mlflow.models.get_model_info(f"models:/{registry.model_name}/{registered.version}").signature
    assert signature is not None
    assert signature.inputs.input_names() == list(FILED_COLUMNS)
    assert {str(kind) for kind in signature.inputs.input_types()} == {"DataType.string"}
    assert signature.outputs.input_names() == ["probability", "prediction"]


def test_registered_model_has_an_input_example_that_it_scores(registry: Registry, registered: RegisteredModel) -> None:
    uri = f"models:/{registry.model_name}/{registered.version}"
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    example = mlflow.models.Model.load(folder).load_input_example(str(folder))
    scored = mlflow.pyfunc.load_model(uri).predict(pd.DataFrame(example))
    assert list(example.columns) == list(FILED_COLUMNS)
    assert len(scored) == 1
    assert np.isfinite(scored["probability"]).all()


def test_registered_model_holds_no_personal_text(registry: Registry, registered: RegisteredModel) -> None:
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{registry.model_name}/{registered.version}"))
    content = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    example = json.loads(content["input_example.json"])
    company = example["data"][0][example["columns"].index("company")]
    assert company == "Example Bank"
    assert [name for name, data in content.items() if PERSONAL.encode() in data] == []


def test_registered_model_contains_no_pickle(registry: Registry, registered: RegisteredModel) -> None:
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{registry.model_name}/{registered.version}"))
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes & {".pkl", ".pickle", ".cloudpickle", ".joblib"} == set()


def test_fetch_refuses_a_foreign_flavour(registry: Registry, tmp_path: Path) -> None:
    foreign = log_foreign(registry, tmp_path)
    with pytest.raises(ModelError, match=r"found loader pickle, only solosolve\.model\.mlflow_flavor is allowed"):
        registry.fetch(foreign)


def test_fetch_refuses_an_unknown_version(registry: Registry, registered: RegisteredModel) -> None:
    with pytest.raises(ModelError, match=f"models:/{MODEL}/999 cannot be fetched: "):
        registry.fetch(RegisteredModel(registered.name, 999, registered.run_id, {}))


def test_find_run_gives_the_newest_finished_run_of_a_name_and_fingerprint(registry: Registry) -> None:
    ids = []
    for _ in range(2):
        with registry.run("build_features", {"fingerprint": "f2"}) as active:
            ids.append(active.info.run_id)
    with pytest.raises(ValueError, match="boom"), registry.run("build_features", {"fingerprint": "f2"}):
        raise ValueError("boom")
    assert registry.find_run("build_features", "f2") == ids[-1]
    assert registry.find_run("build_features", "f3") is None
    assert registry.find_run("train_model", "f2") is None


def test_find_run_ignores_failed_runs(registry: Registry) -> None:
    with pytest.raises(ValueError, match="boom"), registry.run("build_features", {"fingerprint": "failed"}):
        raise ValueError("boom")
    assert registry.find_run("build_features", "failed") is None


def test_find_version_gives_the_newest_of_a_fingerprint(
    registry: Registry, registered: RegisteredModel, files: Path
) -> None:
    with registry.run("train_model", {}):
        newer = registry.register(files, VersionTags())
    assert registry.find_version("f1") is not None
    assert registry.find_version("f4") is None
    registry.write_tags(newer, VersionTags(fingerprint="f1"))
    found = registry.find_version("f1")
    assert found is not None
    assert (found.version, found.tags) == (newer.version, VersionTags(fingerprint="f1"))


def test_registry_is_kept_in_the_home_folder(
    home_settings: Settings, registry: Registry, registered: RegisteredModel
) -> None:
    again = Registry(home_settings)
    assert again.find(CHALLENGER) == registry.find(CHALLENGER)
    home = home_settings.home / "mlflow"
    assert (home / "mlflow.db").is_file()
    assert registry.fetch(registered).is_relative_to(home)


def test_registered_model_scores_without_spark_and_without_the_project(
    registry: Registry, registered: RegisteredModel, tmp_path: Path
) -> None:
    model = mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{registered.version}", dst_path=str(tmp_path))
    program = (
        "import sys; sys.modules['pyspark'] = None\n"
        "import mlflow.pyfunc, pandas\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "import solosolve; assert solosolve.__file__.startswith(sys.argv[1]), solosolve.__file__\n"
        "print(model.predict(pandas.read_json(sys.argv[2], dtype=False)).to_json(orient='records'))\n"
    )
    rows = [row | {"date_received": str(row["date_received"])} for row in COMPLAINTS.to_pylist()]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    words = [sys.executable, "-c", program, model, str(tmp_path / "rows.json")]
    served = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert served.returncode == 0, served.stderr
    actual = [row["probability"] for row in json.loads(served.stdout)]
    assert actual == pytest.approx(list(SCORER.score(COMPLAINTS)), abs=1e-9)
