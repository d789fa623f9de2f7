"""One schema a table, with the constraints that Delta enforces on every write."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from solosolve.names import (
    CHECKPOINTS,
    COMPLAINT_COLUMNS,
    COMPLAINTS,
    COMPLAINTS_RAW,
    DEAD_LETTERS,
    FEATURES,
    FEEDBACK,
    FILED_COLUMNS,
    LANDINGS,
    MODEL_EVENTS,
    MODEL_METRICS,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    REQUESTS,
    STREAM_PROGRESS,
    TEST_SCORES,
    Table,
)


def _required(name: str, kind: DataType) -> StructField:
    return StructField(name, kind, nullable=False)


def _optional(name: str, kind: DataType) -> StructField:
    return StructField(name, kind, nullable=True)


_STRING, _LONG, _INT, _DOUBLE = StringType(), LongType(), IntegerType(), DoubleType()
_DATE, _INSTANT, _BYTES = DateType(), TimestampType(), BinaryType()

_VERBATIM = [_optional(name, _STRING) for name in COMPLAINT_COLUMNS]
_PROVENANCE = [
    _required("_source_file", _STRING),
    _required("_source_sha256", _STRING),
    _required("_source_line", _LONG),
    _required("_ingested_at", _INSTANT),
]

_SILVER_REQUIRED = {"product", "consumer_complaint_narrative", "company", "state", "submitted_via"}
_SILVER_TYPES = {"date_received": _DATE, "date_sent_to_company": _DATE, "complaint_id": _LONG}


def _silver_field(name: str) -> StructField:
    is_required = name in _SILVER_REQUIRED | {"complaint_id", "date_received"}
    return StructField(name, _SILVER_TYPES.get(name, _STRING), nullable=not is_required)


SCHEMAS: Mapping[Table, StructType] = MappingProxyType(
    {
        COMPLAINTS_RAW: StructType([*_VERBATIM, _optional("_rescued", _STRING), *_PROVENANCE]),
        QUARANTINE: StructType([_required("_record", _STRING), _required("_reason", _STRING), *_PROVENANCE]),
        LANDINGS: StructType(
            [
                _required("source_file", _STRING),
                _required("source_sha256", _STRING),
                _required("layout", _STRING),
                _required("byte_count", _LONG),
                _required("record_count", _LONG),
                _required("bronze_count", _LONG),
                _required("quarantine_count", _LONG),
                _required("landed_at", _INSTANT),
            ]
        ),
        # Nothing is required of a request: what it lacks makes it a dead letter, not a failed write.
        REQUESTS: StructType(
            [
                _optional("complaint_id", _LONG),
                *(_optional(name, _SILVER_TYPES.get(name, _STRING)) for name in FILED_COLUMNS),
                _optional("requested_at", _INSTANT),
            ]
        ),
        DEAD_LETTERS: StructType(
            [
                _required("letter_id", _STRING),
                _required("topic", _STRING),
                _required("partition", _INT),
                _required("offset", _LONG),
                _optional("key", _BYTES),
                _optional("value", _BYTES),
                _required("reason", _STRING),
                _required("failed_at", _INSTANT),
            ]
        ),
        CHECKPOINTS: StructType(
            [
                _required("stream", _STRING),
                _required("checkpoint_id", _STRING),
                _required("source_id", _STRING),
                _required("table_ids", _STRING),
                _required("bound_at", _INSTANT),
                _required("begun_at", _INSTANT),
                _required("is_recovering", BooleanType()),
            ]
        ),
        COMPLAINTS: StructType(
            [
                *(_silver_field(name) for name in COMPLAINT_COLUMNS),
                _required("narrative_length", _INT),
                _optional("is_successful_resolution", _DOUBLE),
                *_PROVENANCE,
            ]
        ),
        REJECTED: StructType(
            [
                _required("_record_key", _STRING),
                *_VERBATIM,
                _required("failed_rules", ArrayType(_STRING, containsNull=False)),
                *_PROVENANCE,
            ]
        ),
        FEATURES: StructType(
            [
                _required("complaint_id", _LONG),
                _required("date_received", _DATE),
                _required("split", _STRING),
                _required("features", ArrayType(FloatType(), containsNull=False)),
                _optional("is_successful_resolution", _DOUBLE),
                _required("feature_model_uri", _STRING),
            ]
        ),
        PREDICTIONS: StructType(
            [
                _required("complaint_id", _LONG),
                _required("requested_at", _INSTANT),
                _required("scored_at", _INSTANT),
                _optional("company", _STRING),
                _optional("state", _STRING),
                _optional("product", _STRING),
                _optional("submitted_via", _STRING),
                _required("probability", _DOUBLE),
                _required("prediction", _DOUBLE),
                _required("model_name", _STRING),
                _required("model_version", _INT),
                _required("source", _STRING),
                _optional("source_position", _STRING),
                _optional("batch_id", _LONG),
            ]
        ),
        STREAM_PROGRESS: StructType(
            [
                _required("ended_at", _INSTANT),
                _required("source", _STRING),
                _required("checkpoint_id", _STRING),
                _required("batch_id", _LONG),
                _optional("model_version", _INT),
                _required("request_count", _LONG),
                _required("prediction_count", _LONG),
                _required("dead_letter_count", _LONG),
                _required("batch_seconds", _DOUBLE),
                _optional("input_rate", _DOUBLE),
                _optional("processed_rate", _DOUBLE),
                _optional("latency_p50_seconds", _DOUBLE),
                _optional("latency_p99_seconds", _DOUBLE),
                _optional("lag", _LONG),
            ]
        ),
        TEST_SCORES: StructType(
            [
                _required("model_version", _INT),
                _required("complaint_id", _LONG),
                _required("date_received", _DATE),
                _required("company", _STRING),
                _required("state", _STRING),
                _required("product", _STRING),
                _required("submitted_via", _STRING),
                _required("probability", _DOUBLE),
                _required("is_successful_resolution", _DOUBLE),
            ]
        ),
        FEEDBACK: StructType(
            [
                _required("feedback_id", _STRING),
                _required("complaint_id", _LONG),
                _required("verdict", _STRING),
                _optional("is_successful_resolution", _DOUBLE),
                _required("source", _STRING),
                _optional("reviewer", _STRING),
                _optional("reason", _STRING),
                _required("given_at", _INSTANT),
                _optional("model_version", _INT),
                _optional("probability", _DOUBLE),
                _optional("company", _STRING),
                _optional("state", _STRING),
                _optional("product", _STRING),
            ]
        ),
        MODEL_METRICS: StructType(
            [
                _required("model_version", _INT),
                _required("run_id", _STRING),
                _required("split", _STRING),
                _required("metric", _STRING),
                _required("value", _DOUBLE),
                _optional("value_low", _DOUBLE),
                _optional("value_high", _DOUBLE),
                _required("record_count", _LONG),
                _required("trained_at", _INSTANT),
                _required("training_seconds", _DOUBLE),
            ]
        ),
        MODEL_EVENTS: StructType(
            [
                _required("event_at", _INSTANT),
                _required("model_version", _INT),
                _required("event", _STRING),
                _optional("alias", _STRING),
                _required("actor", _STRING),
                _required("evidence", _STRING),
            ]
        ),
    }
)

CHECKS: Mapping[Table, Mapping[str, str]] = MappingProxyType(
    {
        COMPLAINTS: {
            "complaint_id_is_positive": "complaint_id > 0",
            "narrative_is_not_empty": "narrative_length > 0",
            "label_has_three_states": "is_successful_resolution IS NULL OR is_successful_resolution IN (0.0, 1.0)",
        },
        REJECTED: {"a_rule_failed": "size(failed_rules) > 0"},
        FEATURES: {
            "complaint_id_is_positive": "complaint_id > 0",
            "split_is_known": "split IN ('train', 'validate', 'test', 'immature', 'copy', 'unlabelled')",
        },
        TEST_SCORES: {"probability_is_a_probability": "probability >= 0 AND probability <= 1"},
        PREDICTIONS: {
            "probability_is_a_probability": "probability >= 0 AND probability <= 1",
            "prediction_is_a_class": "prediction IN (0.0, 1.0)",
        },
    }
)
"""Table to constraint name to SQL condition, as `CHECK` constraints."""
