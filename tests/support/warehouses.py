"""Writes warehouses without Spark: single rows with a table's schema, or every table that a dashboard shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from solosolve.model.evaluation import Estimate, evaluate
from solosolve.names import (
    COMPLAINTS,
    DEAD_LETTERS,
    DRIFT_METRICS,
    LANDINGS,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    STREAM_PROGRESS,
    TEST_SCORES,
    Table,
)
from solosolve.schemas import SCHEMAS
from solosolve.storage.feedback import Feedback, Verdict

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PRODUCTS = ("Mortgage", "Credit card", "Debt collection", "Student loan")
TREES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Katsura")
COMPANIES = tuple(f"{name} Bank" for name in TREES)
STATES = ("CA", "TX", "NY", "FL", "WA", "PR", "OH", "GA")
SPLITS = ("train", "validate", "test")
PERFORMANCE = {"failure_recall": 0.4, "auc": 0.66, "accuracy": 0.74, "log_loss": 0.5}
"""The metrics in every window that has enough labels."""


def folder(warehouse: Path, table: Table) -> Path:
    return warehouse / table.layer / table.name


def append(warehouse: Path, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Appends rows in one commit; columns without a value are null."""
    schema = SCHEMAS[table]
    filled = [{name: row.get(name) for name in schema.names} for row in rows]
    write_deltalake(folder(warehouse, table), pa.Table.from_pylist(filled, schema=schema), mode="append")


def delete(warehouse: Path, table: Table, where: str) -> None:
    DeltaTable(folder(warehouse, table)).delete(where)


def prediction(complaint_id: int, **overrides: Any) -> dict[str, Any]:
    """One row of `gold.predictions`, derived from its id, with overrides."""
    probability = (complaint_id * 37 % 100) / 100 + 0.005
    return {
        "complaint_id": complaint_id,
        "date_received": date(2026, 4, 1),
        "requested_at": NOW,
        "scored_at": NOW,
        "company": COMPANIES[complaint_id % len(COMPANIES)],
        "state": STATES[complaint_id % len(STATES)],
        "product": PRODUCTS[complaint_id % len(PRODUCTS)],
        "submitted_via": "Web",
        "probability": probability,
        "prediction": float(overrides.get("probability", probability) >= 0.5),
        "model_name": "complaint_resolution",
        "model_version": 2,
        "source": "delta",
        "source_position": None,
        "batch_id": 1,
    } | overrides


def complaint(complaint_id: int, **overrides: Any) -> dict[str, Any]:
    """One row of `silver.complaints`, derived from its id, with overrides."""
    return {
        "complaint_id": complaint_id,
        "date_received": date(2026, 4, 1),
        "product": PRODUCTS[complaint_id % len(PRODUCTS)],
        "issue": "Struggling to pay",
        "consumer_complaint_narrative": f"They lost payment number {complaint_id}.",
        "company": COMPANIES[complaint_id % len(COMPANIES)],
        "state": STATES[complaint_id % len(STATES)],
        "zip_code": "900XX",
        "submitted_via": "Web",
        "narrative_length": 30,
        "_source_file": "complaints.csv",
        "_source_sha256": "0" * 64,
        "_source_line": complaint_id,
        "_ingested_at": NOW,
    } | overrides


def scored_test_complaint(complaint_id: int, version: int, **overrides: Any) -> dict[str, Any]:
    """One row of `gold.test_scores`; the higher the version, the better its probabilities separate the outcomes."""
    generator = np.random.default_rng([complaint_id, version])
    label = float(np.random.default_rng(complaint_id).uniform() < 0.7)
    probability = float(np.clip(generator.normal(0.55 + 0.08 * version * (label - 0.5), 0.15), 0.01, 0.99))
    return {
        "model_version": version,
        "complaint_id": complaint_id,
        "date_received": date(2016, 1, 1) + timedelta(days=complaint_id % 300),
        "company": COMPANIES[complaint_id % len(COMPANIES)],
        "state": STATES[complaint_id % len(STATES)],
        "product": PRODUCTS[complaint_id % len(PRODUCTS)],
        "submitted_via": "Web",
        "probability": probability,
        "is_successful_resolution": label,
    } | overrides


