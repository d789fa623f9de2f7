"""The constraints and the other properties that Delta keeps for each table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from solosolve.names import (
    COMPLAINTS,
    FEATURES,
    PREDICTIONS,
    REJECTED,
    REQUESTS,
    SPLITS,
    STREAM_PROGRESS,
    TEST_SCORES,
    Table,
)
from solosolve.schemas import SCHEMAS

_SPLITS = ", ".join(f"'{split}'" for split in SPLITS)

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
            "split_is_known": f"split IN ({_SPLITS})",
        },
        TEST_SCORES: {"probability_is_a_probability": "probability >= 0 AND probability <= 1"},
        PREDICTIONS: {
            "probability_is_a_probability": "probability >= 0 AND probability <= 1",
            "prediction_is_a_class": "prediction IN (0.0, 1.0)",
        },
    }
)
"""`CHECK` constraints: the SQL condition by table and name."""

_PROPERTIES = {
    # delta-rs, which the dashboard reads with, cannot open a table with deletion vectors.
    "delta.enableDeletionVectors": "false",
    # With Delta's default of 10, every tenth commit is slow.
    "delta.checkpointInterval": "100",
}
_PROPERTIES_OF: Mapping[Table, Mapping[str, str]] = {
    # The stream reads each request with the version that brought it.
    # A new stream, and a recovery, begin at the first version.
    REQUESTS: {"delta.enableChangeDataFeed": "true", "delta.logRetentionDuration": "interval 3650 days"},
    # Written every few seconds, and read for its newest rows only.
    STREAM_PROGRESS: {
        "delta.logRetentionDuration": "interval 1 day",
        "delta.deletedFileRetentionDuration": "interval 1 day",
    },
}
_FILTERED_COLUMNS = (
    "complaint_id",
    "date_received",
    "_source_sha256",
    "_ingested_at",
    "model_version",
    "scored_at",
    "batch_id",
    "ended_at",
)


def table_properties(table: Table) -> dict[str, str]:
    """The Delta properties of a table, except those of its constraints."""
    found = _PROPERTIES | dict(_PROPERTIES_OF.get(table, {}))
    # Statistics only on the columns that queries filter by: on all of them they cost more than the write.
    if filtered := statistics_columns(table):
        found["delta.dataSkippingStatsColumns"] = ",".join(filtered)
    return found


def statistics_columns(table: Table) -> tuple[str, ...]:
    """The columns whose minimum and maximum Delta keeps for each of the table's files."""
    return tuple(name for name in _FILTERED_COLUMNS if name in SCHEMAS[table].names)
