"""The schema of each table, stated once in Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from solosolve.model_schemas import MODEL_SCHEMAS
from solosolve.names import (
    ALERTS,
    CHECKPOINTS,
    COMPLAINT_COLUMNS,
    COMPLAINTS,
    COMPLAINTS_RAW,
    DEAD_LETTERS,
    FILED_COLUMNS,
    LANDINGS,
    QUARANTINE,
    REJECTED,
    REQUESTS,
    STREAM_PROGRESS,
    Table,
)
from solosolve.schema_fields import BYTES, DATE, DOUBLE, INSTANT, INT, LONG, STRING, list_of, optional, required

_VERBATIM = [optional(name, STRING) for name in COMPLAINT_COLUMNS]
_PROVENANCE = [
    required("_source_file", STRING),
    required("_source_sha256", STRING),
    required("_source_line", LONG),
    required("_ingested_at", INSTANT),
]

PROVENANCE = tuple(field.name for field in _PROVENANCE)
"""The columns that say where a record came from."""

PARSED_COLUMNS = (*COMPLAINT_COLUMNS, "_rescued", "_source_line", "_record", "_reason")
"""The columns of a parsed record, null where they do not apply.

A good record has the complaint's columns and `_rescued`, a bad one `_record` and `_reason`; both have `_source_line`.
"""

PARSED_SCHEMA = pa.schema([(name, LONG if name == "_source_line" else STRING) for name in PARSED_COLUMNS])

_SILVER_REQUIRED = {"product", "consumer_complaint_narrative", "company", "state", "submitted_via"}
_SILVER_TYPES = {"date_received": DATE, "date_sent_to_company": DATE, "complaint_id": LONG}


def _silver_field(name: str) -> pa.Field:
    is_required = name in _SILVER_REQUIRED | {"complaint_id", "date_received"}
    return pa.field(name, _SILVER_TYPES.get(name, STRING), nullable=not is_required)


SCHEMAS: Mapping[Table, pa.Schema] = MappingProxyType(
    {
        COMPLAINTS_RAW: pa.schema([*_VERBATIM, optional("_rescued", STRING), *_PROVENANCE]),
        QUARANTINE: pa.schema([required("_record", STRING), required("_reason", STRING), *_PROVENANCE]),
        LANDINGS: pa.schema(
            [
                required("source_file", STRING),
                required("source_sha256", STRING),
                required("layout", STRING),
                required("byte_count", LONG),
                required("record_count", LONG),
                required("bronze_count", LONG),
                required("quarantine_count", LONG),
                required("landed_at", INSTANT),
            ]
        ),
        # Every column may be null: an incomplete request becomes a dead letter, not a failed write.
        REQUESTS: pa.schema(
            [
                optional("complaint_id", LONG),
                *(optional(name, _SILVER_TYPES.get(name, STRING)) for name in FILED_COLUMNS),
                optional("requested_at", INSTANT),
                optional("source", STRING),
                optional("source_position", STRING),
            ]
        ),
        DEAD_LETTERS: pa.schema(
            [
                required("letter_id", STRING),
                required("topic", STRING),
                required("partition", INT),
                required("offset", LONG),
                optional("key", BYTES),
                optional("value", BYTES),
                required("reason", STRING),
                required("failed_at", INSTANT),
            ]
        ),
        CHECKPOINTS: pa.schema(
            [
                required("stream", STRING),
                required("checkpoint_id", STRING),
                required("source_id", STRING),
                required("table_ids", STRING),
                required("bound_at", INSTANT),
                required("begun_at", INSTANT),
                required("is_recovering", pa.bool_()),
            ]
        ),
        COMPLAINTS: pa.schema(
            [
                *(_silver_field(name) for name in COMPLAINT_COLUMNS),
                required("narrative_length", INT),
                optional("is_successful_resolution", DOUBLE),
                *_PROVENANCE,
            ]
        ),
        REJECTED: pa.schema(
            [
                required("_record_key", STRING),
                *_VERBATIM,
                required("failed_rules", list_of(STRING)),
                *_PROVENANCE,
            ]
        ),
        STREAM_PROGRESS: pa.schema(
            [
                required("ended_at", INSTANT),
                required("source", STRING),
                required("checkpoint_id", STRING),
                required("batch_id", LONG),
                optional("model_version", INT),
                required("request_count", LONG),
                required("prediction_count", LONG),
                required("dead_letter_count", LONG),
                required("batch_seconds", DOUBLE),
                optional("input_rate", DOUBLE),
                optional("processed_rate", DOUBLE),
                optional("latency_p50_seconds", DOUBLE),
                optional("latency_p99_seconds", DOUBLE),
                optional("lag", LONG),
            ]
        ),
        ALERTS: pa.schema(
            [
                required("alert", STRING),
                required("opened_at", INSTANT),
                optional("closed_at", INSTANT),
                required("severity", STRING),
                required("evidence", STRING),
                required("what_to_do", STRING),
            ]
        ),
    }
    | dict(MODEL_SCHEMAS)
)
