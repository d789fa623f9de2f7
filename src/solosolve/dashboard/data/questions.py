"""The questions that panels ask: one function each, in SQL that both DataFusion and Databricks accept."""

from __future__ import annotations

from collections import Counter
from typing import Any

from solosolve.dashboard.data.answers import Question, ask_where
from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.names import (
    DEAD_LETTERS,
    DRIFT_METRICS,
    FEEDBACK,
    LANDINGS,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    STREAM_PROGRESS,
    TEST_SCORES,
)
from solosolve.storage.feedback import CURRENT_VERDICTS

SCORE_BINS = 100
"""Bins of equal width that predictions are counted in, by probability."""

TEST_BINS = 1_000
"""Bins of equal width that test complaints are counted in, by probability."""


_STREAMED = Condition("batch_id is not null")


def matching_predictions(filters: Filters) -> Condition:
    """Returns the condition that a row of `gold.predictions` passes the filters."""
    return filters.in_period("scored_at") & filters.in_segment() & filters.when_received() & filters.of_model()


def prediction_spans(filters: Filters) -> Question:
    """Asks for `is_arrival` (whether a stream scored them) and when they were scored: `first_at` and `last_at`."""
    select = "batch_id is not null as is_arrival, min(scored_at) as first_at, max(scored_at) as last_at"
    condition = matching_predictions(filters)
    return ask_where(select, PREDICTIONS, condition, "group by 1", lowest=("first_at",), highest=("last_at",))


def predictions_by(column: str, filters: Filters) -> Question:
    """Asks for `column`, `prediction` and their number `n`; the column must never come from a browser."""
    select = f"{column}, prediction, count(*) as n"
    return ask_where(select, PREDICTIONS, matching_predictions(filters), "group by 1, 2", sums=("n",))


def predictions_over_time(unit: str, filters: Filters, *, is_arrival: bool) -> Question:
    """Asks for `at` (the start of a second, minute, hour, day or week), `prediction` and their number `n`.

    Args:
        unit: The unit of `at`.
        filters: The filters in force.
        is_arrival: Whether to count what streams scored, or else what batches scored.
    """
    select = f"date_trunc('{unit}', scored_at) as at, prediction, count(*) as n"
    condition = matching_predictions(filters) & (_STREAMED if is_arrival else Condition("batch_id is null"))
    return ask_where(select, PREDICTIONS, condition, "group by 1, 2", sums=("n",))


def score_distribution(filters: Filters) -> Question:
    """Asks for `model_version`, `bin` (hundredths of probability, 0 to 99) and their number `n`."""
    select = f"model_version, {_bin(SCORE_BINS)} as bin, count(*) as n"
    return ask_where(select, PREDICTIONS, matching_predictions(filters), "group by 1, 2", sums=("n",))


def streamed_predictions(filters: Filters) -> Question:
    """Asks for `source` and `n`, the number of predictions that a stream wrote."""
    condition = matching_predictions(filters) & _STREAMED
    return ask_where("source, count(*) as n", PREDICTIONS, condition, "group by 1", sums=("n",))


def test_split_scores(version: int, filters: Filters) -> Question:
    """Asks for `bin` (thousandths of probability, 0 to 999), `label` and `n` in a version's test split."""
    select = f"{_bin(TEST_BINS)} as bin, is_successful_resolution as label, count(*) as n"
    return ask_where(select, TEST_SCORES, _test_split(version, filters), "group by 1, 2", sums=("n",))


def test_labels(version: int, filters: Filters) -> Question:
    """Asks for `complaint_id` and `label` of each complaint in a version's test split."""
    select = "complaint_id, is_successful_resolution as label"
    return ask_where(select, TEST_SCORES, _test_split(version, filters))


def landed_files() -> Question:
    """Asks for `source_file`, the paths of all landed files."""
    return ask_where("distinct source_file", LANDINGS, Condition())


def drift_windows(version: int, filters: Filters) -> Question:
    """Asks for a version's features in the windows that start in the period, newest window first."""
    columns = "window_start, window_end, feature, state, is_alarm, psi, p_value, record_count"
    condition = Condition("model_version = :version", (("version", version),)) & filters.in_period("window_start")
    return ask_where(columns, DRIFT_METRICS, condition, "order by window_end desc, window_start, feature limit 2000")


