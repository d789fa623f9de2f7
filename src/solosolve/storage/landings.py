"""Lands parsed records in bronze and quarantine, and records each completed landing in `bronze.landings`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.errors import ConservationError
from solosolve.names import COMPLAINTS_RAW, LANDINGS, QUARANTINE
from solosolve.schemas import SCHEMAS
from solosolve.storage.adoption import adopt, staging_folder
from solosolve.storage.landed import Landed
from solosolve.storage.staging import Parse, Staging, discard, stage_batch
from solosolve.storage.table_facts import count_by, distinct_values
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.ingest_complaints")

_RECORD_TABLES = (COMPLAINTS_RAW, QUARANTINE)
_DIGEST = "_source_sha256"


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
class LandedGroup:
    """The landings of one group of commits.

    Attributes:
        landed: The completed landings.
        failures: By digest: why the records of the others could not be read.
    """

    landed: list[Landed]
    failures: Mapping[str, str]


class Landings:
    """The landings so far, identified by the digests in the tables."""

    def __init__(self, tables: Tables) -> None:
        """Reads the digests of completed landings."""
        self._tables = tables
        self._known = distinct_values(tables, LANDINGS, "source_sha256")

    def has(self, digest: str) -> bool:
        """Whether the landing with this digest is complete."""
        return digest in self._known

    def land(self, rows: DataFrame, parse: Parse, origins: Sequence[Origin]) -> LandedGroup:
        """Lands records in one commit to bronze, one to quarantine and one to `bronze.landings`, in this order.

        An interrupted landing is completed: what it has committed to a table is not committed again.

        Args:
            rows: What `parse` reads, one task per partition.
            parse: Reads the records.
            origins: Where the records come from, one landing each.

        Returns:
            The counts, read back from the tables.

        Raises:
            ConservationError: Some records are in neither table, or in both.
        """
        self._tables.create(LANDINGS)
        digests = [origin.source_sha256 for origin in origins]
        at = now()
        landed_at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        folders = {table: staging_folder(self._tables, table) for table in _RECORD_TABLES}
        written = frozenset(
            (table, digest) for table in _RECORD_TABLES for digest in count_by(self._tables, table, _DIGEST, digests)
        )
        staged = Staging(folders, landed_at, written).stage(rows, parse)
        if staged.failures:
            discard(staged)
            return LandedGroup([], staged.failures)
        for table in _RECORD_TABLES:
            adopt(self._tables, table, staged.files)
        landed = self._counted(origins, staged.record_counts, landed_at)
        self._record(landed)
        return LandedGroup(landed, {})

    def _counted(
        self, origins: Sequence[Origin], record_counts: Mapping[str, int], landed_at: datetime
    ) -> list[Landed]:
        """Compares the records read with the rows in the tables.

        Raises:
            ConservationError: They differ.
        """
        digests = [origin.source_sha256 for origin in origins]
        bronze, quarantine = (count_by(self._tables, table, _DIGEST, digests) for table in _RECORD_TABLES)
        landed = [
            Landed(
                source_file=origin.source_file,
                source_sha256=origin.source_sha256,
                layout=origin.layout,
                byte_count=origin.byte_count,
                record_count=record_counts.get(origin.source_sha256, 0),
                bronze_count=bronze.get(origin.source_sha256, 0),
                quarantine_count=quarantine.get(origin.source_sha256, 0),
                landed_at=landed_at,
            )
            for origin in origins
        ]
        for each in landed:
            if each.record_count != each.bronze_count + each.quarantine_count:
                raise ConservationError(
                    f"{each.source_file}: {each.record_count} records read, but {each.bronze_count} in bronze "
                    f"and {each.quarantine_count} in quarantine"
                )
        return landed

    def record_unfinished(self, source_file: str, layout: str) -> None:
        """Records interrupted landings that will not be retried, with the records that they wrote.

        Args:
            source_file: The source; the `_source_file` of its records begins with it.
            layout: Name of the layout of the fields.
        """
        of_source = F.startswith("_source_file", F.lit(source_file))
        rows = self._tables.read(COMPLAINTS_RAW).where(of_source).select("_source_sha256").distinct().collect()
        unfinished = sorted({row["_source_sha256"] for row in rows} - self._known)
        if not unfinished:
            return
        counts = [count_by(self._tables, table, _DIGEST, unfinished) for table in _RECORD_TABLES]
        landed = []
        for digest in unfinished:
            bronze, bad = (count.get(digest, 0) for count in counts)
            landed.append(Landed(source_file, digest, layout, 0, bronze + bad, bronze, bad, now()))
        self._record(landed)

    def _record(self, landed: Sequence[Landed]) -> None:
        rows = pa.RecordBatch.from_pylist([asdict(each) for each in landed], SCHEMAS[LANDINGS])
        adopt(self._tables, LANDINGS, stage_batch(rows, LANDINGS, staging_folder(self._tables, LANDINGS)))
        for each in landed:
            self._known.add(each.source_sha256)
            logger.info(
                "%s: %d records = %d bronze + %d quarantined",
                each.source_file, each.record_count, each.bronze_count, each.quarantine_count,
            )  # fmt: skip
