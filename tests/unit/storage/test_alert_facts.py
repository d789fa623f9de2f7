from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from solosolve.alerts.facts import ChampionState, Facts, SetAside, StreamFacts
from solosolve.dashboard.data.answers import Question
from solosolve.loop_settings import LoopSettings
from solosolve.names import (
    DEAD_LETTERS,
    DRIFT_METRICS,
    FEEDBACK_FILES,
    FEEDBACK_TOPIC,
    MODEL_EVENTS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    QUARANTINE,
    REQUESTS,
    STREAM_PROGRESS,
    Table,
)
from solosolve.storage.alert_facts import gather_facts
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.reader import Value
from support.warehouses import (
    NOW,
    append,
    batch,
    dead_letter,
    drift,
    event,
    folder,
    performance,
    prediction,
    quarantined,
)

HOUR = timedelta(hours=1)


@dataclass
class Asked:
    """Answers questions over a warehouse, and keeps those that have an answer."""

    warehouse: Path
    questions: list[Question] = field(default_factory=list)

    def __call__(self, sql: str, tables: tuple[Table, ...], values: Mapping[str, Value], **folds: Any) -> pa.Table:
        answer = DeltaReader(self.warehouse).query(sql, values)
        self.questions.append(Question(sql, tables, tuple(values.items()), **folds))
        return answer

    def facts(self) -> Facts:
        return gather_facts(self, LoopSettings(), (), NOW)


def streams(warehouse: Path) -> tuple[StreamFacts, ...]:
    return Asked(warehouse).facts().streams


def champion(warehouse: Path) -> ChampionState:
    found = Asked(warehouse).facts().champion
    assert found is not None
    return found


def test_requests_that_a_kafka_stream_keeps_do_not_wait_for_the_delta_stream(tmp_path: Path) -> None:
    kept = [{"complaint_id": number, "requested_at": NOW - HOUR, "source": "kafka"} for number in (1, 2)]
    append(tmp_path, REQUESTS, kept)
    append(tmp_path, STREAM_PROGRESS, [batch(1, source="kafka", ended_at=NOW - HOUR, lag=0)])
    assert streams(tmp_path) == (StreamFacts("delta", None), StreamFacts("kafka", NOW - HOUR))
    append(tmp_path, REQUESTS, [{"complaint_id": 3, "requested_at": NOW - 2 * HOUR}])
    assert streams(tmp_path)[0] == StreamFacts("delta", None, 1, NOW - 2 * HOUR)


def test_requests_of_an_earlier_release_have_no_source_and_wait(tmp_path: Path) -> None:
    rows = pa.table({"complaint_id": [1], "requested_at": pa.array([NOW - HOUR], pa.timestamp("us", "UTC"))})
    write_deltalake(folder(tmp_path, REQUESTS), rows)
    assert streams(tmp_path) == (StreamFacts("delta", None, 1, NOW - HOUR),)


def test_stream_without_progress_has_answered_what_it_scored_or_refused(tmp_path: Path) -> None:
    append(tmp_path, REQUESTS, [{"complaint_id": number, "requested_at": NOW - number * HOUR} for number in (1, 3)])
    append(tmp_path, PREDICTIONS, [prediction(3, requested_at=NOW - 3 * HOUR, scored_at=NOW - 3 * HOUR)])
    letters = [dead_letter("a", "x", topic="t"), dead_letter("b", "x", topic=str(REQUESTS), failed_at=NOW - 2 * HOUR)]
    append(tmp_path, DEAD_LETTERS, letters)
    assert streams(tmp_path) == (StreamFacts("delta", NOW - 2 * HOUR, 1, NOW - HOUR),)


