"""Which model is champion, which was before it, and what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.test_scores import Interval, Scores

SHOWN_METRICS = {"accuracy": "Accuracy", "weighted_precision": "Precision", "f1": "F1", "auc": "AUC"}


@dataclass(frozen=True)
class Standing:
    """The champion and its predecessor.

    Attributes:
        version: The champion.
        is_provisional: Whether it does not beat the prior.
        previous: The version that was champion before it.
    """

    version: int
    is_provisional: bool
    previous: int | None


@dataclass(frozen=True)
class Trained:
    """A version as it was trained.

    Attributes:
        metrics: Metric to value and interval on the test split.
        test_count: Complaints of the test split.
        record_count: Complaints of all splits.
        trained_at: When.
        training_seconds: How long the trees took.
    """

    metrics: dict[str, Interval]
    test_count: int
    record_count: int
    trained_at: datetime
    training_seconds: float


def standing(answers: Answers) -> Standing:
    """The champion and its predecessor.

    Raises:
        NotYetError: No model has been promoted.
    """
    events = answers.ask(questions.champions()).to_pylist()
    if not events:
        raise NotYetError("no model is champion yet; run: solosolve run train_model")
    version = events[0]["model_version"]
    others = [event["model_version"] for event in events if event["model_version"] != version]
    return Standing(version, events[0]["event"] == "promoted_provisional", others[0] if others else None)


def shown_version(answers: Answers, filters: Filters) -> int:
    """The version that the page is about: the chosen one, else the champion.

    Raises:
        NotYetError: None is chosen, and no model has been promoted.
    """
    return filters.model_version if filters.model_version is not None else standing(answers).version


def trained(answers: Answers) -> dict[int, Trained]:
    """All versions that were measured, newest first."""
    found: dict[int, Trained] = {}
    by_version: dict[int, list[dict[str, Any]]] = {}
    for row in answers.ask(questions.metrics()).to_pylist():
        by_version.setdefault(row["model_version"], []).append(row)
    for version, rows in by_version.items():
        counts = {row["split"]: row["record_count"] for row in rows}
        test = [row for row in rows if row["split"] == "test"]
        newest = rows[0]
        found[version] = Trained(
            metrics={row["metric"]: _interval(row) for row in test},
            test_count=counts.get("test", 0),
            record_count=sum(counts.values()),
            trained_at=newest["trained_at"],
            training_seconds=newest["training_seconds"],
        )
    return found


def _interval(row: dict[str, Any]) -> Interval:
    """The metric; without an interval it is its own."""
    low, high = (row["value"] if row[name] is None else row[name] for name in ("value_low", "value_high"))
    return Interval(row["value"], low, high)


def tested(answers: Answers, version: int, filters: Filters) -> Scores:
    """The version's test complaints of the chosen segment, counted by probability.

    Raises:
        NotYetError: No version has been tested.
    """
    return Scores.of(answers.ask(questions.test_scores(version, filters)))
