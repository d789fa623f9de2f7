"""Rows of `gold.predictions`, and a model whose probabilities are written in the narrative."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from solosolve.names import NARRATIVE, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.predictions import Scoring
from support.builders import record

REQUESTED_AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
SCORED_AT = datetime(2026, 2, 1, 12, 0, 1, tzinfo=UTC)


def narrative_scoring() -> Scoring:
    """A model whose probability is the number in the narrative, or 0.5 without a narrative."""

    def score(batch: pa.RecordBatch) -> pa.Array:
        return pc.fill_null(pc.cast(batch.column(NARRATIVE), pa.float64()), 0.5)

    return Scoring(score, threshold=0.5, model_name="a_model", model_version=7)


def prediction(**overrides: Any) -> list[Any]:
    """One row of `gold.predictions` for a `record` whose probability is 0.5."""
    values = {
        "requested_at": REQUESTED_AT,
        "scored_at": SCORED_AT,
        "probability": 0.5,
        "prediction": 1.0,
        "model_name": "a_model",
        "model_version": 7,
        "source": "batch",
        "source_position": None,
        "batch_id": None,
        "date_received": date(2016, 3, 1),
    }
    row = record() | {"complaint_id": 1} | values | overrides
    return [row[name] for name in SCHEMAS[PREDICTIONS].names]