@pytest.mark.parametrize("has_predictions", [False, True])
def test_dead_letters_of_feedback_are_counted_apart(tmp_path: Path, has_predictions: bool) -> None:
    if has_predictions:
        append(tmp_path, PREDICTIONS, [prediction(1, source="replay", source_position="a")])
    append(tmp_path, DEAD_LETTERS, [
        dead_letter("a", "no state"), dead_letter("b", "no state", failed_at=NOW - HOUR),
        dead_letter("c", "not JSON", topic=FEEDBACK_TOPIC, failed_at=NOW - 2 * HOUR),
        dead_letter("d", "not JSON", topic=FEEDBACK_FILES), dead_letter("e", "x", topic=FEEDBACK_FILES,
                                                                        failed_at=NOW - 26 * HOUR),
    ])  # fmt: skip
    found = Asked(tmp_path).facts()
    count = 1 if has_predictions else 2
    assert found.dead_letters == SetAside(count, NOW - HOUR, "no state", count)
    assert found.refused_feedback == SetAside(2, NOW - 2 * HOUR, "not JSON", 2)


def test_drift_is_that_of_the_newest_window_that_was_measured(tmp_path: Path) -> None:
    append(tmp_path, MODEL_EVENTS, [event(2, "promoted", 0, "champion")])
    append(tmp_path, DRIFT_METRICS, [drift("state", 2, 0.3), drift("state", 1, 0.3), drift("tags", 1, 0.01)])
    append(tmp_path, DRIFT_METRICS, [drift("state", 0, None), drift("tags", 0, None)])
    drifted = champion(tmp_path)
    assert (drifted.drifted, drifted.drift_until) == (("state",), drift("state", 1, 0.3)["window_end"])
    append(tmp_path, DRIFT_METRICS, [drift("state", -1, 0.01), drift("tags", -1, None)])
    assert champion(tmp_path).drifted == ()


def test_performance_is_that_of_the_newest_window_with_enough_labels(tmp_path: Path) -> None:
    append(tmp_path, MODEL_EVENTS, [event(2, "promoted", 0, "champion")])
    append(tmp_path, MODEL_PERFORMANCE, [performance("auc", 0, None)])
    assert champion(tmp_path).auc_high is None
    of_segment = performance("auc", 0, 0.9, segment="state", segment_value="CA")
    append(tmp_path, MODEL_PERFORMANCE, [performance("auc", 2, 0.7), performance("auc", 1, 0.5), of_segment])
    found = champion(tmp_path)
    assert (found.auc_high, found.labels_until) == (0.55, performance("auc", 1, 0.5)["window_end"])


@pytest.mark.parametrize("last", [None, NOW - 9 * HOUR])
def test_answers_over_one_growing_table_are_folded_from_its_parts(tmp_path: Path, last: Any) -> None:
    parts: list[dict[Table, list[dict[str, Any]]]] = [
        {
            REQUESTS: [{"complaint_id": number, "requested_at": NOW - number * HOUR}],
            DEAD_LETTERS: [dead_letter(str(number), "x", failed_at=NOW - number * HOUR),
                           dead_letter(f"f{number}", f"{number}", topic=FEEDBACK_TOPIC)],
            QUARANTINE: [quarantined(f"{number}"), quarantined("x", _ingested_at=NOW - number * HOUR)],
        }
        for number in (1, 2)
    ]  # fmt: skip
    if last:
        for part in parts:
            part[STREAM_PROGRESS] = [batch(1, ended_at=last)]
    whole, both = Asked(tmp_path / "whole"), [Asked(tmp_path / "1"), Asked(tmp_path / "2")]
    for part, asked in zip(parts, both, strict=True):
        for table, rows in part.items():
            append(whole.warehouse, table, rows)
            append(asked.warehouse, table, rows)
    whole.facts()
    foldable = [question for question in whole.questions if question.is_foldable]
    # Letters, feedback, quarantine and requests; without progress, also what was refused last.
    assert len(foldable) == (4 if last else 5)
    for question in foldable:
        values = dict(question.parameters)
        known, new = (DeltaReader(asked.warehouse).query(question.sql, values) for asked in both)
        expected = DeltaReader(whole.warehouse).query(question.sql, values).to_pylist()
        assert sorted(question.fold(known, new).to_pylist(), key=str) == sorted(expected, key=str)
