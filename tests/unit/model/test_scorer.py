from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st

from solosolve.errors import ModelError
from solosolve.model.blend import Blend
from solosolve.model.encoder import FILED_TYPES, FeatureEncoder
from solosolve.model.kernels import MonthOfYear, TextLength, TopCategories
from solosolve.model.linear import LinearScore
from solosolve.model.mlflow_flavor import PyfuncScorer, _load_pyfunc
from solosolve.model.scorer import ComplaintScorer, Formula, as_raw_complaints
from solosolve.model.topics import fit_topics
from solosolve.model.word_kernels import HashedTerms
from solosolve.names import FILED_COLUMNS, NARRATIVE
from support.builders import complaint

TOPICS = fit_topics(
    NARRATIVE, pa.array(["payment late why", "payment late", "payment loan", "loan why"] * 3), stop_words=(), size=2
)
assert TOPICS is not None
ENCODER = FeatureEncoder(
    kernels=(
        TextLength(column=NARRATIVE),
        HashedTerms(column=NARRATIVE, size=16, stop_words=("the",)),
        MonthOfYear(column="date_received"),
        TopCategories(column="state", categories=("CA", "NY")),
        TOPICS,
    )
)
FILES = ["boosted_trees.ubj", "features.json", "model.json"]
WORDS = ("payment", "late", "café", "{$10.00}", "XXXX", "why?", "loan")


def complaint_rows(count: int, seed: int = 5) -> list[dict[str, object]]:
    generator = np.random.default_rng(seed)
    return [
        complaint(
            complaint_id=1 + number,
            date_received=date(2016, int(generator.integers(1, 13)), 1),
            state=str(generator.choice(["CA", "NY", "TX"])),
            consumer_complaint_narrative=" ".join(generator.choice(WORDS, int(generator.integers(1, 40)))),
        )
        for number in range(count)
    ]


def batch_of(rows: list[dict[str, object]]) -> pa.RecordBatch:
    schema = pa.schema(FILED_TYPES)
    return pa.RecordBatch.from_pylist([{name: row[name] for name in FILED_COLUMNS} for row in rows], schema)


BATCH = batch_of(complaint_rows(200))


def trained() -> ComplaintScorer:
    features = ENCODER.encode(BATCH)
    labels = (features[:, 0] + np.random.default_rng(6).normal(0, 40, len(features)) > np.median(features[:, 0])) * 1.0
    parameters = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 1}
    trees = xgb.train(parameters, xgb.DMatrix(features, label=labels), num_boost_round=10)
    weights = dict(zip((0, 5, 18, 20, 22), (0.01, -0.3, 0.5, -0.25, 0.4), strict=True))
    linear = LinearScore(
        places=tuple(weights), weights=tuple(weights.values()), means=(100.0, 1.0, 0.3, 0.3, 0.1), intercept=-1.0
    )
    blend = Blend(linear=0.6, trees=0.5, intercept=0.1, threshold=0.4)
    return ComplaintScorer(ENCODER, trees, Formula(linear=linear, blend=blend))


SCORER = trained()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    SCORER.save(tmp_path)
    return tmp_path


def texts(batch: pa.RecordBatch) -> pd.DataFrame:
    """Complaints as MLflow passes them: every column text, dates YYYY-MM-DD."""
    frame = batch.to_pandas()
    frame["date_received"] = frame["date_received"].map(lambda day: day.isoformat(), na_action="ignore")
    return frame


def test_score_gives_one_probability_per_row() -> None:
    actual = SCORER.score(BATCH)
    assert (actual.dtype, actual.shape) == (np.float64, (200,))
    assert ((actual > 0) & (actual < 1)).all()
    assert len(np.unique(actual)) > 50


def test_score_equals_the_score_of_encoded_features() -> None:
    assert SCORER.score(BATCH).tobytes() == SCORER.score_features(ENCODER.encode(BATCH)).tobytes()


def test_score_does_not_depend_on_how_many_rows_are_encoded_at_a_time() -> None:
    many = pa.concat_batches([BATCH] * 11)
    assert SCORER.score(many).tobytes() == np.tile(SCORER.score(BATCH), 11).tobytes()


def test_score_of_no_rows_is_empty() -> None:
    assert SCORER.score(BATCH.slice(0, 0)).shape == (0,)


def test_score_accepts_nulls_and_unknown_columns() -> None:
    nulls = batch_of([dict.fromkeys(FILED_COLUMNS)]).append_column("split", pa.array(["test"]))
    assert np.isfinite(SCORER.score(nulls)).all()


