"""Landing files or the raw topic to bronze: keeps every record, verbatim or in quarantine with the reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyspark.sql import SparkSession

from solosolve.errors import NotAComplaintFileError, RefusedFilesError, UsageError, one_line
from solosolve.landing.files import LandingFile, find_landing_files
from solosolve.landing.landing_plan import LandingPlan
from solosolve.landing.parts import Part, divide, read_part
from solosolve.landing.planning import plan_landing
from solosolve.names import KAFKA_SOURCE
from solosolve.settings import Settings
from solosolve.storage.landed import Landed
from solosolve.storage.landings import Landings, Origin
from solosolve.storage.spark import task_slots
from solosolve.storage.staging import Parse, Piece
from solosolve.storage.tables import Tables
from solosolve.streaming.raw_topic import land_raw_topic

logger = logging.getLogger("solosolve.ingest_complaints")

_GROUP_BYTES, _GROUP_FILES = 4 << 30, 2_000


def run(
    spark: SparkSession, settings: Settings, source: str, *, recover: bool = False, is_complete: bool = False
) -> list[Landed]:
    """Lands the files or messages of a source that are not in bronze yet.

    Changes `bronze.complaints`, `bronze.complaints_quarantine` and, last, `bronze.landings`: one commit each for up to
    2,000 files or 4 GiB. A file without a row in `bronze.landings` is landed again; content already landed (same
    SHA-256) is skipped.

    Args:
        spark: The session.
        settings: Locates the tables.
        source: `kafka` for the raw topic, or a file, folder or glob in the working folder or the home; files may be
            plain or packed.
        recover: Read the topic again from its earliest position, skipping messages that are in bronze.
        is_complete: Files are known to be whole, so that a last record without a line end counts.

    Returns:
        One value per newly landed file or batch.

    Raises:
        RefusedFilesError: Some files were not landed; all others have been.
        NotAComplaintFileError: There are no files.
        ConservationError: Some records of a file are in neither bronze nor quarantine.
        CheckpointError: The position in the topic is not the one that bronze was written from.
        BrokerError: The brokers cannot be reached.
        UsageError: `recover` was given for files, or `is_complete` for the topic.
    """
    tables = Tables(spark, settings)
    if source == KAFKA_SOURCE:
        if is_complete:
            raise UsageError("--complete: only for files; messages have no last record")
        return land_raw_topic(tables, recover=recover)
    if recover:
        raise UsageError("--recover: only for --source kafka; landed files are recognised by their content")
    found = find_landing_files(settings.landing_source(source))
    for name, reason in found.skipped:
        logger.warning("%s: skipped: %s", name, reason)
    landing = _Landing(tables, is_complete=is_complete)
    landing.land(found.files)
    if landing.refused:
        raise RefusedFilesError(landing.refused, len(found.files))
    return landing.landed


class _Landing:
    """One run over some files."""

    def __init__(self, tables: Tables, *, is_complete: bool) -> None:
        self._tables, self._is_complete = tables, is_complete
        self._landings = Landings(tables)
        self.landed: list[Landed] = []
        self.refused: list[str] = []

    def land(self, files: Sequence[LandingFile]) -> None:
        """Plans files and lands them in groups; a file that cannot be landed is added to `refused`."""
        group: dict[str, LandingPlan] = {}
        for file in files:
            try:
                plan = plan_landing(file, is_complete=self._is_complete)
            except NotAComplaintFileError as error:
                self.refused.append(str(error))
                continue
            if self._landings.has(plan.sha256) or plan.sha256 in group:
                logger.info("%s: already landed, nothing added", file)
                continue
            if plan.layout.unknown:
                logger.warning("%s: unknown columns, kept in _rescued: %s", file, ", ".join(plan.layout.unknown))
            group[plan.sha256] = plan
            if len(group) >= _GROUP_FILES or sum(each.byte_count for each in group.values()) >= _GROUP_BYTES:
                self._land(group)
                group = {}
        if group:
            self._land(group)

    def _land(self, group: dict[str, LandingPlan]) -> None:
        origins = [Origin(str(plan.file), digest, plan.layout_name, plan.byte_count) for digest, plan in group.items()]
        tasks = divide(list(group.values()), task_slots(self._tables.spark))
        rows = self._tables.spark.range(0, len(tasks), 1, numPartitions=len(tasks))
        done = self._landings.land(rows, _parser(tasks), origins)
        self.landed += done.landed
        if done.failures:
            # A file that changed while it was read takes nothing with it: the others are landed without it.
            self.refused += [f"{group[digest].file}: {reason}" for digest, reason in done.failures.items()]
            if rest := {digest: plan for digest, plan in group.items() if digest not in done.failures}:
                self._land(rest)


def _parser(tasks: Sequence[Sequence[Part]]) -> Parse:
    def parse(batch: pa.RecordBatch) -> Iterator[Piece]:
        for number in batch.column("id").to_pylist():
            for part in tasks[number]:
                yield from _read(part)

    return parse


def _read(part: Part) -> Iterator[Piece]:
    plan = part.plan
    try:
        for records in read_part(part):
            yield Piece(plan.sha256, str(plan.file), records)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong with one file must not stop the others
        yield Piece(plan.sha256, str(plan.file), None, one_line(error))
