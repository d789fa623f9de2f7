"""Features with resolved labels: of pinned versions, as of a time, and trained and tested on feedback too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import mlflow
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from solosolve.clock import virtual_time
from solosolve.flows import build_features, validate_model
from solosolve.flows.build_features import Built
from solosolve.names import COMPLAINTS, FEATURES, FEEDBACK, Verdict
from solosolve.schemas import SCHEMAS
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from support.builders import complaints
from support.warehouses import feedback

FIRST_DAY = date(2016, 1, 1)
PUBLISHED = range(1, 101)
"""Complaints with a published outcome, received on days 1 to 100."""
LATE = range(101, 121)
"""Complaints without one, received 3,000 days later."""


def given(number: int, verdict: Verdict, at: datetime | None = None, **overrides: Any) -> dict[str, Any]:
    given_at = at or datetime(2026, 5, 1, tzinfo=UTC)
    return feedback(f"f{number}", complaint_id=number, verdict=verdict, given_at=given_at, **overrides).as_row()


def add_feedback(tables: Tables, *rows: dict[str, Any]) -> None:
    schema = SCHEMAS[FEEDBACK]
    write_deltalake(tables.settings.table_folder(FEEDBACK), pa.Table.from_pylist(list(rows), schema), mode="append")


def build(tables: Tables) -> Built:
    return build_features.run(tables.spark, tables.settings, "baseline")


def features(tables: Tables) -> dict[int, dict[str, Any]]:
    sql = f"select * from {FEATURES}"
    return {row["complaint_id"]: row for row in DeltaReader(tables.settings.warehouse).query(sql).to_pylist()}


@pytest.fixture(scope="module")
def silver(spark: SparkSession) -> Any:
    rows = [
        {
            "complaint_id": number,
            "date_received": FIRST_DAY + timedelta(days=number + (3_000 if number in LATE else 0)),
            "is_successful_resolution": float(number % 3 > 0) if number in PUBLISHED else None,
            "consumer_complaint_narrative": f"They lost payment {number} of {number % 7}.",
        }
        for number in [*PUBLISHED, *LATE]
    ]
    return complaints(spark, *rows)


@pytest.fixture
def refined(tables: Tables, silver: Any) -> Tables:
    tables.append(COMPLAINTS, silver)
    return tables


def test_features_follow_the_labels_as_feedback_comes_in(refined: Tables) -> None:
    first = build(refined)
    published = features(refined)
    assert {row["label_source"] for number, row in published.items() if number in PUBLISHED} == {"published"}
    assert {row["split"] for number, row in published.items() if number in LATE} == {"unlabelled"}
    assert published[1]["label_at"] == datetime(2016, 1, 2, tzinfo=UTC) + timedelta(days=60)

    # A table without rows changes nothing, and the features are not built again.
    DeltaTable.create(refined.settings.table_folder(FEEDBACK), SCHEMAS[FEEDBACK])
    assert build(refined) == Built(first.feature_model_uri, 120, is_new=False)
    assert features(refined) == published

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    add_feedback(
        refined,
        given(1, Verdict.SUCCESS),
        given(100, Verdict.FAILURE, source="event"),
        *(given(number, Verdict.SUCCESS) for number in range(101, 115)),
        given(115, Verdict.FAILURE, at=tomorrow),
    )
    second = build(refined)
    labelled = features(refined)
    assert second.is_new
    assert labelled[1]["is_successful_resolution"] == 1.0
    assert labelled[1]["label_source"] == "review"
    assert (labelled[100]["is_successful_resolution"], labelled[100]["label_source"]) == (0.0, "event")
    # Mature: 40 published labels, one of them overruled, the event on day 100, and 14 verdicts.
    splits = {number: row["split"] for number, row in labelled.items()}
    assert [splits[number] for number in (1, 33, 34, 40, 41, 99, 100, 103, 104, 114, 115)] == [
        "train", "train", "validate", "validate", "immature", "immature", "validate", "validate", "test", "test",
        "unlabelled",
    ]  # fmt: skip
    run = mlflow.get_run(second.feature_model_uri.split("/")[1])
    assert run.data.tags["silver_version"] == str(refined.version(COMPLAINTS))
    assert run.data.tags["feedback_version"] == str(refined.version(FEEDBACK))
    assert datetime.fromisoformat(run.data.tags["labels_as_of"]).tzinfo is not None
    assert not build(refined).is_new

    # The tables are the same, but the verdict on complaint 115 has been given by then.
    with virtual_time(tomorrow + timedelta(hours=1)):
        assert build(refined).is_new
        assert features(refined)[115]["split"] == "test"
        assert not build(refined).is_new

    # The gate scores the resolved labels of the test split, which silver does not have.
    frozen = validate_model.frozen_slice(refined).select("complaint_id", "is_successful_resolution").collect()
    tested = {number for number, row in features(refined).items() if row["split"] == "test"}
    assert {row["complaint_id"] for row in frozen} == tested
    assert {row["is_successful_resolution"] for row in frozen} == {0.0, 1.0}


def test_feedback_alone_is_enough_to_build_features(tables: Tables, silver: Any) -> None:
    tables.append(COMPLAINTS, silver.where("complaint_id > 100"))
    assert build(tables) == Built("", 0, is_new=False)
    log = DeltaFeedback(tables.settings)
    for number in LATE:
        log.record(feedback(f"f{number}", complaint_id=number))
    assert build(tables).is_new
    assert {row["split"] for row in features(tables).values()} == {"train", "validate", "test"}
    assert Registry(tables.settings).find("champion") is None
