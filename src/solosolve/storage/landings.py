"""Parsed records into bronze: the good ones, those in quarantine, and the row that says that they are all there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from solosolve.errors import ConservationError
from solosolve.names import COMPLAINTS_RAW, LANDINGS, QUARANTINE, Table
from solosolve.schemas import SCHEMAS
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.ingest_complaints")


@dataclass(frozen=True)
class Origin:
    """Where records come from, as `bronze.landings` says it.

    Attributes:
        source_file: The file, or the topic.
        source_sha256: Digest that no other landing has: the file's content, or the batch's place in its stream.
        layout: What the fields are.
        byte_count: Size of what was read.
    """

    source_file: str
    source_sha256: str
    layout: str
    byte_count: int


@dataclass(frozen=True)
class Landed:
    """A row of `bronze.landings`: what became of one landing's records."""

    source_file: str
    source_sha256: str
    layout: str
    byte_count: int
    record_count: int
    bronze_count: int
    quarantine_count: int
    landed_at: datetime


class Landings:
    """What has been landed, by the digests in the tables."""

    def __init__(self, tables: Tables) -> None:
        """Reads the digests."""
        self._tables = tables
        self._known = self._digests(LANDINGS, "source_sha256")
        # One landing is one commit: rows without a landing's row mean that it stopped right behind that commit.
        self._interrupted = self._digests(COMPLAINTS_RAW, "_source_sha256") - self._known

    def has(self, digest: str) -> bool:
        """Whether it has been landed whole."""
        return digest in self._known

    def land(self, parsed: DataFrame, origin: Origin, source_file: Column | None = None) -> Landed:
        """Writes a landing's records; one that stopped half-way is completed.

        Args:
            parsed: PARSED_COLUMNS.
            origin: Where they come from.
            source_file: `_source_file` of each record, where it is not the origin's.

        Returns:
            The counts, as the tables have them.

        Raises:
            ConservationError: A record is in neither table, or in both.
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
        record_count, bad_count = self._write_bronze(records, is_there=origin.source_sha256 in self._interrupted)
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
        self._note(landed)
        return landed

    def adopt(self, source_file: str, layout: str) -> None:
        """Notes landings of a source that stopped half-way and will not be completed, as far as they came.

        Args:
            source_file: The source; its records' `_source_file` begins with it.
            layout: What the fields are.
        """
        if not self._interrupted:
            return
        of_source = F.startswith("_source_file", F.lit(source_file))
        rows = self._tables.read(COMPLAINTS_RAW).where(of_source).select("_source_sha256").distinct().collect()
        for digest in sorted({row["_source_sha256"] for row in rows} & self._interrupted - self._known):
            counts = self._counts(digest)
            bronze, bad = counts[COMPLAINTS_RAW], counts[QUARANTINE]
            self._note(Landed(source_file, digest, layout, 0, bronze + bad, bronze, bad, datetime.now(UTC)))

    def _note(self, landed: Landed) -> None:
        self._tables.append(LANDINGS, self._tables.spark.createDataFrame([landed], SCHEMAS[LANDINGS]))
        self._known.add(landed.source_sha256)
        logger.info(
            "%s: %d records = %d bronze + %d quarantined",
            landed.source_file, landed.record_count, landed.bronze_count, landed.quarantine_count,
        )  # fmt: skip

    def _write_bronze(self, records: DataFrame, *, is_there: bool) -> tuple[int, int]:
        """Appends the good records, unless they are there, and counts all and the bad ones in the same pass."""
        observation = Observation("landing")
        is_bad = F.col("_reason").isNotNull()
        counted = records.observe(
            observation, F.count(F.lit(1)).alias("records"), F.count_if(is_bad).alias("quarantined")
        ).where(~is_bad)
        if is_there:
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
        """How many rows of the landing each table really holds."""
        of_landing = F.col("_source_sha256") == digest
        parts = [
            self._tables.read(table).where(of_landing).agg(F.lit(str(table)).alias("table"), F.count("*").alias("rows"))
            for table in (COMPLAINTS_RAW, QUARANTINE)
        ]
        found = {row["table"]: row["rows"] for row in parts[0].unionByName(parts[1]).collect()}
        return {table: found[str(table)] for table in (COMPLAINTS_RAW, QUARANTINE)}
