"""Bronze to silver: the newest version of each complaint, typed and labelled, or rejected with its reasons."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.adapters.tables import Tables
from solosolve.errors import ConservationError, TableError
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, REJECTED, WITHDRAWN_COLUMNS, Table
from solosolve.settings import Settings
from solosolve.transforms import silver

logger = logging.getLogger("solosolve.refine_complaints")

TASK = "refine_complaints"
_SILVER_KEY = "cast(silver.complaint_id AS string)"


@dataclass(frozen=True)
class Refined:
    """What became of the complaints among newly landed records."""

    record_count: int
    complaint_count: int


def run(spark: SparkSession, settings: Settings) -> Refined:
    """Merges the bronze records landed since the last run into `silver.complaints` and `silver.complaints_rejected`.

    Each bronze record is read once: the position is a streaming checkpoint, so a complaint deleted from silver
    stays deleted until a newer version of it is landed.

    Args:
        spark: The session.
        settings: Where the tables are.

    Returns:
        How many records were read and how many complaints they were.

    Raises:
        TableError: Bronze is missing, or silver has rows but the checkpoint is gone.
        ConservationError: A complaint is in neither table, or in both, after the merge.
    """
    tables = Tables(spark, settings)
    tables.require(COMPLAINTS_RAW)
    _require_position(tables)
    tables.create(COMPLAINTS)
    tables.create(REJECTED)
    refined: list[Refined] = []
    query = (
        tables.read_stream(COMPLAINTS_RAW)
        .writeStream.queryName(TASK)
        .option("checkpointLocation", tables.checkpoint(TASK))
        .trigger(availableNow=True)
        .foreachBatch(lambda records, _: refined.append(refine(tables, records)))
        .start()
    )
    query.awaitTermination()
    total = Refined(sum(part.record_count for part in refined), sum(part.complaint_count for part in refined))
    logger.info("%d new records, %d complaints", total.record_count, total.complaint_count)
    return total


def refine(tables: Tables, records: DataFrame) -> Refined:
    """Merges one batch of bronze records into the two silver tables; the same batch again changes nothing."""
    newest = silver.dedupe_to_newest(silver.with_record_key(records))
    # Not cached but cut off from the tables: what is cached is computed anew once the first merge has changed them.
    completed = silver.with_failed_rules(silver.with_earlier_values(newest, _earlier(tables))).localCheckpoint()
    _merge(tables, COMPLAINTS, silver.build_complaints(completed), completed, _SILVER_KEY)
    _merge(tables, REJECTED, silver.build_rejected(completed), completed, f"silver.{silver.RECORD_KEY}")
    return Refined(records.count(), _require_conservation(tables, completed))


def _merge(tables: Tables, table: Table, rows: DataFrame, all_newest: DataFrame, silver_key: str) -> None:
    """Upserts `rows`, and deletes complaints whose newest version now belongs to the other table."""
    kept = rows.withColumn(silver.RECORD_KEY, _key_of(table))
    moved = all_newest.join(kept.select(silver.RECORD_KEY), on=silver.RECORD_KEY, how="left_anti").select(
        silver.RECORD_KEY, "_ingested_at", "_source_line"
    )
    changes = kept.withColumn("_is_moved", F.lit(False)).unionByName(
        moved.withColumn("_is_moved", F.lit(True)), allowMissingColumns=True
    )
    is_newer = "struct(new._ingested_at, new._source_line) > struct(silver._ingested_at, silver._source_line)"
    columns = {name: f"new.{name}" for name in rows.columns}
    target = tables.delta(table)
    with tables.writing(table):
        (
            target.alias("silver")
            .merge(changes.alias("new"), f"{silver_key} = new.{silver.RECORD_KEY}")
            .whenMatchedDelete(f"new._is_moved AND {is_newer}")
            .whenMatchedUpdate(f"NOT new._is_moved AND {is_newer}", columns)
            .whenNotMatchedInsert("NOT new._is_moved", columns)
            .execute()
        )


def _earlier(tables: Tables) -> DataFrame:
    parts = [tables.read(table).withColumn(silver.RECORD_KEY, _key_of(table)) for table in (COMPLAINTS, REJECTED)]
    chosen = [part.select(silver.RECORD_KEY, *WITHDRAWN_COLUMNS, "_ingested_at", "_source_line") for part in parts]
    return chosen[0].unionByName(chosen[1])


def _key_of(table: Table):  # type: ignore[no-untyped-def]
    return F.col("complaint_id").cast("string") if table == COMPLAINTS else F.col(silver.RECORD_KEY)


def _require_conservation(tables: Tables, newest: DataFrame) -> int:
    keys = newest.select(silver.RECORD_KEY)
    placed = _earlier(tables).select(silver.RECORD_KEY).join(keys, on=silver.RECORD_KEY, how="left_semi")
    counted = placed.agg(F.count("*").alias("rows"), F.count_distinct(silver.RECORD_KEY).alias("keys")).first()
    expected = keys.count()
    if counted is None or not counted["rows"] == counted["keys"] == expected:
        raise ConservationError(
            f"{expected} complaints read, but silver and rejected together hold {counted and counted['rows']} of them"
        )
    return expected


def _require_position(tables: Tables) -> None:
    if tables.has_checkpoint(TASK) or not tables.exists(COMPLAINTS):
        return
    if not tables.read(COMPLAINTS).isEmpty():
        raise TableError(
            f"{COMPLAINTS} has rows but its position in bronze is gone ({tables.checkpoint(TASK)}): put that folder "
            f"back, or remove {COMPLAINTS} and {REJECTED} to build both anew from bronze"
        )
