"""Decides whether a challenger should be trained, and says why: in the ledger, and to the tasks that follow."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from solosolve.clock import now
from solosolve.model.retraining import ChampionFacts, RetrainDecision, RetrainLimits, decide_retraining
from solosolve.names import DRIFT_METRICS, MODEL_EVENTS, MODEL_METRICS, MODEL_PERFORMANCE, TEST
from solosolve.settings import Settings
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.table_facts import complaints_labelled_since, rows_where
from solosolve.storage.tables import Tables
from solosolve.task_values import set_task_value

logger = logging.getLogger("solosolve.check_retrain")

_EPOCH = datetime.fromtimestamp(0, UTC)

IS_DUE = "is_due"
"""The task value that the job's condition reads."""


def run(spark: SparkSession, settings: Settings, *, is_forced: bool = False) -> RetrainDecision:
    """Decides whether the champion should be replaced, sets the task value `is_due`, and records a new decision.

    Changes `gold.model_events`, unless the newest decision of this champion was the same.

    Args:
        spark: The session.
        settings: Locates tables and registry; `retrain_labels`, `retrain_days`, `retrain_auc_fall`,
            `retrain_cooldown_days`.
        is_forced: A person asks for retraining.

    Returns:
        The decision.

    Raises:
        NoChampionError: There is no champion.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    champion = registry.champion()
    limits = RetrainLimits(
        new_labels=settings.retrain_labels,
        age_days=settings.retrain_days,
        auc_fall=settings.retrain_auc_fall,
        cooldown_days=settings.retrain_cooldown_days,
    )
    decision = decide_retraining(_facts(tables, champion, is_forced=is_forced), limits, now())
    set_task_value(IS_DUE, str(decision.is_due).lower())
    logger.info("retraining is %s: %s", "due" if decision.is_due else "not due", "; ".join(decision.reasons))
    evidence = {"is_due": decision.is_due, "reasons": list(decision.reasons)}
    if decision.is_due or _newest_evidence(tables, champion) != evidence:
        record_event(tables, champion.version, ModelEvent.RETRAIN_CHECKED, evidence)
    return decision


def _facts(tables: Tables, champion: RegisteredModel, *, is_forced: bool) -> ChampionFacts:
    metrics = rows_where(tables, MODEL_METRICS, "model_version", champion.version)
    test = [row for row in metrics if row["split"] == TEST]
    trained_at = max((row["trained_at"] for row in test), default=None)
    tried = rows_where(tables, MODEL_EVENTS, "event", ModelEvent.TRAINED)
    drift = _newest_window(rows_where(tables, DRIFT_METRICS, "model_version", champion.version))
    performance = _newest_window(rows_where(tables, MODEL_PERFORMANCE, "model_version", champion.version))
    return ChampionFacts(
        trained_at=trained_at,
        new_label_count=complaints_labelled_since(tables, trained_at or _EPOCH),
        tried_at=max((row["event_at"] for row in tried), default=None),
        drifted=tuple(sorted(row["feature"] for row in drift if row["is_alarm"])),
        auc_expected=next((row["value"] for row in test if row["metric"] == "auc"), None),
        auc_high=next(
            (row["value_high"] for row in performance if (row["segment"], row["metric"]) == ("all", "auc")), None
        ),
        is_forced=is_forced,
    )


def _newest_window(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    newest = max((row["window_end"] for row in rows), default=None)
    return [row for row in rows if row["window_end"] == newest]


def _newest_evidence(tables: Tables, champion: RegisteredModel) -> dict[str, object] | None:
    events = rows_where(tables, MODEL_EVENTS, "model_version", champion.version)
    checks = [row for row in events if row["event"] == ModelEvent.RETRAIN_CHECKED]
    newest = max(checks, key=lambda row: row["event_at"], default=None)
    return json.loads(newest["evidence"]) if newest else None
