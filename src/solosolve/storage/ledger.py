"""The model ledger: one row in `gold.model_events` for every event in the life of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from solosolve.clock import now
from solosolve.names import MODEL_EVENTS
from solosolve.spark_schemas import spark_schema
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.tables import Tables


def record_event(
    tables: Tables,
    model_version: int,
    event: ModelEvent,
    evidence: Mapping[str, object],
    alias: str | None = None,
    at: datetime | None = None,
) -> None:
    """Appends one event to `gold.model_events`.

    Args:
        tables: The tables; their settings name the actor.
        model_version: The version concerned.
        event: What happened.
        evidence: The reasons, as JSON values.
        alias: The alias that moved, if any.
        at: When it happened; now when None.
    """
    row = (at or now(), model_version, event.value, alias, tables.settings.actor, json.dumps(evidence, sort_keys=True))
    tables.append(MODEL_EVENTS, tables.spark.createDataFrame([row], spark_schema(MODEL_EVENTS)))
