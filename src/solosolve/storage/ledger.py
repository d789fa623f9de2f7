"""The model ledger: one row in `gold.model_events` for each thing that happened to a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from solosolve.names import MODEL_EVENTS
from solosolve.schemas import SCHEMAS
from solosolve.storage.tables import Tables


def record_event(
    tables: Tables, model_version: int, event: str, evidence: Mapping[str, object], alias: str | None = None
) -> None:
    """Appends one event to `gold.model_events`.

    Args:
        tables: The tables; their settings name the actor.
        model_version: The version that it happened to.
        event: What happened: trained, validated, rejected, promoted, promoted_provisional.
        evidence: Why, as JSON values.
        alias: The alias that was moved, if one was.
    """
    now = datetime.now(UTC)
    row = (now, model_version, event, alias, tables.settings.actor, json.dumps(evidence, sort_keys=True))
    tables.append(MODEL_EVENTS, tables.spark.createDataFrame([row], SCHEMAS[MODEL_EVENTS]))
