"""The schemas of the tables about models: features, predictions, feedback, metrics, events."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from solosolve.names import (
    DRIFT_METRICS,
    FEATURES,
    FEEDBACK,
    MEASURED_LABELS,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    SHADOW_PREDICTIONS,
    TEST_SCORES,
    Table,
)
from solosolve.schema_fields import DATE, DOUBLE, INSTANT, INT, LONG, STRING, list_of, optional, required

MODEL_SCHEMAS: Mapping[Table, pa.Schema] = MappingProxyType(
    {
        FEATURES: pa.schema(
            [
                required("complaint_id", LONG),
                required("date_received", DATE),
                required("split", STRING),
                required("features", list_of(pa.float32())),
                optional("is_successful_resolution", DOUBLE),
                required("feature_model_uri", STRING),
                optional("label_source", STRING),
                optional("label_at", INSTANT),
            ]
        ),
        **dict.fromkeys(
            (PREDICTIONS, SHADOW_PREDICTIONS),
            pa.schema(
                [
                    required("complaint_id", LONG),
                    required("requested_at", INSTANT),
                    required("scored_at", INSTANT),
                    optional("company", STRING),
                    optional("state", STRING),
                    optional("product", STRING),
                    optional("submitted_via", STRING),
                    required("probability", DOUBLE),
                    required("prediction", DOUBLE),
                    required("model_name", STRING),
                    required("model_version", INT),
                    required("source", STRING),
                    optional("source_position", STRING),
                    optional("batch_id", LONG),
                    # Null in rows of releases that did not keep it.
                    optional("date_received", DATE),
                ]
            ),
        ),
        TEST_SCORES: pa.schema(
            [
                required("model_version", INT),
                required("complaint_id", LONG),
                required("date_received", DATE),
                required("company", STRING),
                required("state", STRING),
                required("product", STRING),
                required("submitted_via", STRING),
                required("probability", DOUBLE),
                required("is_successful_resolution", DOUBLE),
            ]
        ),
        FEEDBACK: pa.schema(
            [
                required("feedback_id", STRING),
                required("complaint_id", LONG),
                required("verdict", STRING),
                optional("is_successful_resolution", DOUBLE),
                required("source", STRING),
                optional("reviewer", STRING),
                optional("reason", STRING),
                required("given_at", INSTANT),
                optional("model_version", INT),
                optional("probability", DOUBLE),
                optional("company", STRING),
                optional("state", STRING),
                optional("product", STRING),
                optional("picked_by", STRING),
                optional("pick_probability", DOUBLE),
            ]
        ),
        DRIFT_METRICS: pa.schema(
            [
                required("window_start", INSTANT),
                required("window_end", INSTANT),
                required("model_version", INT),
                required("feature", STRING),
                required("state", STRING),
                required("is_alarm", pa.bool_()),
                optional("psi", DOUBLE),
                optional("statistic", DOUBLE),
                optional("degrees", INT),
                optional("p_value", DOUBLE),
                optional("alpha", DOUBLE),
                required("reference_count", LONG),
                required("record_count", LONG),
                required("measured_at", INSTANT),
            ]
        ),
        MODEL_PERFORMANCE: pa.schema(
            [
                required("window_start", INSTANT),
                required("window_end", INSTANT),
                required("model_version", INT),
                required("segment", STRING),
                required("segment_value", STRING),
                required("state", STRING),
                required("metric", STRING),
                optional("value", DOUBLE),
                optional("value_low", DOUBLE),
                optional("value_high", DOUBLE),
                required("label_count", LONG),
                required("record_count", LONG),
                optional("label_delay_days", DOUBLE),
                required("measured_at", INSTANT),
            ]
        ),
        MEASURED_LABELS: pa.schema(
            [
                required("window_start", INSTANT),
                required("window_end", INSTANT),
                required("model_version", INT),
                required("complaint_id", LONG),
                required("is_successful_resolution", DOUBLE),
                required("label_source", STRING),
                required("label_at", INSTANT),
                required("probability", DOUBLE),
                required("weight", DOUBLE),
            ]
        ),
        MODEL_METRICS: pa.schema(
            [
                required("model_version", INT),
                required("run_id", STRING),
                required("split", STRING),
                required("metric", STRING),
                required("value", DOUBLE),
                optional("value_low", DOUBLE),
                optional("value_high", DOUBLE),
                required("record_count", LONG),
                required("trained_at", INSTANT),
                required("training_seconds", DOUBLE),
            ]
        ),
        MODEL_EVENTS: pa.schema(
            [
                required("event_at", INSTANT),
                required("model_version", INT),
                required("event", STRING),
                optional("alias", STRING),
                required("actor", STRING),
                required("evidence", STRING),
            ]
        ),
    }
)
