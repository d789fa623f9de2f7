"""A home in which every job of the loop has something to do, made without Spark."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pyspark.sql import SparkSession

from solosolve.clock import now
from solosolve.model.version_tags import VersionTags
from solosolve.model.windows import complete_windows
from solosolve.names import COMPLAINTS, FEEDBACK, MODEL_EVENTS, MODEL_METRICS, PICKED_AUDIT, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.feedback import Verdict
from support.live import Live, scorer, with_champion
from support.warehouses import append, complaint, event, feedback, metric, prediction

WINDOWS = 2
"""Windows that have ended, and that nobody has measured."""

COMPLAINT_COUNT = 160


def loop_home(spark: SparkSession | None, settings: Settings, first_registry: Path) -> Live:
    """Version 1 is champion and has scored complaints of two windows, with verdicts on most; version 2 waits."""
    live = with_champion(spark, settings, first_registry)
    files = settings.home / "candidate"
    files.mkdir(parents=True)
    scorer(2).save(files)
    with live.registry.run("train_model", {}):
        live.registry.register(files, VersionTags())
    first = complete_windows(now() - (WINDOWS + 1) * timedelta(days=28), now(), 28)[-WINDOWS]
    scored_at = [first.start + number % WINDOWS * timedelta(days=28) for number in range(COMPLAINT_COUNT)]
    numbers = range(1, COMPLAINT_COUNT + 1)
    append(settings.warehouse, COMPLAINTS, [complaint(number, date_received=at.date(), _ingested_at=at)
                                            for number, at in zip(numbers, scored_at, strict=True)])  # fmt: skip
    append(settings.warehouse, PREDICTIONS, [prediction(number, scored_at=at, requested_at=at, model_version=1)
                                             for number, at in zip(numbers, scored_at, strict=True)])  # fmt: skip
    append(settings.warehouse, FEEDBACK, [
        feedback(
            f"verdict {number}", complaint_id=number, given_at=at + timedelta(days=3), picked_by=PICKED_AUDIT,
            verdict=Verdict.FAILURE if number % 3 else Verdict.SUCCESS, pick_probability=0.1,
        ).as_row()
        for number, at in zip(numbers, scored_at, strict=True) if number > 20
    ])  # fmt: skip
    trained_at = first.start - timedelta(days=30)
    append(settings.warehouse, MODEL_METRICS, [metric(1, "test", "auc", 0.7, trained_at=trained_at)])
    append(settings.warehouse, MODEL_EVENTS, [event(1, "trained", 0), event(1, "promoted", 1, "champion")])
    return live
