"""Turns bronze records into typed, labelled complaints in scope, and rejected ones with the rules that they fail."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.names import COMPLAINT_COLUMNS, COMPLAINTS, INVALID_KEY_PREFIX, NARRATIVE, REJECTED, WITHDRAWN_COLUMNS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.rules import (
    failed_rules,
    is_successful_resolution,
    known,
    parsed_complaint_id,
    parsed_date,
    restored_zip_code,
)

RECORD_KEY = "_record_key"
VERSION_ORDER = ("_ingested_at", "_source_line")


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


def with_failed_rules(records: DataFrame) -> DataFrame:
    """Adds `failed_rules`: the names of the scope rules that a record fails, empty if it is in scope."""
    return records.withColumn("failed_rules", failed_rules())


def build_complaints(records: DataFrame) -> DataFrame:
    """Types and labels the records in scope.

    Args:
        records: One row per complaint, verbatim columns and `failed_rules`.

    Returns:
        Rows of `silver.complaints`: dates as DATE, the id as BIGINT, blank and N/A as null, the narrative verbatim.
    """
    in_scope = records.where(F.size("failed_rules") == 0)
    typed = in_scope.withColumns(_typed_columns()).withColumn("narrative_length", F.length(NARRATIVE))
    labelled = typed.withColumn("is_successful_resolution", is_successful_resolution())
    return labelled.select(*SCHEMAS[COMPLAINTS].names)


def build_rejected(records: DataFrame) -> DataFrame:
    """Keeps the records that are out of scope.

    Args:
        records: One row per complaint, verbatim columns, `_record_key` and `failed_rules`.

    Returns:
        Rows of `silver.complaints_rejected`: verbatim columns and the name of every failed rule.
    """
    return records.where(F.size("failed_rules") > 0).select(*SCHEMAS[REJECTED].names)


def _typed_columns() -> dict[str, Column]:
    special = {
        "date_received": parsed_date("date_received"),
        "date_sent_to_company": parsed_date("date_sent_to_company"),
        "complaint_id": parsed_complaint_id(),
        "zip_code": restored_zip_code(),
        NARRATIVE: F.col(NARRATIVE),
    }
    return {name: special.get(name, known(name)) for name in COMPLAINT_COLUMNS}
