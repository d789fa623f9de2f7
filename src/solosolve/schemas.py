"""The schema of each table, stated once in Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

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

_STRING, _LONG, _INT, _DOUBLE = pa.string(), pa.int64(), pa.int32(), pa.float64()
_DATE, _INSTANT, _BYTES = pa.date32(), pa.timestamp("us", tz="UTC"), pa.binary()


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _optional(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind)


def _list_of(kind: pa.DataType) -> pa.DataType:
    """A list without nulls."""
    return pa.list_(pa.field("element", kind, nullable=False))


_VERBATIM = [_optional(name, _STRING) for name in COMPLAINT_COLUMNS]
_PROVENANCE = [
    _required("_source_file", _STRING),
    _required("_source_sha256", _STRING),
    _required("_source_line", _LONG),
    _required("_ingested_at", _INSTANT),
]

PROVENANCE = tuple(field.name for field in _PROVENANCE)
"""The columns that say where a record came from."""

PARSED_COLUMNS = (*COMPLAINT_COLUMNS, "_rescued", "_source_line", "_record", "_reason")
"""The columns of a parsed record, null where they do not apply.

A good record has the complaint's columns and `_rescued`, a bad one `_record` and `_reason`; both have `_source_line`.
"""

PARSED_SCHEMA = pa.schema([(name, _LONG if name == "_source_line" else _STRING) for name in PARSED_COLUMNS])

_SILVER_REQUIRED = {"product", "consumer_complaint_narrative", "company", "state", "submitted_via"}
_SILVER_TYPES = {"date_received": _DATE, "date_sent_to_company": _DATE, "complaint_id": _LONG}


def _silver_field(name: str) -> pa.Field:
    is_required = name in _SILVER_REQUIRED | {"complaint_id", "date_received"}
    return pa.field(name, _SILVER_TYPES.get(name, _STRING), nullable=not is_required)


SCHEMAS: Mapping[Table, pa.Schema] = MappingProxyType(
    {
        COMPLAINTS_RAW: pa.schema([*_VERBATIM, _optional("_rescued", _STRING), *_PROVENANCE]),
        QUARANTINE: pa.schema([_required("_record", _STRING), _required("_reason", _STRING), *_PROVENANCE]),
        LANDINGS: pa.schema(
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
        # Every column may be null: an incomplete request becomes a dead letter, not a failed write.
        REQUESTS: pa.schema(
            [
                _optional("complaint_id", _LONG),
                *(_optional(name, _SILVER_TYPES.get(name, _STRING)) for name in FILED_COLUMNS),
                _optional("requested_at", _INSTANT),
            ]
        ),
        DEAD_LETTERS: pa.schema(
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
        CHECKPOINTS: pa.schema(
            [
                _required("stream", _STRING),
                _required("checkpoint_id", _STRING),
                _required("source_id", _STRING),
                _required("table_ids", _STRING),
                _required("bound_at", _INSTANT),
                _required("begun_at", _INSTANT),
                _required("is_recovering", pa.bool_()),
            ]
        ),
        COMPLAINTS: pa.schema(
            [
                *(_silver_field(name) for name in COMPLAINT_COLUMNS),
                _required("narrative_length", _INT),
                _optional("is_successful_resolution", _DOUBLE),
                *_PROVENANCE,
            ]
        ),
        REJECTED: pa.schema(
            [
                _required("_record_key", _STRING),
                *_VERBATIM,
                _required("failed_rules", _list_of(_STRING)),
                *_PROVENANCE,
            ]
        ),
        FEATURES: pa.schema(
            [
                _required("complaint_id", _LONG),
                _required("date_received", _DATE),
                _required("split", _STRING),
                _required("features", _list_of(pa.float32())),
                _optional("is_successful_resolution", _DOUBLE),
                _required("feature_model_uri", _STRING),
            ]
        ),
        PREDICTIONS: pa.schema(
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
        STREAM_PROGRESS: pa.schema(
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
        TEST_SCORES: pa.schema(
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
        FEEDBACK: pa.schema(
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
        MODEL_METRICS: pa.schema(
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
        MODEL_EVENTS: pa.schema(
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
