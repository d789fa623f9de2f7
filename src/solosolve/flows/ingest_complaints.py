"""Landing files, or the raw topic, to bronze: every record kept, verbatim or in quarantine with the reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import NotAComplaintFileError, UsageError
from solosolve.landing.files import PARSED_DDL, LandingPlan, find_landing_files, plan_landing, read_part
from solosolve.settings import Settings
from solosolve.storage.landings import Landed, Landings, Origin
from solosolve.storage.tables import Tables
from solosolve.streaming import raw_topic as ingest_topic

logger = logging.getLogger("solosolve.ingest_complaints")

KAFKA = "kafka"
"""The source that is no path: the raw topic."""


def run(spark: SparkSession, settings: Settings, source: str, *, recover: bool = False) -> list[Landed]:
    """Lands what `source` has that has not been landed yet, one file, or one batch of messages, at a time.

    Changed are `bronze.complaints`, `bronze.complaints_quarantine` and, last, `bronze.landings`: a file without
    its row there is landed again, and content whose SHA-256 is there adds nothing.

    Args:
        spark: The session.
        settings: Where the tables are.
        source: `kafka` for the raw topic; else a file, folder or glob, in the working folder or the home; plain, `.gz`
            or `.zip`.
        recover: Read the topic from its earliest position again, and skip what bronze has.

    Returns:
        One value a newly landed file or batch.

    Raises:
        NotAComplaintFileError: Some files are no complaint files; the others have been landed.
        ConservationError: A file's records are not all in bronze or quarantine.
        CheckpointError: The topic's position is not the one that bronze was written from.
        BrokerError: The brokers cannot be reached.
        UsageError: A file is to be recovered.
    """
    tables = Tables(spark, settings)
    if source == KAFKA:
        return ingest_topic.run(tables, recover=recover)
    if recover:
        raise UsageError("recover: is for --source kafka; a file that has been landed is known by its content")
    landings = Landings(tables)
    landed, refused = [], []
    for file in find_landing_files(_located(source, settings)):
        try:
            plan = plan_landing(file)
        except NotAComplaintFileError as error:
            refused.append(str(error))
            continue
        if landings.has(plan.sha256):
            logger.info("%s: already landed, nothing added", file)
            continue
        origin = Origin(str(plan.file), plan.sha256, plan.layout.name, plan.byte_count)
        landed.append(landings.land(parse_landing(spark, plan), origin))
    if refused:
        raise NotAComplaintFileError("; ".join(refused))
    return landed


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
    return spark.range(0, count, 1, numPartitions=count).mapInArrow(parse, PARSED_DDL)


def _located(source: str, settings: Settings) -> str:
    """A relative source that the working folder does not have is one of the home folder (local only)."""
    at_home = settings.home / source
    return str(at_home) if settings.is_local and not Path(source).exists() and at_home.exists() else source
