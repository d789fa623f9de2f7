"""The gate: scores challenger and champion on the same frozen, later slice; rejects if anything is missing."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError
from solosolve.model.evaluation import evaluate
from solosolve.model.evaluation_data import SEGMENT_COLUMNS, gold_hash, score_slice, trainable_features
from solosolve.model.metrics import Floats
from solosolve.model.promotion import Decision, EvaluationSlice, GateResult, decide
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.surprise import contradicts
from solosolve.model.version_tags import Subject
from solosolve.names import CHALLENGER, CHAMPION, COMPLAINTS, FEATURES, FILED_COLUMNS, LABEL, MODEL_EVENTS, TEST, TRAIN
from solosolve.settings import Settings
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.table_facts import read_or_empty
from solosolve.storage.tables import Tables
from solosolve.transforms.fingerprints import data_hash

logger = logging.getLogger("solosolve.validate_model")

EARLIER_LIMIT = 10_000
"""Complaints from just before the slice that suffice to see whether their labels contradict the champion."""

_EVENTS = {
    GateResult.PASSED: ModelEvent.VALIDATION_PASSED,
    GateResult.PROVISIONAL: ModelEvent.VALIDATION_PROVISIONAL,
    GateResult.SHADOW: ModelEvent.VALIDATION_SHADOW,
    GateResult.REJECTED: ModelEvent.VALIDATION_REJECTED,
}


def run(spark: SparkSession, settings: Settings) -> GateResult | None:
    """Validates the challenger, and writes the result to its tags and to `gold.model_events`.

    Args:
        spark: The session.
        settings: Locates tables and registry; `bootstrap_rounds`.

    Returns:
        The gate's result; None if there is no challenger, or it is the champion already.

    Raises:
        ModelError: The slice is empty or a model cannot score it. The challenger is rejected first.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    challenger, champion = registry.find(CHALLENGER), registry.find(CHAMPION)
    if challenger is None or (champion is not None and challenger.version == champion.version):
        logger.info("no challenger to validate")
        return None
    subject = Subject(champion.version if champion else None, "unknown")
    try:
        frozen = frozen_slice(tables)
        subject = replace(subject, slice_hash=data_hash(frozen, ["complaint_id", *FILED_COLUMNS, LABEL]))
        tags = challenger.tags
        if tags.subject == subject and tags.validation is not None:
            logger.info("version %d was validated on this slice already", challenger.version)
            return tags.validation
        recorded = _recorded(tables, challenger, subject)
        if recorded is not None:
            logger.info("version %d was validated by an earlier run, which was interrupted", challenger.version)
            registry.write_tags(challenger, tags.without_result(subject).validated(recorded))
            return recorded
        _require_current_features(tables, challenger)
        decision = _decide(tables, registry, challenger, champion, frozen, _tries(tables, challenger, subject))
    except Exception as error:
        # Fail closed: whatever went wrong, ledger and tags say no before the error is raised.
        evidence = {"error": f"{type(error).__name__}: {error}", "slice": str(subject)}
        _write(tables, registry, challenger, GateResult.REJECTED, None, evidence)
        raise
    evidence = {**json.loads(decision.to_json()), "slice": str(subject)}
    _write(tables, registry, challenger, decision.result, subject, evidence)
    for check in decision.checks:
        mark = "passed" if check.is_passed else "failed"
        logger.info("%s %s: found %.4f, required %s", check.name, mark, check.found, check.required)
    return decision.result


def frozen_slice(tables: Tables) -> DataFrame:
    """Raw columns and resolved labels of the test split: the newest mature complaints, later than all training."""
    in_slice = tables.read(FEATURES).where(F.col("split") == TEST).select("complaint_id", LABEL)
    complaints = tables.read(COMPLAINTS).select("complaint_id", *FILED_COLUMNS)
    return complaints.join(in_slice, on="complaint_id", how="inner")


def _require_current_features(tables: Tables, challenger: RegisteredModel) -> None:
    """Raises ModelError unless the challenger was trained on the present split: only then is the slice later."""
    found = gold_hash(trainable_features(tables.read(FEATURES)))
    if challenger.tags.gold_data_hash != found:
        raise ModelError(
            f"version {challenger.version} was trained on features {challenger.tags.gold_data_hash}, but {FEATURES} "
            f"now has {found}: run train_model again"
        )


