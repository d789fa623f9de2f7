"""Landing files or the raw topic to bronze: keeps every record, verbatim or in quarantine with the reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import NotAComplaintFileError, UsageError
from solosolve.landing.files import find_landing_files
from solosolve.landing.parsed_records import PARSED_DDL
from solosolve.landing.plans import LandingPlan, plan_landing, read_part
from solosolve.settings import Settings
from solosolve.storage.landings import Landed, Landings, Origin
from solosolve.storage.tables import Tables
from solosolve.streaming.raw_topic import land_raw_topic

logger = logging.getLogger("solosolve.ingest_complaints")

KAFKA = "kafka"
"""The source that names the raw topic instead of a path."""


def run(spark: SparkSession, settings: Settings, source: str, *, recover: bool = False) -> list[Landed]:
    """Lands the files or messages of a source that are not in bronze yet, one file or batch of messages at a time.

    Changes `bronze.complaints`, `bronze.complaints_quarantine` and, last, `bronze.landings`. A file without a row in
    `bronze.landings` is landed again; content already landed (same SHA-256) is skipped.

    Args:
        spark: The session.
        settings: Locates the tables.
        source: `kafka` for the raw topic, or a file, folder or glob in the working folder or the home; files may be
            plain, `.gz` or `.zip`.
        recover: Read the topic again from its earliest position, skipping messages that are in bronze.

    Returns:
        One value per newly landed file or batch.

    Raises:
        NotAComplaintFileError: Some files are not complaint files; the others have been landed.
        ConservationError: Some records of a file are in neither bronze nor quarantine.
        CheckpointError: The position in the topic is not the one that bronze was written from.
        BrokerError: The brokers cannot be reached.
        UsageError: `recover` was given for files.
    """
    tables = Tables(spark, settings)
    if source == KAFKA:
        return land_raw_topic(tables, recover=recover)
    if recover:
        raise UsageError("--recover: only for --source kafka; landed files are recognised by their content")
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
    """Parses a planned file, one task per part.

    Returns:
        PARSED_COLUMNS, one row per record, good or bad.
    """

    def parse(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                yield from read_part(plan, number)

    count = len(plan.parts)
    return spark.range(0, count, 1, numPartitions=count).mapInArrow(parse, PARSED_DDL)


def _located(source: str, settings: Settings) -> str:
    """Resolves a relative source that is not in the working folder against the home (local only)."""
    at_home = settings.home / source
    return str(at_home) if settings.is_local and not Path(source).exists() and at_home.exists() else source