def metric(version: int, split: str, name: str, value: float, **overrides: Any) -> dict[str, Any]:
    """One row of `gold.model_metrics`, with overrides."""
    return {
        "model_version": version,
        "run_id": f"run{version}",
        "split": split,
        "metric": name,
        "value": value,
        "value_low": value - 0.02,
        "value_high": value + 0.02,
        "record_count": {"train": 2_000, "validate": 250, "test": 400}[split],
        "trained_at": NOW - timedelta(days=10 - version),
        "training_seconds": 12.5,
    } | overrides


def evaluated(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Estimate]:
    """What training records of scored test complaints."""
    labels, probabilities = (
        np.array([row[name] for row in rows]) for name in ("is_successful_resolution", "probability")
    )
    return evaluate(labels, probabilities, 50).metrics


def event(version: int, name: str, minutes: int, alias: str | None = None, **evidence: Any) -> dict[str, Any]:
    """One row of `gold.model_events`, some minutes after the version was trained."""
    return {
        "event_at": NOW - timedelta(days=10 - version) + timedelta(minutes=minutes),
        "model_version": version,
        "event": name,
        "alias": alias,
        "actor": "solosolve",
        "evidence": json.dumps(evidence),
    }


def batch(batch_id: int, **overrides: Any) -> dict[str, Any]:
    """One row of `gold.stream_progress`, with overrides."""
    return {
        "ended_at": NOW + timedelta(seconds=batch_id),
        "source": "delta",
        "checkpoint_id": "c",
        "batch_id": batch_id,
        "model_version": 2,
        "request_count": 100,
        "prediction_count": 98,
        "dead_letter_count": 2,
        "batch_seconds": 0.5 + 0.01 * (batch_id % 7),
        "input_rate": 100.0,
        "processed_rate": 190.0,
        "latency_p50_seconds": 0.4,
        "latency_p99_seconds": 0.9,
        "lag": 3,
    } | overrides


def drift(feature: str, window: int, psi: float | None, **overrides: Any) -> dict[str, Any]:
    """One row of `gold.drift_metrics`, some windows of 28 days before the newest, with overrides."""
    start = NOW.replace(hour=0) - (window + 1) * timedelta(days=28)
    p_value = None if psi is None else 0.0001 if psi > 0.1 else 0.4
    return {
        "window_start": start,
        "window_end": start + timedelta(days=28),
        "model_version": 2,
        "feature": feature,
        "state": "too_few" if psi is None else "drift" if psi > 0.1 else "ok",
        "is_alarm": psi is not None and psi > 0.1,
        "psi": psi,
        "statistic": None if psi is None else 400 * psi,
        "degrees": None if psi is None else 9,
        "p_value": p_value,
        "alpha": None if psi is None else 0.004,
        "reference_count": 2_000,
        "record_count": 500,
        "measured_at": NOW,
    } | overrides


def performance(metric: str, window: int, value: float | None, **overrides: Any) -> dict[str, Any]:
    """One row of `gold.model_performance`, some windows of 28 days before the newest, with overrides."""
    start = NOW.replace(hour=0) - (window + 1) * timedelta(days=28)
    return {
        "window_start": start,
        "window_end": start + timedelta(days=28),
        "model_version": 2,
        "segment": "all",
        "segment_value": "all",
        "state": "too_few" if value is None else "ok",
        "metric": metric,
        "value": value,
        "value_low": None if value is None else value - 0.05,
        "value_high": None if value is None else value + 0.05,
        "label_count": 20 if value is None else 120,
        "record_count": 500,
        "label_delay_days": 2.5,
        "measured_at": NOW,
    } | overrides


def landing(name: str, days_ago: int = 0, **overrides: Any) -> dict[str, Any]:
    """One row of `bronze.landings`, with overrides."""
    return {
        "source_file": name, "source_sha256": f"sha {name}", "layout": "cfpb", "byte_count": 900, "record_count": 10,
        "bronze_count": 8, "quarantine_count": 2, "landed_at": NOW - timedelta(days=days_ago),
    } | overrides  # fmt: skip


