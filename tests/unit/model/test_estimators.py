from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import xgboost as xgb
from pyspark.ml.classification import GBTClassificationModel, GBTClassifier
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError, UsageError
from solosolve.model.blend import Blend
from solosolve.model.encoder import FILED_TYPES, FeatureEncoder
from solosolve.model.estimators import ENGINES, Fitted, GbtEngine, XgboostEngine, engine
from solosolve.model.feature_kernel import Block
from solosolve.model.kernels import MonthOfYear, TextLength, TopCategories
from solosolve.model.scorer import ComplaintScorer, Formula
from solosolve.model.spark_trees import booster_from_spark
from solosolve.names import LABEL, NARRATIVE

ENCODER = FeatureEncoder(
    kernels=(
        TextLength(column=NARRATIVE),
        MonthOfYear(column="date_received"),
        TopCategories(column="company", categories=("CA", "NY")),
    )
)
GENERATOR = np.random.default_rng(11)
COUNT = 400
COMPLAINTS = pa.RecordBatch.from_pydict(
    {
        NARRATIVE: ["x" * int(length) for length in GENERATOR.integers(1, 2_000, COUNT)],
        "date_received": [date(2016, 1, 1) + timedelta(int(days)) for days in GENERATOR.integers(0, 365, COUNT)],
        "company": GENERATOR.choice(["CA", "NY", "TX"], COUNT).tolist(),
    },
    pa.schema({name: FILED_TYPES[name] for name in (NARRATIVE, "date_received", "company")}),
)
FEATURES = ENCODER.encode(COMPLAINTS)
SIGNAL = FEATURES[:, 0] / 1_000 - 1 + FEATURES[:, 2] - 0.1 * FEATURES[:, 1]
LABELS = (GENERATOR.uniform(size=COUNT) < 1 / (1 + np.exp(-2 * SIGNAL))).astype(float)


def frame_of(spark: SparkSession, features: Block) -> DataFrame:
    rows = [
        (1 + number, row, float(LABELS[number % COUNT])) for number, row in enumerate(features.astype(float).tolist())
    ]
    return spark.createDataFrame(rows, f"complaint_id bigint, features array<float>, {LABEL} double")


@pytest.fixture(scope="module")
def labelled(spark: SparkSession) -> Iterator[DataFrame]:
    cached = frame_of(spark, FEATURES).cache()
    yield cached
    cached.unpersist()


@pytest.fixture(scope="module")
def gbt(labelled: DataFrame) -> xgb.Booster:
    return GbtEngine().fit(labelled, labelled, ENCODER).booster


@pytest.fixture(scope="module")
def xgboost(labelled: DataFrame) -> Fitted:
    return XgboostEngine().fit(labelled, labelled, ENCODER)


@pytest.fixture(scope="module")
def spark_model(labelled: DataFrame) -> GBTClassificationModel:
    vectors = labelled.orderBy("complaint_id").select(array_to_vector("features").alias("features"), LABEL)
    return GBTClassifier(labelCol=LABEL, maxDepth=3, maxBins=32, maxIter=5, seed=42).fit(vectors)


def shuffled(labelled: DataFrame) -> DataFrame:
    return labelled.repartition(3).orderBy(F.xxhash64("complaint_id"))


def description(*lines: str) -> GBTClassificationModel:
    """The parts of a model that the conversion reads: one feature, and trees described by lines."""
    return SimpleNamespace(toDebugString="\n".join(["GBTClassificationModel: ...", *lines]), numFeatures=1)


def predicted(model: GBTClassificationModel, *values: float) -> list[float]:
    rows = np.array(values, np.float32).reshape(-1, 1)
    return booster_from_spark(model, rows).inplace_predict(rows).tolist()


def sigmoid(margin: float) -> float:
    return 1 / (1 + math.exp(-margin))


