"""The statements behind the panels: one function a question, in SQL that DataFusion and Databricks both take."""

from __future__ import annotations

from collections import Counter
from typing import Any

from solosolve.dashboard.data.answers import Question, ask_where
from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.names import (
    CHAMPION,
    DEAD_LETTERS,
    FEEDBACK,
    MODEL_EVENTS,
    MODEL_METRICS,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    STREAM_PROGRESS,
    TEST_SCORES,
)

SCORE_BINS = 100
"""Bins of equal width that predictions are counted in."""

TEST_BINS = 1_000
"""Bins of equal width that the test split's probabilities are counted in."""

CURRENT_VERDICTS = (
    f"(select * from {FEEDBACK} where verdict <> 'withdrawn' and feedback_id not in "
    f"(select feedback_id from {FEEDBACK} where verdict = 'withdrawn'))"
)
"""Rows of `silver.feedback` that nobody took back."""


def chosen_predictions(filters: Filters) -> Condition:
    """Which rows of `gold.predictions` a page is about."""
    return filters.in_period("scored_at") & filters.in_segment() & filters.of_model()


def prediction_span(filters: Filters) -> Question:
    """`n` predictions, `first_at` and `last_at`."""
    select = "count(*) as n, min(scored_at) as first_at, max(scored_at) as last_at"
    condition = chosen_predictions(filters)
    return ask_where(select, PREDICTIONS, condition, sums=("n",), lowest=("first_at",), highest=("last_at",))


def predictions_by(column: str, filters: Filters) -> Question:
    """`column`, `prediction` and `n`; the column is one of the table's, never a browser's word."""
    select = f"{column}, prediction, count(*) as n"
    return ask_where(select, PREDICTIONS, chosen_predictions(filters), "group by 1, 2", sums=("n",))


def predictions_over_time(unit: str, filters: Filters) -> Question:
    """`at` (the beginning of a minute, hour, day or week), `prediction` and `n`."""
    select = f"date_trunc('{unit}', scored_at) as at, prediction, count(*) as n"
    return ask_where(select, PREDICTIONS, chosen_predictions(filters), "group by 1, 2", sums=("n",))


def score_distribution(filters: Filters) -> Question:
    """`model_version`, `bin` (hundredths of probability, 0 to 99) and `n`."""
    select = f"model_version, {_bin(SCORE_BINS)} as bin, count(*) as n"
    return ask_where(select, PREDICTIONS, chosen_predictions(filters), "group by 1, 2", sums=("n",))


def streamed(filters: Filters) -> Question:
    """`source` and `n` predictions, of what streams scored."""
    condition = chosen_predictions(filters) & Condition("batch_id is not null")
    return ask_where("source, count(*) as n", PREDICTIONS, condition, "group by 1", sums=("n",))


def test_scores(version: int, filters: Filters) -> Question:
    """`bin` (thousandths of probability, 0 to 999), `label` and `n` of a version's test split."""
    condition = Condition("model_version = :version", (("version", version),)) & filters.in_segment()
    select = f"{_bin(TEST_BINS)} as bin, is_successful_resolution as label, count(*) as n"
    return ask_where(select, TEST_SCORES, condition, "group by 1, 2", sums=("n",))


def test_scores_by(column: str, version: int, filters: Filters) -> Question:
    """`value` of a column and `n`: what a version was tested on."""
    condition = Condition("model_version = :version", (("version", version),)) & filters.in_segment()
    return ask_where(f"{column} as value, count(*) as n", TEST_SCORES, condition, "group by 1", sums=("n",))


def ledger(filters: Filters) -> Question:
    """All events of the model ledger in the period, newest first."""
    columns = "event_at, model_version, event, alias, actor, evidence"
    condition = filters.in_period("event_at") & filters.of_model()
    return ask_where(columns, MODEL_EVENTS, condition, "order by event_at desc limit 200")


def champions() -> Question:
    """`model_version`, `event`, `event_at`: which versions were champion, newest first."""
    condition = Condition(f"alias = '{CHAMPION}'")
    return ask_where("model_version, event, event_at", MODEL_EVENTS, condition, "order by event_at desc limit 50")


def metrics() -> Question:
    """Every metric of every version on every split."""
    return ask_where("*", MODEL_METRICS, Condition(), "order by trained_at desc, model_version desc")


def stream_batches(filters: Filters) -> Question:
    """The newest batches of the stream, newest first."""
    columns = (
        "ended_at, source, batch_id, model_version, request_count, dead_letter_count, batch_seconds, "
        "latency_p99_seconds, lag"
    )
    condition = filters.in_period("ended_at") & filters.of_model()
    return ask_where(columns, STREAM_PROGRESS, condition, "order by ended_at desc limit 600")


def quarantined(filters: Filters) -> Question:
    """`reason` and `n` records that could not be read."""
    condition = filters.in_period("_ingested_at")
    return ask_where("_reason as reason, count(*) as n", QUARANTINE, condition, "group by 1", sums=("n",))


def rejected(filters: Filters) -> Question:
    """`reason` (the failed rules) and `n` complaints."""
    condition = filters.in_period("_ingested_at") & filters.in_segment()
    select = "array_join(failed_rules, ', ') as reason, count(*) as n"
    return ask_where(select, REJECTED, condition, "group by 1", sums=("n",))


def dead_letters(filters: Filters) -> Question:
    """`reason` and `n` messages that could not be read."""
    condition = filters.in_period("failed_at")
    return ask_where("reason, count(*) as n", DEAD_LETTERS, condition, "group by 1", sums=("n",))


def feedback(filters: Filters) -> Question:
    """`model_version`, `is_successful_resolution` and `probability` of each verdict that says one or the other."""
    condition = filters.in_period("given_at") & filters.in_segment() & filters.of_model()
    sql = (
        f"select model_version, is_successful_resolution, probability from {CURRENT_VERDICTS} as verdicts "
        f"where {condition.sql} and is_successful_resolution is not null and probability is not null"
    )
    return Question(sql, (FEEDBACK,), condition.parameters)


def totals(rows: list[dict[str, Any]], column: str) -> Counter[str]:
    """Predictions a value, of an answer to `predictions_by`; an empty name stands for none."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[column] or ""] += row["n"]
    return counts


def _bin(count: int) -> str:
    return f"least(cast(floor(probability * {count}) as int), {count - 1})"
