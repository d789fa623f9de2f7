"""Bronze records to typed, labelled, in-scope complaints, and the rest with their reasons."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.names import COMPLAINT_COLUMNS, COMPLAINTS, NARRATIVE, REJECTED, WITHDRAWN_COLUMNS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.rules import failed_rules, is_successful_resolution, known, parsed_complaint_id, parsed_date

RECORD_KEY = "_record_key"
VERSION_ORDER = ("_ingested_at", "_source_line")


def with_record_key(records: DataFrame) -> DataFrame:
    """Adds `_record_key`: the complaint's number as text, or a digest of the whole record where it has no valid one.

    So records without a usable id are told apart, and none is taken for a version of another.
    """
    number = parsed_complaint_id().cast("string")
    digest = F.concat(F.lit("invalid:"), F.sha2(F.to_json(F.struct(*COMPLAINT_COLUMNS)), 256))
    return records.withColumn(RECORD_KEY, F.coalesce(number, digest))


def dedupe_to_newest(records: DataFrame) -> DataFrame:
    """Keeps the newest version of each complaint: the last landed, within a file the last written.

    A column that a newer file does not have (null in bronze; blank is a value) keeps the older version's value.

    Args:
        records: `bronze.complaints` rows with `_record_key`.

    Returns:
        One row a `_record_key`, the same columns.
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
    """Fills withdrawn columns that the newest file does not have from what is already known of the complaint.

    A record that comes late, behind a newer version of its complaint, is dropped: it would stand beside that version
    where the two belong to different tables.

    Args:
        newest: One row a `_record_key`, verbatim columns.
        earlier: `_record_key`, the withdrawn columns, `_ingested_at` and `_source_line` of `silver` rows.

    Returns:
        The rows of `newest` that no newer one precedes, with its columns, the withdrawn ones filled.
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
    """Adds `failed_rules`, empty where the record is in scope."""
    return records.withColumn("failed_rules", failed_rules())


def build_complaints(records: DataFrame) -> DataFrame:
    """Types and labels the in-scope records.

    Args:
        records: One row a complaint, verbatim columns and `failed_rules`.

    Returns:
        Rows of `silver.complaints`: dates DATE, id BIGINT, blank and N/A null, narrative kept verbatim.
    """
    in_scope = records.where(F.size("failed_rules") == 0)
    typed = in_scope.withColumns(_typed_columns()).withColumn("narrative_length", F.length(NARRATIVE))
    labelled = typed.withColumn("is_successful_resolution", is_successful_resolution())
    return labelled.select(*SCHEMAS[COMPLAINTS].fieldNames())


def build_rejected(records: DataFrame) -> DataFrame:
    """Keeps the records out of scope.

    Args:
        records: One row a complaint, verbatim columns, `_record_key` and `failed_rules`.

    Returns:
        Rows of `silver.complaints_rejected`: verbatim columns and every failed rule's name.
    """
    return records.where(F.size("failed_rules") > 0).select(*SCHEMAS[REJECTED].fieldNames())


def _typed_columns() -> dict[str, Column]:
    special = {
        "date_received": parsed_date("date_received"),
        "date_sent_to_company": parsed_date("date_sent_to_company"),
        "complaint_id": parsed_complaint_id(),
        "zip_code": _restored_zip_code(),
        NARRATIVE: F.col(NARRATIVE),
    }
    return {name: special.get(name, known(name)) for name in COMPLAINT_COLUMNS}


def _restored_zip_code() -> Column:
    """Puts back the leading zeros that spreadsheets take from ZIP codes of the north-east."""
    code = known("zip_code")
    return F.when(code.rlike(r"^\d{3,4}$"), F.lpad(code, 5, "0")).otherwise(code)