def test_engine_is_looked_up_by_name() -> None:
    assert {name: engine(name).name for name in ("gbt", "xgboost")} == {"gbt": "gbt", "xgboost": "xgboost"}
    assert set(ENGINES) == {"gbt", "xgboost"}


def test_engine_lists_the_names_it_knows() -> None:
    with pytest.raises(UsageError, match="engine: found 'forest', allowed: gbt, xgboost"):
        engine("forest")


def test_gbt_engine_has_the_projects_baseline_parameters() -> None:
    assert GbtEngine().parameters() == {"maxDepth": 3, "maxBins": 32, "maxIter": 5, "seed": 42}


def test_gbt_engine_fits_the_model_of_spark(
    gbt: xgb.Booster, spark_model: GBTClassificationModel, labelled: DataFrame
) -> None:
    expected = booster_from_spark(spark_model, FEATURES)
    assert gbt.inplace_predict(FEATURES).tobytes() == expected.inplace_predict(FEATURES).tobytes()


def test_booster_from_spark_gives_the_probabilities_of_spark(
    spark: SparkSession, spark_model: GBTClassificationModel
) -> None:
    splits = re.findall(r"If \(feature (\d+) <= (\S+)\)", spark_model.toDebugString)
    near_thresholds = []
    for feature, threshold in sorted(set(splits)):
        at = np.float32(threshold)
        for value in (at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf))):
            near_thresholds.append(FEATURES[len(near_thresholds)].copy())
            near_thresholds[-1][int(feature)] = value
    rows = np.vstack([FEATURES, near_thresholds])
    vectors = frame_of(spark, rows).withColumn("features", array_to_vector("features"))
    probability = vector_to_array("probability")[1].alias("probability")
    scored = spark_model.transform(vectors).select("complaint_id", probability).toArrow().sort_by("complaint_id")
    actual = booster_from_spark(spark_model, FEATURES).inplace_predict(rows)
    assert len(near_thresholds) > 15
    assert np.abs(actual - scored.column("probability").to_numpy()).max() < 1e-6


def test_booster_from_spark_has_the_importances_of_spark(spark_model: GBTClassificationModel) -> None:
    actual = ComplaintScorer(ENCODER, booster_from_spark(spark_model, FEATURES)).importances()
    expected = dict(zip(ENCODER.names, spark_model.featureImportances.toArray().tolist(), strict=True))
    assert actual == pytest.approx({name: share for name, share in expected.items() if share}, rel=1e-4)


def test_booster_from_spark_covers_the_leaves_that_score_each_row() -> None:
    model = description(
        "  Tree 0 (weight 1.0):",
        "    If (feature 0 <= 4.0)",
        "     If (feature 0 <= 2.0)",
        "      Predict: 0.1",
        "     Else (feature 0 > 2.0)",
        "      Predict: 0.2",
        "    Else (feature 0 > 4.0)",
        "     Predict: 0.3",
    )
    rows = np.array([[1], [3], [3], [5], [5], [5]], np.float32)
    booster = booster_from_spark(model, rows)
    leaves = booster.trees_to_dataframe().query("Feature == 'Leaf'")
    assert dict(zip(leaves["Gain"].round(6), leaves["Cover"], strict=True)) == {0.2: 1, 0.4: 2, 0.6: 3}
    assert booster.predict(xgb.DMatrix(rows), output_margin=True).tolist() == pytest.approx(
        [0.2, 0.4, 0.4, 0.6, 0.6, 0.6]
    )


def test_booster_from_spark_sends_a_row_at_the_threshold_left() -> None:
    model = description(
        "  Tree 0 (weight 1.0):",
        "    If (feature 0 <= 0.1)",
        "     Predict: -0.5",
        "    Else (feature 0 > 0.1)",
        "     Predict: 0.25",
    )
    # 0.1 as float32 is greater than 0.1 as float64, which is the threshold.
    below = float(np.nextafter(np.float32(0.1), np.float32(0)))
    assert predicted(model, below, 0.1, 7) == pytest.approx([sigmoid(-1), sigmoid(0.5), sigmoid(0.5)])


