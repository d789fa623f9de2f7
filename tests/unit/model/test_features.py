from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import LeakageError, UsageError
from solosolve.model.encoder import FILED_TYPES, FeatureEncoder
from solosolve.model.feature_sets import FEATURE_SETS, FeatureSet, feature_set, require_filed_column
from solosolve.model.features import (
    build_pipeline,
    encoder_of,
)
from solosolve.model.kernels import MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.word_kernels import HashedTerms
from solosolve.names import COMPLAINT_COLUMNS, FILED_COLUMNS, NARRATIVE, OUTCOME_COLUMNS
from support.builders import complaint, complaints

STOP_WORDS = ("the", "my")
ROWS = [
    {"complaint_id": 1, "state": "CA", "company": "Acme Bank"},
    {"complaint_id": 2, "state": "NY", "company": "Acme Bank", "date_received": date(2016, 12, 31)},
    {"complaint_id": 3, "state": "CA", "company": "Zürich AG", NARRATIVE: "The café lost {$1.00}!! XXXX 12/13\nWhy?"},
    {"complaint_id": 4, "state": "TX", "company": "Other", "issue": None, "sub_issue": "Late", "tags": "Servicemember"},
    {"complaint_id": 5, "sub_product": None, NARRATIVE: "İ \u212a 😀 naïve " * 500},
]


def arrow(rows: list[dict[str, object]]) -> pa.RecordBatch:
    schema = pa.schema(FILED_TYPES)
    return pa.RecordBatch.from_pylist([{name: row[name] for name in FILED_COLUMNS} for row in rows], schema)


def fit(rows: DataFrame, chosen: FeatureSet) -> PipelineModel:
    return build_pipeline(chosen, STOP_WORDS).fit(rows)


def top_categories(rows: DataFrame, column: str) -> tuple[str, ...]:
    return categories(fit(rows, FeatureSet("one", {column: 15}, term_buckets=8)))[column]


def categories(pipeline: PipelineModel) -> dict[str, tuple[str, ...]]:
    kernels = encoder_of(pipeline).kernels
    return {kernel.column: kernel.categories for kernel in kernels if isinstance(kernel, TopCategories)}


def features(pipeline: PipelineModel, rows: DataFrame) -> np.ndarray:
    found = pipeline.transform(rows).orderBy("complaint_id").select("features").toArrow().column("features")
    return np.array(found.to_pylist(), np.float32)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> Iterator[DataFrame]:
    cached = complaints(spark, *ROWS).cache()
    yield cached
    cached.unpersist()


@pytest.fixture(scope="module")
def fitted(rows: DataFrame) -> PipelineModel:
    return fit(rows, feature_set("default"))


@pytest.fixture(scope="module")
def small(rows: DataFrame) -> PipelineModel:
    """A pipeline with one kernel of each kind, fitted on the first three complaints only."""
    return fit(
        rows.where("complaint_id <= 3"), FeatureSet("small", {"state": 15}, term_buckets=8, patterns=("amount_count",))
    )


ENCODER = FeatureEncoder(
    kernels=(
        TextLength(column=NARRATIVE),
        HashedTerms(column=NARRATIVE, size=32, stop_words=STOP_WORDS),
        MonthOfYear(column="date_received"),
        TextPattern(column=NARRATIVE, name="question_count", pattern=r"\?"),
        TopCategories(column="state", categories=("CA", "NY")),
    )
)


@pytest.mark.parametrize("column", sorted(OUTCOME_COLUMNS))
def test_feature_set_refuses_a_column_that_is_known_only_after_the_outcome(column: str) -> None:
    with pytest.raises(LeakageError, match=f"column {column} cannot be a feature: it is known only after the outcome"):
        FeatureSet("leaky", {"product": 15, column: 15}, term_buckets=8)


NOT_FILED = sorted({*COMPLAINT_COLUMNS, "no_such_column", "split", ""} - {*FILED_COLUMNS, *OUTCOME_COLUMNS})


