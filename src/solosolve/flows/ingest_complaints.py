"""Landing files to bronze: every record kept, verbatim or in quarantine with the reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from solosolve.adapters.landing import PARSED_COLUMNS, LandingPlan, find_landing_files, plan_landing, read_part
from solosolve.adapters.tables import Tables
from solosolve.errors import ConservationError, NotAComplaintFileError
from solosolve.names import COMPLAINTS_RAW, LANDINGS, QUARANTINE, Table
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings

logger = logging.getLogger("solosolve.ingest_complaints")

_PARSED_DDL = ", ".join(f"{name} {'bigint' if name == '_source_line' else 'string'}" for name in PARSED_COLUMNS)


@dataclass(frozen=True)
class Landed:
    """What became of one landing file's records."""

    source_file: str
    source_sha256: str
    layout: str
    byte_count: int
    record_count: int
    bronze_count: int
    quarantine_count: int
    landed_at: datetime


def run(spark: SparkSession, settings: Settings, source: str) -> list[Landed]:
    """Lands the files of `source` that have not been landed yet, one at a time.

    Changed are `bronze.complaints`, `bronze.complaints_quarantine` and, last, `bronze.landings`: a file without
    its row there is landed again, and content whose SHA-256 is there adds nothing.

    Args:
        spark: The session.
        settings: Where the tables are.
        source: A file, folder or glob, in the working folder or the home; plain, `.gz` or `.zip`.

    Returns:
        One value a newly landed file.

    Raises:
        NotAComplaintFileError: Some files are no complaint files; the others have been landed.
        ConservationError: A file's records are not all in bronze or quarantine.
    """
    tables = Tables(spark, settings)
    known = _distinct(tables, LANDINGS, "source_sha256")
    # One file is one commit: rows without a ledger row mean that a landing stopped right behind that commit.
    interrupted = _distinct(tables, COMPLAINTS_RAW, "_source_sha256") - known
    landed, refused = [], []
    for file in find_landing_files(_located(source, settings)):
        try:
            plan = plan_landing(file)
        except NotAComplaintFileError as error:
            refused.append(str(error))
            continue
        if plan.sha256 in known:
            logger.info("%s: already landed, nothing added", file)
            continue
        known.add(plan.sha256)
        landed.append(_land(tables, plan, is_in_bronze=plan.sha256 in interrupted))
    if refused:
        raise NotAComplaintFileError("; ".join(refused))
    return landed


def _located(source: str, settings: Settings) -> str:
    """A relative source that the working folder does not have is one of the home folder (local only)."""
    at_home = settings.home / source
    return str(at_home) if settings.is_local and not Path(source).exists() and at_home.exists() else source


def _land(tables: Tables, plan: LandingPlan, *, is_in_bronze: bool) -> Landed:
    for table in (COMPLAINTS_RAW, QUARANTINE, LANDINGS):
        tables.create(table)
    landed_at = datetime.now(UTC)
    parsed = parse_landing(tables.spark, plan).withColumns(
        {
            "_source_file": F.lit(str(plan.file)),
            "_source_sha256": F.lit(plan.sha256),
            "_ingested_at": F.lit(landed_at),
        }
    )
    counts = _write_bronze(tables, parsed, is_in_bronze=is_in_bronze)
    if counts["quarantined"]:
        bad = parsed.where(F.col("_reason").isNotNull())
        tables.overwrite(QUARANTINE, bad, where=f"_source_sha256 = '{plan.sha256}'")
    in_table = _counts(tables, plan)
    result = Landed(
        source_file=str(plan.file),
        source_sha256=plan.sha256,
        layout=plan.layout.name,
        byte_count=plan.byte_count,
        record_count=counts["records"],
        bronze_count=in_table[COMPLAINTS_RAW],
        quarantine_count=in_table[QUARANTINE],
        landed_at=landed_at,
    )
    if result.record_count != result.bronze_count + result.quarantine_count:
        raise ConservationError(
            f"{plan.file}: {result.record_count} records read, but {result.bronze_count} in bronze "
            f"and {result.quarantine_count} in quarantine"
        )
    tables.append(LANDINGS, tables.spark.createDataFrame([result], SCHEMAS[LANDINGS]))
    logger.info(
        "%s: %d records = %d bronze + %d quarantined",
        plan.file, result.record_count, result.bronze_count, result.quarantine_count,
    )  # fmt: skip
    return result


def _write_bronze(tables: Tables, parsed: DataFrame, *, is_in_bronze: bool) -> dict[str, int]:
    """Appends the good records, unless they are there, and counts all of them in the same pass."""
    observation = Observation("landing")
    is_bad = F.col("_reason").isNotNull()
    counted = parsed.observe(
        observation, F.count(F.lit(1)).alias("records"), F.count_if(is_bad).alias("quarantined")
    ).where(~is_bad)
    if is_in_bronze:
        counted.write.format("noop").mode("overwrite").save()
    else:
        tables.append(COMPLAINTS_RAW, counted)
    return {name: int(value) for name, value in observation.get.items()}


def parse_landing(spark: SparkSession, plan: LandingPlan) -> DataFrame:
    """Parses a planned file, one task a part.

    Returns:
        PARSED_COLUMNS, one row a record, good or bad.
    """

    def parse(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                yield from read_part(plan, number)

    count = len(plan.parts)
    return spark.range(0, count, 1, numPartitions=count).mapInArrow(parse, _PARSED_DDL)


def _distinct(tables: Tables, table: Table, column: str) -> set[str]:
    if not tables.exists(table):
        return set()
    return {row[column] for row in tables.read(table).select(column).distinct().collect()}


def _counts(tables: Tables, plan: LandingPlan) -> dict[Table, int]:
    """How many rows of the file each table really holds."""
    of_file = F.col("_source_sha256") == plan.sha256
    parts = [
        tables.read(table).where(of_file).agg(F.lit(str(table)).alias("table"), F.count("*").alias("count"))
        for table in (COMPLAINTS_RAW, QUARANTINE)
    ]
    found = {row["table"]: row["count"] for row in parts[0].unionByName(parts[1]).collect()}
    return {table: found[str(table)] for table in (COMPLAINTS_RAW, QUARANTINE)}
