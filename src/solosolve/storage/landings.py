"""Writes parsed records to bronze and quarantine, and records each completed landing in `bronze.landings`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from solosolve.errors import ConservationError
from solosolve.names import COMPLAINTS_RAW, LANDINGS, QUARANTINE, Table
from solosolve.spark_schemas import spark_schema
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.ingest_complaints")


@dataclass(frozen=True)
class Origin:
    """The origin of records, as `bronze.landings` records it.

    Attributes:
        source_file: The file or the topic.
        source_sha256: Unique digest of the landing: of the file's content, or of the batch's position in its stream.
        layout: Name of the layout of the fields.
        byte_count: Size of the content in bytes.
    """

    source_file: str
    source_sha256: str
    layout: str
    byte_count: int


@dataclass(frozen=True)
class Landed:
    """A row of `bronze.landings`: how many records of a landing went where."""

    source_file: str
    source_sha256: str
    layout: str
    byte_count: int
    record_count: int
    bronze_count: int
    quarantine_count: int
    landed_at: datetime


class Landings:
    """The landings so far, identified by the digests in the tables."""

    def __init__(self, tables: Tables) -> None:
        """Reads the digests of completed and interrupted landings."""
        self._tables = tables
        self._known = self._digests(LANDINGS, "source_sha256")
        # A landing appends to bronze in one commit and is recorded after it: rows without a record were interrupted
        # between the two.
        self._interrupted = self._digests(COMPLAINTS_RAW, "_source_sha256") - self._known

    def has(self, digest: str) -> bool:
        """Whether the landing with this digest is complete."""
        return digest in self._known

    def land(self, parsed: DataFrame, origin: Origin, source_file: Column | None = None) -> Landed:
        """Writes the records of a landing, or completes an interrupted one.

        Args:
            parsed: PARSED_COLUMNS.
            origin: Where the records come from.
            source_file: `_source_file` of each record, if it differs from the origin's.

        Returns:
            The counts, read back from the tables.

        Raises:
            ConservationError: Some records are in neither table, or in both.
        """
        for table in (COMPLAINTS_RAW, QUARANTINE, LANDINGS):
            self._tables.create(table)
        landed_at = datetime.now(UTC)
        records = parsed.withColumns(
            {
                "_source_file": F.lit(origin.source_file) if source_file is None else source_file,
                "_source_sha256": F.lit(origin.source_sha256),
                "_ingested_at": F.lit(landed_at),
            }
        )
        record_count, bad_count = self._write_bronze(records, is_in_bronze=origin.source_sha256 in self._interrupted)
        if bad_count:
            bad = records.where(F.col("_reason").isNotNull())
            self._tables.overwrite(QUARANTINE, bad, where=f"_source_sha256 = '{origin.source_sha256}'")
        in_table = self._counts(origin.source_sha256)
        landed = Landed(
            source_file=origin.source_file,
            source_sha256=origin.source_sha256,
            layout=origin.layout,
            byte_count=origin.byte_count,
            record_count=record_count,
            bronze_count=in_table[COMPLAINTS_RAW],
            quarantine_count=in_table[QUARANTINE],
            landed_at=landed_at,
        )
        if landed.record_count != landed.bronze_count + landed.quarantine_count:
            raise ConservationError(
                f"{origin.source_file}: {landed.record_count} records read, but {landed.bronze_count} in bronze "
                f"and {landed.quarantine_count} in quarantine"
            )
        self._record(landed)
        return landed

    def record_unfinished(self, source_file: str, layout: str) -> None:
        """Records interrupted landings that will not be retried, with the records that they wrote.

        Args:
            source_file: The source; the `_source_file` of its records begins with it.
            layout: Name of the layout of the fields.
        """
        if not self._interrupted:
            return
        of_source = F.startswith("_source_file", F.lit(source_file))
        rows = self._tables.read(COMPLAINTS_RAW).where(of_source).select("_source_sha256").distinct().collect()
        for digest in sorted({row["_source_sha256"] for row in rows} & self._interrupted - self._known):
            counts = self._counts(digest)
            bronze, bad = counts[COMPLAINTS_RAW], counts[QUARANTINE]
            self._record(Landed(source_file, digest, layout, 0, bronze + bad, bronze, bad, datetime.now(UTC)))

    def _record(self, landed: Landed) -> None:
        self._tables.append(LANDINGS, self._tables.spark.createDataFrame([landed], spark_schema(LANDINGS)))
        self._known.add(landed.source_sha256)
        logger.info(
            "%s: %d records = %d bronze + %d quarantined",
            landed.source_file, landed.record_count, landed.bronze_count, landed.quarantine_count,
        )  # fmt: skip

    def _write_bronze(self, records: DataFrame, *, is_in_bronze: bool) -> tuple[int, int]:
        """Appends the good records unless they are in bronze, and counts all and the bad ones in the same pass."""
        observation = Observation("landing")
        is_bad = F.col("_reason").isNotNull()
        counted = records.observe(
            observation, F.count(F.lit(1)).alias("records"), F.count_if(is_bad).alias("quarantined")
        ).where(~is_bad)
        if is_in_bronze:
            counted.write.format("noop").mode("overwrite").save()
        else:
            self._tables.append(COMPLAINTS_RAW, counted)
        found = observation.get
        return int(found["records"]), int(found["quarantined"])

    def _digests(self, table: Table, column: str) -> set[str]:
        if not self._tables.exists(table):
            return set()
        return {row[column] for row in self._tables.read(table).select(column).distinct().collect()}

    def _counts(self, digest: str) -> dict[Table, int]:
        """The number of rows of the landing in each table."""
        of_landing = F.col("_source_sha256") == digest
        parts = [
            self._tables.read(table).where(of_landing).agg(F.lit(str(table)).alias("table"), F.count("*").alias("rows"))
            for table in (COMPLAINTS_RAW, QUARANTINE)
        ]
        found = {row["table"]: row["rows"] for row in parts[0].unionByName(parts[1]).collect()}
        return {table: found[str(table)] for table in (COMPLAINTS_RAW, QUARANTINE)}