def performance_by_window(version: int, filters: Filters, segment: str, value: str) -> Question:
    """Asks for a version's metrics on one segment in the windows that start in the period, newest window first."""
    columns = (
        "window_start, window_end, state, metric, value, value_low, value_high, label_count, record_count, "
        "label_delay_days"
    )
    parameters = (("version", version), ("segment", segment), ("segment_value", value))
    of_segment = "model_version = :version and segment = :segment and segment_value = :segment_value"
    condition = Condition(of_segment, parameters) & filters.in_period("window_start")
    return ask_where(columns, MODEL_PERFORMANCE, condition, "order by window_end desc, window_start, metric limit 1000")


def measured_segments(version: int) -> Question:
    """Asks for `segment` and `segment_value` of every part of the complaints that a window of the version measured."""
    condition = Condition("model_version = :version and state = 'ok'", (("version", version),))
    return ask_where("distinct segment, segment_value", MODEL_PERFORMANCE, condition, "order by 1, 2")


def trainings(version: int) -> Question:
    """Asks for the `evidence` of a version's training, the newest first."""
    condition = Condition("model_version = :version and event = 'trained'", (("version", version),))
    return ask_where("evidence", MODEL_EVENTS, condition, "order by event_at desc limit 1")


def model_history() -> Question:
    """Asks for the newest 2,000 events of the model ledger that are no checks of the loop, oldest first."""
    columns = "event_at, model_version, event, alias, actor, evidence"
    newest = f"select {columns} from {MODEL_EVENTS} where event <> 'retrain_checked' order by event_at desc limit 2000"
    return Question(f"select * from ({newest}) as newest order by event_at", (MODEL_EVENTS,))


def model_events(filters: Filters) -> Question:
    """Asks for the newest 200 events of the model ledger in the period, newest first."""
    columns = "event_at, model_version, event, alias, actor, evidence"
    condition = filters.in_period("event_at") & filters.of_model()
    return ask_where(columns, MODEL_EVENTS, condition, "order by event_at desc limit 200")


def model_metrics() -> Question:
    """Asks for every metric of every version on every split, newest version first."""
    return ask_where("*", MODEL_METRICS, Condition(), "order by trained_at desc, model_version desc")


def stream_batches(filters: Filters) -> Question:
    """Asks for the newest 600 batches of the streams, newest first."""
    columns = (
        "ended_at, source, batch_id, model_version, request_count, dead_letter_count, batch_seconds, "
        "latency_p99_seconds, lag"
    )
    condition = filters.in_period("ended_at") & filters.of_model()
    return ask_where(columns, STREAM_PROGRESS, condition, "order by ended_at desc limit 600")


def quarantined(filters: Filters) -> Question:
    """Asks for `reason` and `n`, the number of records that could not be read."""
    condition = filters.in_period("_ingested_at")
    return ask_where("_reason as reason, count(*) as n", QUARANTINE, condition, "group by 1", sums=("n",))


def rejected(filters: Filters) -> Question:
    """Asks for `reason` (the failed rules) and `n`, the number of rejected complaints."""
    condition = filters.in_period("_ingested_at") & filters.in_segment()
    select = "array_join(failed_rules, ', ') as reason, count(*) as n"
    return ask_where(select, REJECTED, condition, "group by 1", sums=("n",))


def dead_letters(filters: Filters) -> Question:
    """Asks for `reason` and `n`, the number of messages that could not be read."""
    condition = filters.in_period("failed_at")
    return ask_where("reason, count(*) as n", DEAD_LETTERS, condition, "group by 1", sums=("n",))


def feedback(filters: Filters) -> Question:
    """Asks for `model_version`, `is_successful_resolution` and `probability` of each verdict of success or failure."""
    condition = filters.in_period("given_at") & filters.in_segment() & filters.of_model()
    sql = (
        f"select model_version, is_successful_resolution, probability from {CURRENT_VERDICTS} as verdicts "
        f"where {condition.sql} and is_successful_resolution is not null and probability is not null"
    )
    return Question(sql, (FEEDBACK,), condition.parameters)


def verdict_count() -> Question:
    """Asks for `n`, the number of verdicts of any kind that stand."""
    return Question(f"select count(*) as n from {CURRENT_VERDICTS} as verdicts", (FEEDBACK,))


def totals(rows: list[dict[str, Any]], column: str) -> Counter[str]:
    """Sums the rows of `predictions_by` to one total per value; the empty string means null."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[column] or ""] += row["n"]
    return counts


def _test_split(version: int, filters: Filters) -> Condition:
    """The condition that a row of `gold.test_scores` is of a version and a segment."""
    of_version = Condition("model_version = :version", (("version", version),))
    return of_version & filters.in_segment() & filters.when_received()


def _bin(count: int) -> str:
    return f"least(cast(floor(probability * {count}) as int), {count - 1})"
