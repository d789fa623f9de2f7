"""Turns bronze records into typed, labelled complaints in scope, and rejected ones with the rules that they fail."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.landing.normalise import COMPLAINT_ID_PATTERN, WHITE_SPACE
from solosolve.names import (
    COMPLAINT_COLUMNS,
    COMPLAINTS,
    INVALID_KEY_PREFIX,
    LABEL,
    NARRATIVE,
    REJECTED,
    WITHDRAWN_COLUMNS,
)
from solosolve.schemas import PROVENANCE, SCHEMAS
from solosolve.spark_schemas import spark_types
from solosolve.transforms.rules import SCOPE_RULES, Typed, success_labels

RECORD_KEY = "_record_key"
VERSION_ORDER = ("_ingested_at", "_source_line")
OUTCOME = ("company_response_to_consumer", "timely_response", "consumer_disputed")
"""The columns that the label is made from."""

JUDGED_SCHEMA = pa.schema(
    [
        *(pa.field(field.name, field.type) for field in SCHEMAS[REJECTED]),
        pa.field("complaint", pa.struct([pa.field(field.name, field.type) for field in SCHEMAS[COMPLAINTS]])),
    ]
)


def with_record_key(records: DataFrame) -> DataFrame:
    """Adds `_record_key`: the complaint id as text, or a digest of the whole record where the id is not valid.

    The digest keeps records without a valid id distinct, so that none is taken for a version of another.
    """
    number = parsed_complaint_id().cast("string")
    digest = F.concat(F.lit(INVALID_KEY_PREFIX), F.sha2(F.to_json(F.struct(*COMPLAINT_COLUMNS)), 256))
    return records.withColumn(RECORD_KEY, F.coalesce(number, digest))


def dedupe_to_newest(records: DataFrame) -> DataFrame:
    """Keeps the newest version of each complaint: the last to land or, within one file, the last in the file.

    Where a newer file does not have a withdrawn column (null in bronze; blank is a value), the older version's value
    stays.

    Args:
        records: `bronze.complaints` rows with `_record_key`.

    Returns:
        One row per `_record_key`, the same columns.
    """
    newest_first = Window.partitionBy(RECORD_KEY).orderBy(*(F.col(name).desc() for name in VERSION_ORDER))
    all_versions = newest_first.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    kept = {name: F.first(name, ignorenulls=True).over(all_versions) for name in WITHDRAWN_COLUMNS}
    return (
        records.withColumns({**kept, "_rank": F.row_number().over(newest_first)})
        .where(F.col("_rank") == 1)
        .drop("_rank")
    )


def with_earlier_values(newest: DataFrame, earlier: DataFrame) -> DataFrame:
    """Fills the withdrawn columns that the newest file does not have with the values already in silver.

    A record older than the version in silver is dropped. It could otherwise end up in the other silver table and leave
    the complaint in both.

    Args:
        newest: One row per `_record_key`, verbatim columns.
        earlier: `_record_key`, the withdrawn columns, `_ingested_at` and `_source_line` of silver rows.

    Returns:
        The rows of `newest` that are not older than silver's, with the same columns, the withdrawn ones filled.
    """
    prior = earlier.select(
        RECORD_KEY,
        F.struct(*VERSION_ORDER).alias("_earlier_version"),
        *(F.col(name).alias(f"_earlier_{name}") for name in WITHDRAWN_COLUMNS),
    )
    filled = {name: F.coalesce(name, f"_earlier_{name}") for name in WITHDRAWN_COLUMNS}
    is_late = F.coalesce(F.struct(*VERSION_ORDER) < F.col("_earlier_version"), F.lit(False))
    joined = newest.join(prior, on=RECORD_KEY, how="left").where(~is_late)
    return joined.withColumns(filled).select(*newest.columns)


def judge(records: pa.RecordBatch) -> pa.RecordBatch:
    """Types and labels records, and lists the scope rules that each fails.

    Args:
        records: Columns of `bronze.complaints` and `_record_key`.

    Returns:
        JUDGED_SCHEMA: the columns of `silver.complaints_rejected`, verbatim, and `complaint`, the row of
        `silver.complaints`, null if the record is out of scope.
    """
    typed = Typed(records)
    broken = np.column_stack([~rule(typed).to_numpy(zero_copy_only=False) for rule in SCOPE_RULES.values()])
    rejected = {name: records.column(name) for name in SCHEMAS[REJECTED].names if name != "failed_rules"}
    complaint = typed.columns | {
        "narrative_length": pc.utf8_length(records.column(NARRATIVE)),
        LABEL: success_labels(*(typed.columns[name] for name in OUTCOME)),
        **{name: records.column(name) for name in PROVENANCE},
    }
    schema = SCHEMAS[COMPLAINTS]
    is_out = pa.array(broken.any(axis=1))
    fields = [pa.field(field.name, field.type) for field in schema]
    row = pa.StructArray.from_arrays([complaint[name] for name in schema.names], fields=fields, mask=is_out)
    columns = rejected | {"failed_rules": _names_of(broken), "complaint": row}
    return pa.RecordBatch.from_arrays([columns[name] for name in JUDGED_SCHEMA.names], schema=JUDGED_SCHEMA)


def complaints_of(judged: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of `silver.complaints` among judged records."""
    in_scope = judged.column("complaint").drop_null()
    return pa.RecordBatch.from_struct_array(in_scope)


def rejected_of(judged: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of `silver.complaints_rejected` among judged records."""
    return judged.filter(pc.is_null(judged.column("complaint"))).select(SCHEMAS[REJECTED].names)


def with_judgement(records: DataFrame) -> DataFrame:
    """Judges records in Spark's workers.

    Args:
        records: Columns of `bronze.complaints` and `_record_key`.

    Returns:
        The columns of JUDGED_SCHEMA.
    """

    def judge_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return map(judge, batches)

    return records.mapInArrow(judge_batches, spark_types(JUDGED_SCHEMA))


def build_complaints(judged: DataFrame) -> DataFrame:
    """The rows of `silver.complaints` among judged records."""
    return judged.where(F.col("complaint").isNotNull()).select("complaint.*")


def build_rejected(judged: DataFrame) -> DataFrame:
    """The rows of `silver.complaints_rejected` among judged records, each with the name of every rule it fails."""
    return judged.where(F.col("complaint").isNull()).select(*SCHEMAS[REJECTED].names)


def parsed_complaint_id() -> Column:
    """The complaint id as BIGINT; null unless the text is a positive whole number."""
    # Trimming is slow, and nearly no id needs it.
    text = F.col("complaint_id")
    is_number = text.rlike(rf"^{COMPLAINT_ID_PATTERN}\z")
    trimmed = F.trim(text, F.lit(WHITE_SPACE))
    is_number_within = trimmed.rlike(rf"^{COMPLAINT_ID_PATTERN}\z")
    number = F.when(is_number, text.cast("bigint")).when(is_number_within, trimmed.cast("bigint"))
    return F.when(number > 0, number)


def _names_of(broken: NDArray[np.bool_]) -> pa.Array:
    """The names of the broken rules of each record, from a row of flags each."""
    offsets = np.concatenate(([0], np.cumsum(broken.sum(axis=1)))).astype(np.int32)
    names = pa.array(list(SCOPE_RULES)).take(pa.array(np.nonzero(broken)[1]))
    return pa.ListArray.from_arrays(offsets, names, type=JUDGED_SCHEMA.field("failed_rules").type)