@pytest.mark.parametrize("column", NOT_FILED)
def test_feature_set_refuses_a_column_that_is_not_known_when_a_complaint_is_filed(column: str) -> None:
    message = (
        f"column {column} cannot be a feature: it is not known when a complaint is filed; allowed: date_received, "
    )
    with pytest.raises(LeakageError, match=message):
        FeatureSet("leaky", {column: 15}, term_buckets=8)


@pytest.mark.parametrize("column", FILED_COLUMNS)
def test_require_filed_column_accepts_columns_known_when_a_complaint_is_filed(column: str) -> None:
    require_filed_column(column)


@pytest.mark.parametrize("chosen", list(FEATURE_SETS))
def test_feature_set_reads_only_filed_columns(chosen: str) -> None:
    (stage,) = build_pipeline(feature_set(chosen), STOP_WORDS).getStages()
    plan = json.loads(stage.getOrDefault("planJson"))
    read = [*plan["given"]["kernels"], *plan["categories"], *([plan["topics"]] if plan["topics"] else [])]
    assert {part["column"] for part in read} <= set(FILED_COLUMNS)


def test_feature_set_is_looked_up_by_name() -> None:
    assert [feature_set(name).name for name in ("baseline", "default")] == ["baseline", "default"]


def test_feature_set_lists_the_names_it_knows() -> None:
    with pytest.raises(UsageError, match="feature set: found 'best', allowed: baseline, default"):
        feature_set("best")


def test_baseline_has_the_columns_of_the_design() -> None:
    baseline = feature_set("baseline")
    columns = dict.fromkeys(("product", "company", "state", "submitted_via"), 15)
    assert (baseline.categorical, baseline.patterns, baseline.topics) == (columns, (), 0)


def test_fitting_keeps_the_most_frequent_values_and_breaks_ties_alphabetically(spark: SparkSession) -> None:
    states = ["NY", "CA", "TX", "CA", "AK", "TX", "CA"]
    many = [f"Bank {number:02}" for number in range(17, 0, -1)]
    frame = complaints(
        spark,
        *({"complaint_id": 1 + number, "state": state, "company": "Bank 20"} for number, state in enumerate(states)),
        *({"complaint_id": 50 + number, "state": "CA", "company": company} for number, company in enumerate(many)),
    )
    assert top_categories(frame, "state") == ("CA", "TX", "AK", "NY")
    assert top_categories(frame, "company") == ("Bank 20", *(f"Bank {number:02}" for number in range(1, 15)))


def test_fitting_does_not_count_null_and_other_as_values(rows: DataFrame) -> None:
    assert top_categories(rows, "company") == ("Acme Bank", "Zürich AG")
    assert top_categories(rows, "sub_issue") == ("Late",)


def test_fitting_learns_all_categories_in_one_job(rows: DataFrame) -> None:
    spark = rows.sparkSession
    spark.sparkContext.setJobGroup("fit", "counted by the test")
    try:
        fit(rows, feature_set("baseline"))
        jobs = spark.sparkContext.statusTracker().getJobIdsForGroup("fit")
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
    assert len(jobs) == 1


def test_fitting_counts_renamed_products_as_one(spark: SparkSession) -> None:
    old, new = "Credit reporting", "Credit reporting or other personal consumer reports"
    frame = complaints(
        spark, *({"complaint_id": 1 + number, "product": name} for number, name in enumerate((old, new)))
    )
    fitted = fit(frame, feature_set("default"))
    place = encoder_of(fitted).names.index("product=Credit report")
    assert categories(fitted)["product"] == ("Credit report",)
    assert features(fitted, frame)[:, place].tolist() == [1, 1]


def test_fitting_finds_topics_whatever_the_order_of_the_rows(spark: SparkSession) -> None:
    about = ["loan interest payment", "loan interest late", "card fee charge", "card fee limit"] * 5
    frame = complaints(spark, *({"complaint_id": 1 + number, NARRATIVE: text} for number, text in enumerate(about)))
    chosen = FeatureSet("topics", {"state": 15}, term_buckets=8, topics=2)
    first, second = fit(frame, chosen), fit(frame.repartition(3).orderBy("narrative_length"), chosen)
    assert encoder_of(first) == encoder_of(second)
    names = encoder_of(first).names
    block = features(first, frame)[:, [names.index("topic_0"), names.index("topic_1")]]
    loans, cards = block[[0, 1, 4, 5]], block[[2, 3, 6, 7]]
    assert np.linalg.norm(loans - loans.mean(0)) < np.linalg.norm(loans.mean(0) - cards.mean(0))


