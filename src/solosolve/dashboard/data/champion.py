"""Which version a page shows, and how versions did on their test split: the one place that its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.counted_scores import Scores
from solosolve.dashboard.data.filters import Filters
from solosolve.errors import NotYetError
from solosolve.model.evaluation import Estimate
from solosolve.names import MODEL_EVENTS, SPLITS, TEST, THRESHOLD, THRESHOLD_METRIC
from solosolve.storage.champions import CHAMPION_EVENTS_SQL, CurrentChampion


@dataclass(frozen=True)
class TrainedVersion:
    """What training recorded about one model version.

    Attributes:
        metrics: Metric to its value and interval on the test split.
        threshold: Probability from which it predicts success.
        record_counts: Split to the number of its complaints, in the order of time.
        trained_at: When it was trained.
        training_seconds: How long the trees took to fit.
    """

    metrics: dict[str, Estimate]
    threshold: float
    record_counts: dict[str, int]
    trained_at: datetime
    training_seconds: float


@dataclass(frozen=True)
class MeasuredVersion:
    """How a version does on the test complaints of a segment, at a threshold.

    Attributes:
        version: The version.
        threshold: Probability from which it predicts success.
        scores: The complaints, counted by outcome and probability.
        estimates: Metric to its value and 95 % interval; empty if the complaints do not have both outcomes.
    """

    version: int
    threshold: float
    scores: Scores
    estimates: dict[str, Estimate]


def current_champion(answers: Answers) -> CurrentChampion:
    """Returns the champion and the version before it.

    Raises:
        NoChampionError: No model has been promoted.
    """
    return CurrentChampion.from_events(answers.ask(Question(CHAMPION_EVENTS_SQL, (MODEL_EVENTS,))))


def selected_version(answers: Answers, filters: Filters) -> int:
    """Returns the model version that a page shows: the one in the filters, or else the champion.

    Raises:
        NoChampionError: The filters name no version, and no model has been promoted.
    """
    return filters.model_version if filters.model_version is not None else current_champion(answers).version


def trained_versions(answers: Answers) -> dict[int, TrainedVersion]:
    """Returns every version that has metrics, newest first.

    Raises:
        NotYetError: No version has been trained.
    """
    by_version: dict[int, list[dict[str, Any]]] = {}
    for row in answers.ask(questions.model_metrics()).to_pylist():
        by_version.setdefault(row["model_version"], []).append(row)
    return {version: _trained_version(rows) for version, rows in by_version.items()}


def threshold_of(answers: Answers, version: int) -> float:
    """Returns the probability from which a version predicts success."""
    try:
        found = trained_versions(answers).get(version)
    except NotYetError:
        found = None
    return found.threshold if found else THRESHOLD


def _trained_version(rows: list[dict[str, Any]]) -> TrainedVersion:
    """Builds a version from its rows in `gold.model_metrics`, newest first."""
    counts = {row["split"]: row["record_count"] for row in rows}
    newest = rows[0]
    metrics = {row["metric"]: _interval(row) for row in rows if row["split"] == TEST}
    threshold = metrics.pop(THRESHOLD_METRIC, None)
    return TrainedVersion(
        metrics=metrics,
        threshold=threshold.value if threshold else THRESHOLD,
        record_counts={split: counts[split] for split in SPLITS if split in counts},
        trained_at=newest["trained_at"],
        training_seconds=newest["training_seconds"],
    )


def _interval(row: dict[str, Any]) -> Estimate:
    """Returns the metric's interval; a metric that was written without one gets an interval of zero width."""
    low, high = (row["value"] if row[name] is None else row[name] for name in ("value_low", "value_high"))
    return Estimate(row["value"], low, high)


def scores_on_test_split(answers: Answers, version: int, filters: Filters) -> Scores:
    """Counts a version's test complaints in the selected segment by probability.

    Raises:
        NotYetError: No version has been tested.
    """
    return Scores.of(answers.ask(questions.test_split_scores(version, filters)))


def measure_version(
    answers: Answers, version: int, filters: Filters, threshold: float | None = None
) -> MeasuredVersion:
    """Measures a version on its test complaints in the selected segment.

    Every number of a version's quality comes from here, so that a page never shows two values or two intervals for one
    number: those that training recorded where it did, at the version's own threshold on the whole test split, and
    otherwise those of the counted complaints.

    Args:
        answers: Answers from the tables.
        version: The version.
        filters: The segment.
        threshold: Probability from which success is predicted; the version's own when None.

    Raises:
        NotYetError: No version has been tested.
    """
    scores = scores_on_test_split(answers, version, filters)
    trained = trained_versions(answers).get(version)
    own = trained.threshold if trained else THRESHOLD
    chosen = own if threshold is None else threshold
    if trained and chosen == own and not filters.has_segment:
        estimates = trained.metrics
    else:
        estimates = scores.measure(chosen) if scores.has_both else {}
    return MeasuredVersion(version, chosen, scores, estimates)