def test_booster_from_spark_sums_its_trees_by_weight() -> None:
    model = description(
        "  Tree 0 (weight 1.0):",
        "    Predict: 0.5",
        "  Tree 1 (weight 0.1):",
        "    If (feature 0 <= 2.0)",
        "     Predict: 1.0",
        "    Else (feature 0 > 2.0)",
        "     Predict: -1.0",
    )
    assert predicted(model, 2, 3) == pytest.approx([sigmoid(1.2), sigmoid(0.8)])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["  Tree 0 (weight 1.0):", "    If (feature 0 in {0.0,1.0})"],
            "expected a numeric split or a leaf, found 'If",
        ),
        (["  Tree 0 (weight 1.0):"], "expected a numeric split or a leaf, found 'the end of the text'"),
        (["  Forest 0:"], "expected the start of a tree, found 'Forest 0:'"),
        (
            ["  Tree 0 (weight 1.0):", "    If (feature 0 <= 1.0)", "     Predict: 1.0", "     Predict: 2.0"],
            "expected the Else of a split, found 'Predict: 2.0'",
        ),
    ],
)
def test_booster_from_spark_refuses_trees_it_cannot_convert(lines: list[str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        predicted(description(*lines), 1)


def test_gbt_engine_does_not_depend_on_the_order_of_rows(labelled: DataFrame) -> None:
    drawing_a_quarter = GbtEngine(cover_rows=COUNT // 4)
    first, second = (drawing_a_quarter.fit(rows, rows, ENCODER).booster for rows in (labelled, shuffled(labelled)))
    assert bytes(first.save_raw()) == bytes(second.save_raw())


def test_xgboost_engine_does_not_depend_on_the_order_of_rows(labelled: DataFrame, xgboost: Fitted) -> None:
    again = XgboostEngine().fit(shuffled(labelled), shuffled(labelled), ENCODER)
    assert bytes(again.booster.save_raw()) == bytes(xgboost.booster.save_raw())
    assert again.linear == xgboost.linear


@pytest.fixture(params=["gbt", "xgboost"])
def fitted(request: pytest.FixtureRequest) -> ComplaintScorer:
    """The scorer of each engine, with its parts blended on the rows that it was fitted on."""
    found = request.getfixturevalue(request.param)
    parts = found if isinstance(found, Fitted) else Fitted(found)
    unblended = ComplaintScorer(ENCODER, parts.booster, Formula(linear=parts.linear))
    blend = Blend.fit(LABELS, *unblended.log_odds(FEATURES), review_share=0.2)
    return ComplaintScorer(ENCODER, parts.booster, Formula(linear=parts.linear, blend=blend))


def test_engine_learns_the_signal(fitted: ComplaintScorer) -> None:
    assert np.corrcoef(fitted.score_features(FEATURES), SIGNAL)[0, 1] > 0.7


def test_engine_explains_each_probability(fitted: ComplaintScorer) -> None:
    probabilities = fitted.score(COMPLAINTS)
    sums = [sum(explained.values()) for explained in fitted.explain(COMPLAINTS)]
    assert sums == pytest.approx(list(np.log(probabilities / (1 - probabilities))), abs=1e-4)


def test_engine_explains_relative_to_the_average_training_row(fitted: ComplaintScorer) -> None:
    probabilities = fitted.score(COMPLAINTS)
    average = float(np.mean(np.log(probabilities / (1 - probabilities))))
    # XGBoost weights rows by their Hessian, and uses only the rows that it sampled.
    assert fitted.explain(COMPLAINTS)[0]["(base)"] == pytest.approx(average, abs=0.3)


def test_engine_importances_name_features_and_sum_to_1(fitted: ComplaintScorer) -> None:
    importances = fitted.importances()
    assert set(importances) <= set(ENCODER.names)
    assert sum(importances.values()) == pytest.approx(1)
    assert next(iter(importances)) == "narrative_length"
