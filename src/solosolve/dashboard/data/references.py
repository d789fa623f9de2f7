"""What a version's metrics are held against: the prior, and on made-up complaints the oracle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import MeasuredVersion
from solosolve.dashboard.data.filters import Filters
from solosolve.errors import NotYetError, TableError
from solosolve.model.metrics import measure
from solosolve.storage.sample_truth import true_probabilities, truth_files


def prior_metrics(answers: Answers, measured: MeasuredVersion) -> dict[str, float]:
    """Metrics of the prior, which gives every complaint the success rate of the version's training split.

    So it always predicts the commoner outcome.

    Args:
        answers: Answers from the tables.
        measured: The version on the complaints to measure the prior on.

    Returns:
        Metric to value; empty if the ledger does not know the rate, or the complaints lack an outcome.
    """
    try:
        rows = answers.ask(questions.trainings(measured.version)).to_pylist()
    except NotYetError:
        rows = []
    rate = json.loads(rows[0]["evidence"]).get("prior") if rows else None
    return measured.scores.measure_constant(rate) if rate is not None and measured.scores.has_both else {}


def is_made_up(answers: Answers) -> bool:
    """Whether every landed complaint is made up: every landed file is a sample and still has its truth next to it."""
    try:
        return bool(_truths(answers))
    except TableError:
        return False


def oracle_metrics(answers: Answers, measured: MeasuredVersion, filters: Filters) -> dict[str, float]:
    """Metrics of the oracle, which gives every complaint the probability that its outcome was drawn from.

    It reads as large a share of the complaints as the version does. Only made-up complaints have such probabilities.

    Args:
        answers: Answers from the tables.
        measured: The version.
        filters: The segment.

    Returns:
        Metric to value; empty unless every landed file is a sample and still has its truth next to it.
    """
    share = measured.estimates.get("review_share")
    files = _truths(answers)
    if share is None or not measured.scores.has_both or not files:
        return {}
    question = questions.test_labels(measured.version, filters)
    rows = answers.query(question.sql, question.tables, dict(question.parameters))
    truth = true_probabilities(files, rows.column("complaint_id"))
    if truth is None:
        return {}
    return measure(rows.column("label").to_numpy(), truth, threshold=float(np.quantile(truth, share.value)))


def _truths(answers: Answers) -> list[Path]:
    """The truth of each landed file; none unless all files have one."""
    try:
        landed = answers.ask(questions.landed_files()).column("source_file").to_pylist()
    except NotYetError:
        return []
    found = truth_files(landed)
    return found if all(file.is_file() for file in found) else []