def feedback(feedback_id: str, **overrides: Any) -> Feedback:
    """A verdict of success on complaint 7, with overrides."""
    known: dict[str, Any] = {
        "feedback_id": feedback_id, "complaint_id": 7, "verdict": Verdict.SUCCESS, "reviewer": "ann",
        "reason": "=1+1", "given_at": datetime(2026, 5, 4, tzinfo=UTC), "model_version": 2, "probability": 0.51,
        "company": "Elm Bank", "state": "CA", "product": "Mortgage",
    }  # fmt: skip
    return Feedback(**(known | overrides))


def quarantined(reason: str, **overrides: Any) -> dict[str, Any]:
    """One row of `bronze.complaints_quarantine`, with overrides."""
    return {
        "_record": "a,b",
        "_reason": reason,
        "_source_file": "complaints.csv",
        "_source_sha256": "0" * 64,
        "_source_line": 1,
        "_ingested_at": NOW,
    } | overrides


def dead_letter(letter_id: str, reason: str, **overrides: Any) -> dict[str, Any]:
    """One row of `bronze.dead_letters`, with overrides."""
    return {
        "letter_id": letter_id, "topic": "t", "partition": 0, "offset": 0, "reason": reason, "failed_at": NOW,
    } | overrides  # fmt: skip


def write_everything(warehouse: Path, predictions: int = 600, now: datetime = NOW) -> None:
    """Writes every table that a dashboard reads, except for feedback, which it writes itself."""
    ids = range(1, predictions + 1)
    scored = [now - timedelta(minutes=number % 170) for number in ids]
    append(warehouse, PREDICTIONS, [
        prediction(number, scored_at=at, requested_at=at) for number, at in zip(ids, scored, strict=True)
    ])  # fmt: skip
    append(warehouse, COMPLAINTS, [complaint(number) for number in ids])
    tested = {version: [scored_test_complaint(number, version) for number in range(1, 401)] for version in (1, 2)}
    append(warehouse, TEST_SCORES, [row for rows in tested.values() for row in rows])
    append(warehouse, MODEL_METRICS, [
        metric(version, split, name, found.value, value_low=found.low, value_high=found.high)
        for version, rows in tested.items() for split in SPLITS for name, found in evaluated(rows).items()
    ])  # fmt: skip
    check = {"name": "auc_beats_chance", "is_passed": True, "found": 0.6, "required": "above 0.5"}
    append(warehouse, MODEL_EVENTS, [
        event(1, "trained", 0, "challenger", engine="xgboost", prior=0.7),
        event(1, "validation_passed", 1, checks=[check]), event(1, "promoted", 2, "champion", replaces=None),
        event(2, "trained", 0, "challenger", engine="xgboost", prior=0.7),
        event(2, "validation_passed", 1, checks=[check]), event(2, "promoted", 2, "champion", replaces=1),
    ])  # fmt: skip
    indexes = {"product": (0.01, 0.02), "issue": (0.31, 0.3), "state": (0.14, 0.01), "score": (0.02, None)}
    append(warehouse, DRIFT_METRICS, [
        drift(name, window, psi) for name, psis in indexes.items() for window, psi in enumerate(psis)
    ])  # fmt: skip
    append(warehouse, MODEL_PERFORMANCE, [
        performance(name, window, None if window == 0 else value)
        for window in range(3) for name, value in PERFORMANCE.items()
    ])  # fmt: skip
    append(warehouse, STREAM_PROGRESS, [
        batch(number, ended_at=now - timedelta(seconds=5 * (120 - number))) for number in range(1, 121)
    ])  # fmt: skip
    provenance = {"_source_file": "complaints.csv", "_source_sha256": "0" * 64, "_source_line": 1, "_ingested_at": now}
    append(warehouse, LANDINGS, [landing("complaints.csv", record_count=603, bronze_count=600, quarantine_count=3)])
    bad_record = quarantined("has 2 fields, but the header has 18", _ingested_at=now)
    append(warehouse, QUARANTINE, [bad_record] * 3)
    append(warehouse, REJECTED, [
        {"_record_key": str(number), "failed_rules": ["has_narrative"], "product": PRODUCTS[number % 4], **provenance}
        for number in range(40)
    ])  # fmt: skip
    append(warehouse, DEAD_LETTERS, [
        dead_letter(str(number), "not JSON", offset=number, failed_at=now) for number in range(5)
    ])  # fmt: skip
