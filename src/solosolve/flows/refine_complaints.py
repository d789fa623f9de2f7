"""Bronze to silver: the newest version of each complaint, typed and labelled, or rejected with the reasons."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ConservationError, TableError
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, REJECTED, WITHDRAWN_COLUMNS, Table
from solosolve.settings import Settings
from solosolve.storage.adoption import adopt, staging_folder
from solosolve.storage.staging import stage_rows
from solosolve.storage.table_facts import count_rows, newest_version
from solosolve.storage.tables import Tables
from solosolve.transforms import silver

logger = logging.getLogger("solosolve.refine_complaints")

TASK = "refine_complaints"
_BATCH_BYTES = 256 << 20
"""How much of bronze a batch reads, as compressed files; their content is several times as large."""
_BROADCAST_KEYS = 200_000
_SINGLE, _SEVERAL, _MERGED = "single", "several", "merged"
_NUMBER, _CASE = "_number", "_case"
_KEYS = {COMPLAINTS: "complaint_id", REJECTED: silver.RECORD_KEY}
_IS_NEWER = "struct(new._ingested_at, new._source_line) > struct(silver._ingested_at, silver._source_line)"


@dataclass(frozen=True)
class Refined:
    """The number of new bronze records, and of the complaints that they describe."""

    record_count: int
    complaint_count: int


def run(spark: SparkSession, settings: Settings) -> Refined:
    """Merges the bronze records landed since the last run into `silver.complaints` and `silver.complaints_rejected`.

    Each bronze record is read once, because the position is a streaming checkpoint. So a complaint deleted from silver
    stays deleted until a newer version of it is landed.

    Args:
        spark: The session.
        settings: Locates the tables.

    Returns:
        The number of records read and of complaints among them.

    Raises:
        MissingTableError: There is no `bronze.complaints` yet.
        TableError: Silver and its checkpoint do not belong together.
        ConservationError: A complaint is in neither table, or in both, after the merge.
    """
    tables = Tables(spark, settings)
    tables.require(COMPLAINTS_RAW)
    _require_position(tables)
    tables.create(COMPLAINTS)
    tables.create(REJECTED)
    if not _has_new_commits(tables):
        logger.info("no new records")
        return Refined(0, 0)
    refined: list[Refined] = []
    query = (
        tables.read_stream(COMPLAINTS_RAW, max_bytes=_BATCH_BYTES)
        .writeStream.queryName(TASK)
        .option("checkpointLocation", str(tables.checkpoint(TASK)))
        .trigger(availableNow=True)
        .foreachBatch(lambda records, _: refined.append(refine(tables, records)))
        .start()
    )
    query.awaitTermination()
    total = Refined(sum(part.record_count for part in refined), sum(part.complaint_count for part in refined))
    logger.info("%d new records, %d complaints", total.record_count, total.complaint_count)
    return total


def refine(tables: Tables, records: DataFrame) -> Refined:
    """Merges one batch of bronze records into the two silver tables; repeating the batch changes nothing.

    Complaints that silver does not have are appended straight from bronze. Only the others, and records without a
    valid id, are compared with what silver has and merged.

    Args:
        tables: The tables; both silver tables exist.
        records: New rows of `bronze.complaints`.

    Returns:
        The number of records in the batch and of complaints among them.

    Raises:
        ConservationError: A complaint is in neither silver table, or in both, after the merge.
        TableError: Another process holds the lock of a silver table.
    """
    ids = _ids(tables, records)
    counted = ids.groupBy(_CASE).agg(F.sum("record_count").alias("records"), F.count("*").alias("ids")).collect()
    record_count = sum(row["records"] for row in counted)
    ids_of = {row[_CASE]: row["ids"] for row in counted}
    numbered = records.withColumn(_NUMBER, silver.parsed_complaint_id())
    if ids_of.keys() == {_SINGLE}:
        numbered = numbered.withColumn(_CASE, F.lit(_SINGLE))
    else:
        others = ids.where(F.col(_CASE) != _SINGLE).select(_NUMBER, _CASE)
        others = F.broadcast(others) if sum(ids_of.values()) - ids_of.get(_SINGLE, 0) <= _BROADCAST_KEYS else others
        # The null id matches nothing.
        case = F.when(F.col(_NUMBER).isNull(), _MERGED).otherwise(F.coalesce(_CASE, F.lit(_SINGLE)))
        numbered = numbered.join(others, on=_NUMBER, how="left").withColumn(_CASE, case)
    keyed = numbered.withColumn(silver.RECORD_KEY, F.col(_NUMBER).cast("string"))
    single, several, merged = (
        keyed.where(F.col(_CASE) == case).drop(_NUMBER, _CASE) for case in (_SINGLE, _SEVERAL, _MERGED)
    )
    if new_count := ids_of.get(_SINGLE, 0) + ids_of.get(_SEVERAL, 0):
        new = single.unionByName(silver.dedupe_to_newest(several)) if ids_of.get(_SEVERAL) else single
        _append(tables, new, new_count)
    return Refined(record_count, new_count + (_merge(tables, merged) if ids_of.get(_MERGED) else 0))


def _ids(tables: Tables, records: DataFrame) -> DataFrame:
    """The ids in the batch: one row each with `_number`, `record_count` and `_case`.

    The case is `single` for one record that silver does not have, `several` for versions that it does not have, and
    `merged` for complaints that it has. The null id, which stands for all that are not valid, is merged, too.
    """
    counted = records.groupBy(silver.parsed_complaint_id().alias(_NUMBER)).agg(F.count("*").alias("record_count"))
    if _placed_count(tables):
        key = F.col(silver.RECORD_KEY).try_cast("bigint").alias(_NUMBER)
        # An interrupted merge may have left a complaint in both tables.
        known = _placed(tables).select(key, F.lit(True).alias("is_known")).distinct()
        joined = counted.join(known, on=_NUMBER, how="left")
    else:
        joined = counted.withColumn("is_known", F.lit(None).cast("boolean"))
    is_merged = F.col(_NUMBER).isNull() | F.col("is_known").isNotNull()
    case = F.when(is_merged, _MERGED).when(F.col("record_count") > 1, _SEVERAL).otherwise(_SINGLE)
    ids = joined.select(_NUMBER, "record_count", case.alias(_CASE))
    return ids.localCheckpoint(storageLevel=StorageLevel.DISK_ONLY)


def _append(tables: Tables, records: DataFrame, count: int) -> None:
    """Judges records of `count` complaints that silver does not have, and appends each to one of the two tables."""

    def judge(batch: pa.RecordBatch) -> dict[Table, pa.RecordBatch]:
        judged = silver.judge(batch)
        return {COMPLAINTS: silver.complaints_of(judged), REJECTED: silver.rejected_of(judged)}

    before = _placed_count(tables)
    files = stage_rows(records, {table: staging_folder(tables, table) for table in _KEYS}, judge)
    for table in _KEYS:
        adopt(tables, table, files)
    if _placed_count(tables) != before + count:
        raise ConservationError(f"{count} new complaints read, but silver and rejected grew by another number")


def _merge(tables: Tables, records: DataFrame) -> int:
    """Merges complaints that silver may have already; returns their number."""
    newest = silver.dedupe_to_newest(silver.with_record_key(records))
    # A checkpoint, not a cache: cached rows would be recomputed once the first merge has changed the tables.
    completed = silver.with_earlier_values(newest, _earlier(tables))
    judged = silver.with_judgement(completed).localCheckpoint(storageLevel=StorageLevel.DISK_ONLY)
    complaints, rejected = silver.build_complaints(judged), silver.build_rejected(judged)
    _upsert(tables, COMPLAINTS, complaints)
    _upsert(tables, REJECTED, rejected)
    # Write before delete: an interrupted run leaves a complaint that moves in both tables, never in neither.
    _delete_moved(tables, COMPLAINTS, rejected)
    _delete_moved(tables, REJECTED, complaints.withColumn(silver.RECORD_KEY, _key_of(COMPLAINTS)))
    return _require_conservation(tables, judged)


def _upsert(tables: Tables, table: Table, rows: DataFrame) -> None:
    columns = {name: f"new.{name}" for name in rows.columns}
    with tables.writing(table):
        (
            tables.delta(table)
            .alias("silver")
            .merge(rows.alias("new"), f"silver.{_KEYS[table]} = new.{_KEYS[table]}")
            .whenMatchedUpdate(_IS_NEWER, columns)
            .whenNotMatchedInsert(None, columns)
            .execute()
        )


def _delete_moved(tables: Tables, table: Table, moved: DataFrame) -> None:
    """Deletes complaints whose newest version belongs to the other table."""
    new = moved.select(silver.RECORD_KEY, *silver.VERSION_ORDER).alias("new")
    is_same = f"cast(silver.{_KEYS[table]} AS string) = new.{silver.RECORD_KEY}"
    stale = tables.read(table).alias("silver").join(new, on=F.expr(f"{is_same} AND {_IS_NEWER}"), how="left_semi")
    if stale.isEmpty():
        return
    with tables.writing(table):
        tables.delta(table).alias("silver").merge(new, is_same).whenMatchedDelete(_IS_NEWER).execute()


def _earlier(tables: Tables) -> DataFrame:
    """What is known of each complaint: one row with `_record_key`, the withdrawn columns and the version."""
    return silver.dedupe_to_newest(_placed(tables))


def _placed(tables: Tables) -> DataFrame:
    parts = [tables.read(table).withColumn(silver.RECORD_KEY, _key_of(table)) for table in (COMPLAINTS, REJECTED)]
    chosen = [part.select(silver.RECORD_KEY, *WITHDRAWN_COLUMNS, *silver.VERSION_ORDER) for part in parts]
    return chosen[0].unionByName(chosen[1])


def _key_of(table: Table) -> Column:
    """The `_record_key` of a silver row."""
    return F.col(_KEYS[table]).cast("string")


def _placed_count(tables: Tables) -> int:
    """The number of complaints in silver, in either table."""
    return sum(count_rows(tables, table) for table in _KEYS)


def _require_conservation(tables: Tables, newest: DataFrame) -> int:
    keys = newest.select(silver.RECORD_KEY)
    placed = _placed(tables).select(silver.RECORD_KEY).join(keys, on=silver.RECORD_KEY, how="left_semi")
    counted = placed.agg(F.count("*").alias("rows"), F.count_distinct(silver.RECORD_KEY).alias("keys")).collect()[0]
    expected = keys.count()
    if not counted["rows"] == counted["keys"] == expected:
        raise ConservationError(
            f"{expected} complaints read, but silver and rejected together hold {counted['rows']} of them"
        )
    return expected


def _has_new_commits(tables: Tables) -> bool:
    """Whether bronze has commits after the position. Starting a query only to find none would take seconds."""
    position = tables.checkpoint(TASK).delta_position()
    if position is None:
        return True
    table_id, number = newest_version(tables, COMPLAINTS_RAW)
    return position[0] != table_id or number >= position[1]


def _require_position(tables: Tables) -> None:
    has_tables = tables.exists(COMPLAINTS) and tables.exists(REJECTED)
    if tables.checkpoint(TASK).exists and not has_tables:
        raise TableError(
            f"{COMPLAINTS} or {REJECTED} is missing, but the checkpoint of its position in bronze still exists: to "
            f"rebuild both from bronze, remove {tables.checkpoint(TASK)} and what is left of the two tables"
        )
    if not tables.checkpoint(TASK).exists and tables.exists(COMPLAINTS) and not tables.read(COMPLAINTS).isEmpty():
        raise TableError(
            f"{COMPLAINTS} has rows, but its position in bronze is missing: restore {tables.checkpoint(TASK)}, or "
            f"remove {COMPLAINTS} and {REJECTED} to rebuild both from bronze"
        )
