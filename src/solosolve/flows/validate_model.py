"""The gate: challenger and champion re-scored on the same frozen, time-later slice; anything missing rejects."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ModelError
from solosolve.model.evaluation_data import GOLD_HASH_TAG, gold_hash, score_complaints, trainable_features
from solosolve.model.metrics import evaluate
from solosolve.model.promotion import Decision, Slice, Verdict, decide
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import CHALLENGER, CHAMPION, COMPLAINTS, FEATURES, FILED_COLUMNS, LABEL
from solosolve.settings import Settings
from solosolve.storage.ledger import record_event
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.transforms.fingerprints import data_hash
from solosolve.transforms.split import TEST

logger = logging.getLogger("solosolve.validate_model")

VERDICT_TAG, SUBJECT_TAG = "validation", "validation_subject"


def run(spark: SparkSession, settings: Settings) -> Verdict | None:
    """Validates the challenger and writes the verdict to its tags and to `gold.model_events`.

    Args:
        spark: The session.
        settings: Where tables and registry are; `bootstrap_rounds`.

    Returns:
        The verdict; None when there is no challenger, or it is the champion already.

    Raises:
        ModelError: The slice is empty or a model cannot score it; the challenger is rejected first.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    challenger, champion = registry.find(CHALLENGER), registry.find(CHAMPION)
    if challenger is None or (champion is not None and challenger.version == champion.version):
        logger.info("no challenger to validate")
        return None
    subject = subject_of(champion, "unknown")
    try:
        frozen = frozen_slice(tables)
        subject = subject_of(champion, data_hash(frozen, ["complaint_id", *FILED_COLUMNS, LABEL]))
        if challenger.tags.get(SUBJECT_TAG) == subject and VERDICT_TAG in challenger.tags:
            logger.info("version %d was validated on this slice already", challenger.version)
            return Verdict(challenger.tags[VERDICT_TAG])
        _require_features_of(tables, challenger)
        decision = _decide(registry, challenger, champion, frozen, settings)
    except Exception as error:
        # Fail closed: whatever went wrong, the ledger and the tags say no before the error goes on.
        evidence = {"error": f"{type(error).__name__}: {error}", "slice": subject}
        _write(tables, registry, challenger, Verdict.REJECTED, "an error, not a decision", evidence)
        raise
    reasons = {**json.loads(decision.to_json()), "slice": subject}
    _write(tables, registry, challenger, decision.verdict, subject, reasons)
    for check in decision.checks:
        mark = "passed" if check.is_passed else "failed"
        logger.info("%s %s: found %.4f, required %s", check.name, mark, check.found, check.required)
    return decision.verdict


def subject_of(champion: RegisteredModel | None, slice_hash: str) -> str:
    """What a verdict is about, beside the challenger: the incumbent and the slice."""
    return f"champion {champion.version if champion else 'none'} on {slice_hash}"


def frozen_slice(tables: Tables) -> DataFrame:
    """The test split's complaints with raw columns and labels: the newest mature ones, later than all training."""
    in_slice = tables.read(FEATURES).where(F.col("split") == TEST).select("complaint_id")
    complaints = tables.read(COMPLAINTS).select("complaint_id", *FILED_COLUMNS, LABEL)
    return complaints.join(in_slice, on="complaint_id", how="left_semi")


def _require_features_of(tables: Tables, challenger: RegisteredModel) -> None:
    """The slice is later than all training only while the split is the one that the challenger was trained on."""
    trained_on = challenger.tags.get(GOLD_HASH_TAG)
    found = gold_hash(trainable_features(tables))
    if trained_on != found:
        raise ModelError(
            f"version {challenger.version} was trained on other features ({trained_on}) than {FEATURES} now has "
            f"({found}): run train_model again"
        )


def _decide(
    registry: Registry,
    challenger: RegisteredModel,
    champion: RegisteredModel | None,
    frozen: DataFrame,
    settings: Settings,
) -> Decision:
    labels, probabilities = score_complaints(frozen, ComplaintScorer.load(registry.fetch(challenger)))
    evaluation = evaluate(labels, probabilities, settings.bootstrap_rounds)
    incumbent = None
    if champion is not None:
        _, incumbent = score_complaints(frozen, ComplaintScorer.load(registry.fetch(champion)))
    if "prior" not in challenger.tags:
        raise ModelError(f"version {challenger.version} has no training success rate (tag prior)")
    both = Slice(labels, probabilities, incumbent, prior=float(challenger.tags["prior"]))
    return decide(evaluation, both, settings.bootstrap_rounds)


def _write(
    tables: Tables,
    registry: Registry,
    challenger: RegisteredModel,
    verdict: Verdict,
    subject: str,
    evidence: Mapping[str, object],
) -> None:
    # In this order a validation that is cut off leaves no verdict, and none of an earlier one.
    registry.untag(challenger, VERDICT_TAG)
    registry.tag(challenger, SUBJECT_TAG, subject)
    record_event(tables, challenger.version, f"validation_{verdict}", evidence)
    registry.tag(challenger, VERDICT_TAG, str(verdict))
