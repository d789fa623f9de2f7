from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from solosolve.local.summary import Conservation, Summary
from solosolve.names import (
    CHECKPOINTS,
    DEAD_LETTERS,
    FEATURES,
    LANDINGS,
    MODEL_EVENTS,
    MODEL_METRICS,
    PREDICTIONS,
    REQUESTS,
    THRESHOLD_METRIC,
    Table,
)
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, event, metric

STATEMENT = "requests in the table = their predictions + their dead letters"


def write(warehouse: Path, table: Table, **columns: list[object]) -> None:
    write_deltalake(warehouse / table.layer / table.name, pa.table(columns))


WAITING = "are waiting for the stream, or are older than a stream started with starting=latest"


def at(hour: int) -> datetime:
    return datetime(2026, 1, 1, hour, tzinfo=UTC)


def write_bindings(warehouse: Path, *bindings: tuple[str, int]) -> None:
    """Records from which hour on the stream read the table with each id; until then, another stream read a topic."""
    ids, hours = zip(("topic", 0), *bindings, strict=True)
    write(
        warehouse,
        CHECKPOINTS,
        stream=["score_stream_kafka", *("score_stream_delta" for _ in bindings)],
        source_id=[f"bronze.inference_requests ({table_id})" for table_id in ids],
        bound_at=[at(hour) for hour in hours],
    )


@pytest.mark.parametrize(("requests", "holds"), [(3, True), (5, True), (2, False)])
def test_requests_are_answered_or_waiting_for_the_stream(tmp_path: Path, requests: int, holds: bool) -> None:
    reader = DeltaReader(tmp_path)
    write(tmp_path, REQUESTS, complaint_id=list(range(requests)))
    write_bindings(tmp_path, (reader.table_id(REQUESTS), 1))
    # Predictions from a topic, a batch or a replay answer no request in the table.
    write(tmp_path, PREDICTIONS, source=["delta", "delta", "kafka", "batch", "replay"], scored_at=[at(1)] * 5)
    topics = ["bronze.inference_requests", "consumer-complaints-inference-requests"]
    write(tmp_path, DEAD_LETTERS, topic=topics, failed_at=[at(2)] * 2)
    (check,) = Summary(reader).conservation
    assert check == Conservation(STATEMENT, requests, 3, WAITING)
    assert check.holds is holds


def test_requests_that_were_kept_with_their_predictions_do_not_wait(tmp_path: Path) -> None:
    reader = DeltaReader(tmp_path)
    write(tmp_path, REQUESTS, complaint_id=[1, 2, 3, 4, 5], source=["kafka", "delta", None, "a branch", "replay"])
    write_bindings(tmp_path, (reader.table_id(REQUESTS), 1))
    write(tmp_path, PREDICTIONS, source=["delta", "kafka"], scored_at=[at(1)] * 2)
    write(tmp_path, DEAD_LETTERS, topic=["bronze.inference_requests"], failed_at=[at(2)])
    (check,) = Summary(reader).conservation
    assert check == Conservation(STATEMENT, 3, 2, WAITING)


def test_answers_to_requests_of_a_replaced_table_do_not_count(tmp_path: Path) -> None:
    reader = DeltaReader(tmp_path)
    write(tmp_path, REQUESTS, complaint_id=[1])
    write_bindings(tmp_path, ("a-former-table", 1), (reader.table_id(REQUESTS), 3), ("another", 5))
    write(tmp_path, PREDICTIONS, source=["delta"] * 5, scored_at=[at(hour) for hour in (1, 2, 4, 5, 6)])
    write(tmp_path, DEAD_LETTERS, topic=["bronze.inference_requests"] * 2, failed_at=[at(1), at(2)])
    (check,) = Summary(reader).conservation
    assert check == Conservation(STATEMENT, 1, 1, WAITING)


def test_requests_are_not_checked_before_the_stream_has_run(tmp_path: Path) -> None:
    write(tmp_path, REQUESTS, complaint_id=[1])
    assert Summary(DeltaReader(tmp_path)).conservation == []


@pytest.mark.parametrize(("threshold", "recall", "share"), [(0.8, 1.0, 1.0), (0.6, 0.0, 0.0), (None, 0.0, 0.0)])
def test_prior_is_measured_at_the_threshold_of_the_champion(
    tmp_path: Path, threshold: float | None, recall: float, share: float
) -> None:
    trained = event(2, "trained", 0, prior=0.7, label_count=2_000, feature_model_uri="runs:/a/encoder.json")
    append(tmp_path, MODEL_EVENTS, [trained, event(2, "promoted", 1, "champion", replaces=None)])
    append(
        tmp_path,
        FEATURES,
        [
            {"complaint_id": number, "date_received": at(1).date(), "split": "test", "features": [1.0],
             "is_successful_resolution": float(number > 3), "feature_model_uri": "runs:/a/encoder.json"}
            for number in range(1, 11)
        ],
    )  # fmt: skip
    write(tmp_path, LANDINGS, source_file=["complaints.csv"])
    measured = [metric(2, "test", name, 0.5) for name in ("failure_recall", "review_share")]
    append(tmp_path, MODEL_METRICS, measured)
    if threshold is not None:
        append(tmp_path, MODEL_METRICS, [metric(2, "test", THRESHOLD_METRIC, threshold)])
    champion = Summary(DeltaReader(tmp_path)).champion
    assert champion is not None
    assert champion.threshold == (threshold or 0.5)
    assert {each.name: each.prior for each in champion.metrics} == {"failure_recall": recall, "review_share": share}