@given(places=st.lists(st.integers(0, 199), min_size=1, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=3))
@settings(deadline=None)
def test_score_does_not_depend_on_how_rows_are_batched(places: list[int], cuts: list[int]) -> None:
    rows = BATCH.take(pa.array(places))
    bounds = [0, *sorted(min(cut, len(places)) for cut in cuts), len(places)]
    parts = [rows.slice(start, end - start) for start, end in pairwise(bounds)]
    expected = SCORER.score(BATCH)[places]
    assert SCORER.score(rows).tobytes() == expected.tobytes()
    assert np.concatenate([SCORER.score(part) for part in parts]).tobytes() == expected.tobytes()


@pytest.mark.parametrize("column", ["state", NARRATIVE, "date_received"])
def test_score_refuses_complaints_without_a_needed_column(column: str) -> None:
    with pytest.raises(ModelError, match=f"column {column}: found no such column, the model needs"):
        SCORER.score(BATCH.drop_columns([column]))


def test_score_needs_only_the_inputs_of_its_features() -> None:
    assert SCORER.score(BATCH.select(ENCODER.inputs)).tobytes() == SCORER.score(BATCH).tobytes()


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("state", pa.array([1]), "int64"),
        ("state", pa.array(["CA"], pa.large_string()), "large_string"),
        ("state", pa.array([None]), "null"),
        ("date_received", pa.array(["2016-03-01"]), "string"),
        ("date_received", pa.array([0], pa.timestamp("us")), "timestamp"),
    ],
)
def test_score_refuses_a_column_of_another_type(column: str, values: pa.Array, found: str) -> None:
    row = BATCH.slice(0, 1)
    wrong = row.set_column(row.schema.get_field_index(column), column, values)
    with pytest.raises(
        ModelError, match=f"column {column}: found {found}.*, the model needs {re.escape(str(FILED_TYPES[column]))}"
    ):
        SCORER.score(wrong)


def test_load_restores_what_was_saved(saved: Path) -> None:
    loaded = ComplaintScorer.load(saved)
    assert loaded.encoder == ENCODER
    assert loaded.score(BATCH).tobytes() == SCORER.score(BATCH).tobytes()
    assert loaded.explain(BATCH.slice(0, 3)) == SCORER.explain(BATCH.slice(0, 3))


def test_save_writes_three_files_of_data(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == FILES


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"no model at all", b"{}", b"[1]", b"\xff\xfe\x00"], ids=repr)
def test_load_refuses_a_missing_or_broken_file(saved: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (saved / name).unlink()
    else:
        (saved / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"^cannot load a model from {saved}: .") as error:
        ComplaintScorer.load(saved)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_load_refuses_a_truncated_file(saved: Path, name: str, share: float) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match="cannot load a model from"):
        ComplaintScorer.load(saved)


def test_load_refuses_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load a model from"):
        ComplaintScorer.load(tmp_path / "nowhere")


def test_load_refuses_an_unknown_kernel(saved: Path) -> None:
    path = saved / "features.json"
    path.write_text(path.read_text().replace("text_length", "text_width"))
    with pytest.raises(ModelError, match="cannot load a model from"):
        ComplaintScorer.load(saved)


def test_load_refuses_trees_with_another_number_of_features(tmp_path: Path) -> None:
    ComplaintScorer(FeatureEncoder(kernels=ENCODER.kernels[:-1]), SCORER.booster).save(tmp_path)
    with pytest.raises(ModelError, match=r"boosted_trees\.ubj expects 23 features, but features\.json makes 21"):
        ComplaintScorer.load(tmp_path)


def test_load_refuses_a_linear_score_that_reads_other_features(tmp_path: Path) -> None:
    linear = LinearScore(places=(2, 23), weights=(1.0, 1.0), means=(0.0, 0.0), intercept=0.0)
    ComplaintScorer(ENCODER, SCORER.booster, Formula(linear=linear, blend=Blend())).save(tmp_path)
    with pytest.raises(ModelError, match=r"its linear score reads feature 23, but features\.json makes only 23"):
        ComplaintScorer.load(tmp_path)


def test_load_reads_a_version_from_before_there_was_a_formula(saved: Path) -> None:
    (saved / "boosted_trees.ubj").rename(saved / "trees.ubj")
    (saved / "model.json").unlink()
    loaded = ComplaintScorer.load(saved)
    assert loaded.score(BATCH).tobytes() == ComplaintScorer(ENCODER, SCORER.booster).score(BATCH).tobytes()
    assert loaded.threshold == 0.5


