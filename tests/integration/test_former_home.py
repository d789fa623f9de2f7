"""A home made by an earlier release works on: tables, checkpoints, models."""

from __future__ import annotations

from datetime import UTC, datetime

import mlflow
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.flows import (
    build_features,
    promote_model,
    refine_complaints,
    score_complaints,
    score_stream,
    train_model,
    validate_model,
)
from solosolve.flows.score_stream import StreamOptions
from solosolve.local.summary import Summary
from solosolve.model.promotion import GateResult
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.version_tags import VersionState
from solosolve.names import CHAMPION, COMPLAINTS, FEATURES, FILED_COLUMNS, PREDICTIONS, REQUESTS
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.model_explainer import ModelExplainer
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from solosolve.table_properties import CHECKS
from solosolve.transforms.predictions import with_probability
from support import former_home
from support.builders import settings_in


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    path = former_home.unpack(tmp_path_factory.mktemp("former"))
    return settings_in(path)


@pytest.fixture(scope="module")
def former(spark: SparkSession, home: Settings) -> Tables:
    return Tables(spark, home)


def counts(tables: Tables) -> dict[str, int]:
    reader = DeltaReader(tables.settings.warehouse)
    return {
        str(table): reader.query(f"select count(*) as n from {table}").to_pylist()[0]["n"] for table in reader.tables()
    }


def test_former_model_gives_the_scores_of_the_former_release_bit_for_bit(former: Tables, home: Settings) -> None:
    registry = Registry(home)
    champion = registry.champion()
    assert (champion.version, champion.tags.state) == (1, VersionState.PROVISIONAL)
    scorer = ComplaintScorer.load(registry.fetch(champion))
    scored = with_probability(former.read(COMPLAINTS), scorer.score).select("complaint_id", "probability")
    expected = former.read(PREDICTIONS).select("complaint_id", "probability")
    assert scored.count() == expected.count() > 500
    assert scored.exceptAll(expected).isEmpty()


def test_former_model_loads_through_mlflow(home: Settings) -> None:
    registry = Registry(home)
    model = mlflow.pyfunc.load_model(f"models:/{registry.model_name}@{CHAMPION}")
    complaint = DeltaReader(home.warehouse).query(
        f"select p.probability, {', '.join(f's.{name}' for name in FILED_COLUMNS)} "
        f"from {COMPLAINTS} s join {PREDICTIONS} p on s.complaint_id = p.complaint_id order by s.complaint_id limit 20"
    )
    asked = complaint.drop_columns("probability").to_pandas().astype({"date_received": str})
    assert model.predict(asked)["probability"].tolist() == complaint["probability"].to_pylist()


def test_former_model_is_explained(home: Settings) -> None:
    complaint = DeltaReader(home.warehouse).query(f"select * from {COMPLAINTS} limit 1").to_pylist()[0]
    assert len(ModelExplainer(home).explain(complaint, 1).effects) > 10


def test_repeated_jobs_find_nothing_to_do(spark: SparkSession, former: Tables, home: Settings) -> None:
    before, features = counts(former), former.read(FEATURES, former.version(FEATURES)).drop("feature_model_uri")
    assert "label_source" not in features.columns
    assert refine_complaints.run(spark, home).record_count == 0
    # The pipeline has other stages now, so the features are built once more, and are the same.
    assert build_features.run(spark, home, "baseline").is_new
    assert not build_features.run(spark, home, "baseline").is_new
    rebuilt = former.read(FEATURES)
    added = ("label_source", "label_at")
    renamed = features.withColumn("split", F.regexp_replace("split", "^copy$", "duplicate"))
    assert rebuilt.drop("feature_model_uri", *added).exceptAll(renamed).isEmpty()
    assert rebuilt.columns == [*former.read(FEATURES, 0).columns, *added]
    assert {row["label_source"] for row in rebuilt.select("label_source").distinct().collect()} == {None, "published"}
    assert score_complaints.run(spark, home) == 0
    assert counts(former) == before
    assert [check.statement for check in Summary(DeltaReader(home.warehouse)).conservation if not check.holds] == []
    champion = Summary(DeltaReader(home.warehouse)).champion
    assert champion is not None
    assert (champion.version, champion.is_provisional, len(champion.metrics)) == (1, True, 6)


def test_former_champion_meets_a_new_challenger_once(spark: SparkSession, former: Tables, home: Settings) -> None:
    build_features.run(spark, home, "baseline")
    # Since then, the parts of a model are blended.
    assert [train_model.run(spark, home, "gbt").version for _ in range(2)] == [2, 2]
    first, again = (validate_model.run(spark, home) for _ in range(2))
    assert first == again is not None
    promoted = promote_model.run(spark, home)
    assert (promoted is not None) == (first == GateResult.PASSED)
    assert score_complaints.run(spark, home) == (former.read(COMPLAINTS).count() if promoted else 0)


def test_stream_continues_from_the_former_checkpoint(spark: SparkSession, former: Tables, home: Settings) -> None:
    scored = former.read(PREDICTIONS).where("source = 'delta'").count()
    request = former.read(COMPLAINTS).limit(1).select("complaint_id", *FILED_COLUMNS)
    asked = request.withColumn("requested_at", F.lit(datetime.now(UTC))).coalesce(1)
    # Before and after the tables have gained columns, of which a client of that release knows nothing.
    for number in (1, 2):
        asked.write.format("delta").mode("append").save(str(home.table_folder(REQUESTS)))
        streamed = score_stream.run(spark, home, StreamOptions("delta", available_now=True))
        assert (streamed.request_count, streamed.prediction_count) == (1, 1)
        by_stream = former.read(PREDICTIONS).where("source = 'delta'")
        assert by_stream.count() == scored + number
        assert by_stream.where("date_received IS NULL").count() == scored


def test_former_split_is_renamed_once_and_its_rows_stay(spark: SparkSession, former: Tables, home: Settings) -> None:
    build_features.run(spark, home, "baseline")
    former.alter(FEATURES, "DROP CONSTRAINT IF EXISTS split_is_known")
    former.delta(FEATURES).update("split = 'duplicate'", {"split": F.lit("copy")})
    spark.sql(
        f"ALTER TABLE delta.`{home.table_folder(FEATURES)}` ADD CONSTRAINT split_is_known CHECK "
        "(split IN ('train', 'validate', 'test', 'immature', 'copy', 'unlabelled'))"
    )
    former.delta(FEATURES).update("split = 'unlabelled' AND complaint_id % 2 = 0", {"split": F.lit("copy")})
    before = former.read(FEATURES).drop("split")
    copies, version = former.read(FEATURES).where("split = 'copy'").count(), former.version(FEATURES)
    build_features.run(spark, home, "baseline")
    migrated = former.version(FEATURES)
    build_features.run(spark, home, "baseline")
    assert copies > 100
    assert former.read(FEATURES).where("split = 'duplicate'").count() == copies
    assert former.read(FEATURES).drop("split").exceptAll(before).isEmpty()
    assert (migrated > version, former.version(FEATURES)) == (True, migrated)
    detail = former.delta(FEATURES).detail().collect()[0]["properties"]
    found = detail["delta.constraints.split_is_known"].replace(" ", "")
    assert found == CHECKS[FEATURES]["split_is_known"].replace(" ", "")