def _decide(
    tables: Tables,
    registry: Registry,
    challenger: RegisteredModel,
    champion: RegisteredModel | None,
    frozen: DataFrame,
    tries: int,
) -> Decision:
    rounds = tables.settings.bootstrap_rounds
    scorers = {"challenger": ComplaintScorer.load(registry.fetch(challenger))}
    if champion is not None:
        scorers["champion"] = ComplaintScorer.load(registry.fetch(champion))
    scored = score_slice(frozen, {name: scorer.score for name, scorer in scorers.items()})
    labels = np.asarray(scored.column(LABEL))
    probabilities = {name: np.asarray(scored.column(name)) for name in scorers}
    threshold = scorers["challenger"].threshold
    evaluation = evaluate(labels, probabilities["challenger"], rounds, threshold)
    prior = challenger.tags.prior
    if prior is None:
        raise ModelError(f"version {challenger.version} has no tag 'prior' with the success rate of its training split")
    earlier = None
    if "champion" in scorers and contradicts(labels, probabilities["champion"]):
        earlier = _earlier(tables, scorers["champion"], min(len(labels), EARLIER_LIMIT))
    both = EvaluationSlice(
        labels, probabilities["challenger"], probabilities.get("champion"), prior, _segments(scored), tries, earlier
    )
    return decide(evaluation, both, rounds)


def _earlier(tables: Tables, champion: ComplaintScorer, count: int) -> tuple[Floats, Floats]:
    """Labels and the champion's probabilities of the newest training complaints."""
    newest = F.col("date_received").desc(), F.col("complaint_id").desc()
    train = tables.read(FEATURES).where(F.col("split") == TRAIN).orderBy(*newest).limit(count)
    complaints = tables.read(COMPLAINTS).select("complaint_id", *FILED_COLUMNS)
    rows = complaints.join(train.select("complaint_id", LABEL), on="complaint_id", how="inner")
    scored = score_slice(rows, {CHAMPION: champion.score})
    return np.asarray(scored.column(LABEL)), np.asarray(scored.column(CHAMPION))


def _segments(scored: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """The rows of each product and each state."""
    segments: dict[str, NDArray[np.bool_]] = {}
    for column in SEGMENT_COLUMNS:
        values = np.asarray(scored.column(column).fill_null(""), dtype=object)
        segments |= {f"{column}={value}": values == value for value in np.unique(values.astype(str))}
    return segments


def _tries(tables: Tables, challenger: RegisteredModel, subject: Subject) -> int:
    """How many other challengers were compared with this champion, on this slice or on earlier ones."""
    if subject.champion is None:
        return 0
    is_validation = F.col("event").isin(*_EVENTS.values())
    against = F.get_json_object("evidence", "$.slice").startswith(f"champion {subject.champion} on ")
    is_other = F.col("model_version") != challenger.version
    others = read_or_empty(tables, MODEL_EVENTS).where(is_validation & against & is_other)
    return others.select("model_version").distinct().count()


def _recorded(tables: Tables, challenger: RegisteredModel, subject: Subject) -> GateResult | None:
    """The result that the ledger has and the tags lack, as a run that was interrupted in between leaves them."""
    if challenger.tags.subject != subject:
        return None
    is_own = (F.col("model_version") == challenger.version) & F.col("event").isin(*_EVENTS.values())
    newest = read_or_empty(tables, MODEL_EVENTS).where(is_own).orderBy(F.desc("event_at")).limit(1).collect()
    evidence = json.loads(newest[0]["evidence"]) if newest else {}
    if evidence.get("slice") != str(subject) or "error" in evidence:
        return None
    return next(result for result, event in _EVENTS.items() if event == newest[0]["event"])


def _write(
    tables: Tables,
    registry: Registry,
    challenger: RegisteredModel,
    result: GateResult,
    subject: Subject | None,
    evidence: Mapping[str, object],
) -> None:
    # In this order, a validation that is interrupted leaves no tag with a result, not even with an earlier one; the
    # next run takes the result from the ledger, if it is there.
    undecided = challenger.tags.without_result(subject)
    registry.write_tags(challenger, undecided)
    record_event(tables, challenger.version, _EVENTS[result], evidence)
    registry.write_tags(challenger, undecided.validated(result))