def test_explain_adds_up_to_the_log_odds() -> None:
    probabilities = SCORER.score(BATCH)
    sums = [sum(explained.values()) for explained in SCORER.explain(BATCH)]
    assert sums == pytest.approx(list(np.log(probabilities / (1 - probabilities))), abs=1e-4)


def test_explain_orders_features_by_the_size_of_their_effect() -> None:
    explained = SCORER.explain(BATCH.slice(0, 1))[0]
    assert set(explained) == {*ENCODER.names, "(base)"}
    sizes = [abs(effect) for effect in explained.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_explain_gives_the_effects_of_a_column_to_its_present_category() -> None:
    for state, explained in zip(BATCH.column("state").to_pylist(), SCORER.explain(BATCH), strict=True):
        present = f"state={state if state in ('CA', 'NY') else 'Other'}"
        assert all(effect == 0 for name, effect in explained.items() if "state=" in name and name != present)


def test_explain_of_no_rows_is_empty() -> None:
    assert SCORER.explain(BATCH.slice(0, 0)) == []


def test_explain_refuses_complaints_without_a_needed_column() -> None:
    with pytest.raises(ModelError, match="column state: found no such column"):
        SCORER.explain(BATCH.drop_columns(["state"]))


def test_importances_are_shares_in_descending_order() -> None:
    importances = SCORER.importances()
    assert set(importances) <= set(ENCODER.names)
    assert sum(importances.values()) == pytest.approx(1)
    assert list(importances.values()) == sorted(importances.values(), reverse=True)
    assert next(iter(importances)) == "narrative_length"


def test_as_raw_complaints_casts_columns_to_their_types() -> None:
    table = pa.Table.from_pandas(texts(BATCH), preserve_index=False)
    assert as_raw_complaints(table).to_pylist() == BATCH.to_pylist()
    assert as_raw_complaints(table).schema == pa.schema(FILED_TYPES)


def test_as_raw_complaints_drops_other_columns() -> None:
    assert as_raw_complaints(pa.table({"state": ["CA"], "complaint_id": [1]})).schema.names == ["state"]


@pytest.mark.parametrize("day", ["03/01/2016", "2016-13-01", "2016-02-30", "", "soon"])
def test_as_raw_complaints_refuses_an_invalid_date(day: str) -> None:
    with pytest.raises(ModelError, match="a complaint column has a value of the wrong type"):
        as_raw_complaints(pa.table({"date_received": ["2016-03-01", day]}))


def test_pyfunc_predicts_what_the_scorer_scores() -> None:
    actual = PyfuncScorer(SCORER).predict(texts(BATCH))
    expected = SCORER.score(BATCH)
    assert list(actual.columns) == ["probability", "prediction"]
    assert actual["probability"].to_numpy().tobytes() == expected.tobytes()
    assert actual["prediction"].tolist() == [1.0 if probability >= 0.4 else 0.0 for probability in expected]


def test_pyfunc_keeps_the_index_of_its_input() -> None:
    given_df = texts(BATCH).iloc[[7, 3]]
    assert PyfuncScorer(SCORER).predict(given_df).index.tolist() == [7, 3]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_pyfunc_treats_missing_values_as_null(missing: float | None) -> None:
    given_df = texts(BATCH.slice(0, 2)).astype(object)
    given_df.loc[0, ["state", "date_received", "tags"]] = missing
    nulls = BATCH.slice(0, 2).to_pylist()
    nulls[0] |= {"state": None, "date_received": None, "tags": None}
    assert PyfuncScorer(SCORER).predict(given_df)["probability"].tolist() == SCORER.score(batch_of(nulls)).tolist()


def test_pyfunc_of_no_rows_predicts_nothing() -> None:
    assert len(PyfuncScorer(SCORER).predict(texts(BATCH.slice(0, 0)))) == 0


def test_pyfunc_refuses_complaints_without_a_needed_column() -> None:
    with pytest.raises(ModelError, match="column state: found no such column"):
        PyfuncScorer(SCORER).predict(texts(BATCH).drop(columns="state"))


def test_pyfunc_loads_what_a_scorer_saved(saved: Path) -> None:
    actual = _load_pyfunc(str(saved)).predict(texts(BATCH))
    assert actual["probability"].tolist() == SCORER.score(BATCH).tolist()