def test_fitting_does_not_depend_on_the_order_of_rows(rows: DataFrame) -> None:
    assert top_categories(rows.orderBy("narrative_length"), "state") == top_categories(rows, "state")


def test_fitting_learns_only_from_the_rows_it_is_given(rows: DataFrame, small: PipelineModel) -> None:
    names = encoder_of(small).names
    of_texas = features(small, rows.where("state = 'TX'"))[0]
    states = {name: value for name, value in zip(names, of_texas, strict=True) if name.startswith("state=")}
    assert states == {"state=CA": 0, "state=NY": 0, "state=Other": 1}
    assert top_categories(rows, "state") == ("CA", "NY", "TX")


def test_pipeline_features_equal_those_of_the_encoder_bit_for_bit(rows: DataFrame, fitted: PipelineModel) -> None:
    encoder = encoder_of(fitted)
    expected = encoder.encode(arrow([complaint(**row) for row in ROWS]))
    actual = features(fitted, rows)
    assert (expected.dtype, expected.shape) == (np.float32, (len(ROWS), len(encoder.names)))
    assert actual.tobytes() == expected.tobytes()


def test_pipeline_adds_features_as_an_array_of_floats_and_nothing_else(rows: DataFrame, small: PipelineModel) -> None:
    added = dict(set(small.transform(rows).dtypes) - set(rows.dtypes))
    assert added == {"features": "array<float>"}
    assert [name for name, _ in small.transform(rows).dtypes if name != "features"] == rows.columns


def test_pipeline_of_no_rows_makes_no_rows(rows: DataFrame, small: PipelineModel) -> None:
    assert small.transform(rows.limit(0)).count() == 0


def test_transform_warns_of_nothing(small: PipelineModel, spark: SparkSession) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        small.transform(complaints(spark, *ROWS))


def test_pipeline_saves_and_loads(rows: DataFrame, small: PipelineModel, tmp_path: Path) -> None:
    small.save(str(tmp_path / "pipeline"))
    loaded = PipelineModel.load(str(tmp_path / "pipeline"))
    assert encoder_of(loaded) == encoder_of(small)
    assert features(loaded, rows).tobytes() == features(small, rows).tobytes()


def test_encoder_is_unchanged_by_a_round_trip_through_json(fitted: PipelineModel) -> None:
    encoder = encoder_of(fitted)
    again = FeatureEncoder.model_validate_json(encoder.model_dump_json())
    batch = arrow([complaint(**row) for row in ROWS])
    assert again == encoder
    assert again.encode(batch).tobytes() == encoder.encode(batch).tobytes()


def test_encoder_has_one_unique_name_per_column(fitted: PipelineModel) -> None:
    encoder = encoder_of(fitted)
    assert len(set(encoder.names)) == len(encoder.names) == encoder.encode(arrow([complaint()])).shape[1]


def test_encoder_ignores_other_columns_and_their_order() -> None:
    batch = arrow([complaint(**row) for row in ROWS])
    shuffled = batch.select(batch.schema.names[::-1]).append_column("split", pa.array(["test"] * len(ROWS)))
    assert ENCODER.encode(shuffled).tobytes() == ENCODER.encode(batch).tobytes()


def test_encoder_of_no_rows_has_its_columns() -> None:
    assert ENCODER.encode(arrow([])).shape == (0, len(ENCODER.names))


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                NARRATIVE: st.none() | st.text(),
                "state": st.none() | st.sampled_from(["CA", "NY", "TX"]),
                "date_received": st.none() | st.dates(),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None)
def test_encoder_encodes_each_row_independently_of_the_others(rows: list[dict[str, object]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, pa.schema({name: FILED_TYPES[name] for name in rows[0]}))
    alone = [ENCODER.encode(batch.slice(place, 1)) for place in range(len(rows))]
    assert ENCODER.encode(batch).tobytes() == np.vstack(alone).tobytes()
