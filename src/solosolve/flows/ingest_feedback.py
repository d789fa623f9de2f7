"""Brings observed outcomes into `silver.feedback`: from the feedback topic or from files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
from pyspark.sql import SparkSession

from solosolve.errors import NotAFeedbackFileError, UsageError
from solosolve.landing.feedback_files import FileRecord, read_feedback_file
from solosolve.landing.files import LandingFile, find_landing_files
from solosolve.names import DEAD_LETTERS, FEEDBACK, FEEDBACK_FILES, KAFKA_SOURCE, NO_SOURCE
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.feedback_events import Recorded, record_events
from solosolve.storage.migrations import add_columns
from solosolve.storage.tables import Tables
from solosolve.streaming.feedback_topic import record_feedback_topic

logger = logging.getLogger("solosolve.ingest_feedback")

_RECORDS_PER_BATCH = 50_000
_LETTER_COLUMNS = ("letter_id", "topic", "partition", "offset", "key", "value")
_MESSAGES = pa.schema([*(SCHEMAS[DEAD_LETTERS].field(name) for name in _LETTER_COLUMNS), ("refusal", pa.string())])


def run(spark: SparkSession, settings: Settings, source: str, *, recover: bool = False) -> Recorded:
    """Records the events of a source that `silver.feedback` does not have.

    Changes `silver.feedback`, to which each event is appended once, by its id, and `bronze.dead_letters`, which gets
    the messages that are no events or contradict the event with their id. Late events, events that contradict those
    with other ids, and events on complaints that have not arrived are kept; `transforms.labels` decides what counts.

    What the Bureau publishes needs no events: `silver.complaints` has each complaint's newest published outcome, from
    which labels are resolved, and `bronze.complaints` keeps the earlier ones.

    Args:
        spark: The session.
        settings: Locates tables and brokers; `max_request_bytes`.
        source: `kafka` for the feedback topic; `none`; or a file, folder or glob in the working folder or the home.
        recover: Read the topic again from its earliest position.

    Returns:
        What became of the messages.

    Raises:
        NotAFeedbackFileError: Some files have no events or cannot be read; all others have been recorded.
        NotAComplaintFileError: There are no files.
        CheckpointError: The position in the topic is not the one that the table was written from.
        BrokerError: The brokers cannot be reached.
        UsageError: `recover` was given for another source than the topic.
    """
    if recover and source != KAFKA_SOURCE:
        raise UsageError("--recover: only for --source kafka; events in files are recognised by their ids")
    tables = Tables(spark, settings)
    tables.create(FEEDBACK)
    add_columns(tables, FEEDBACK)
    if source == NO_SOURCE:
        recorded = Recorded()
    elif source == KAFKA_SOURCE:
        recorded = Recorded.total([Recorded(), *record_feedback_topic(tables, recover=recover)])
    else:
        recorded = _record_files(tables, settings.landing_source(source))
    logger.info(
        "%d messages: %d new events, %d known ones, %d dead letters",
        recorded.message_count,
        recorded.new_count,
        recorded.repeated_count,
        recorded.refused_count,
    )
    return recorded


def _record_files(tables: Tables, source: str) -> Recorded:
    found = find_landing_files(source)
    for name, reason in found.skipped:
        logger.warning("%s: skipped: %s", name, reason)
    recorded, refused = [Recorded()], []
    for file in found.files:
        try:
            recorded += _record_file(tables, file)
        except NotAFeedbackFileError as error:
            refused.append(str(error))
    if refused:
        listed = "".join(f"\n  {reason}" for reason in refused)
        raise NotAFeedbackFileError(f"{len(refused)} of {len(found.files)} files refused, the others are in:{listed}")
    return Recorded.total(recorded)


def _record_file(tables: Tables, file: LandingFile) -> Iterator[Recorded]:
    content, records = read_feedback_file(file)
    digest = hashlib.sha256(content).hexdigest()
    while batch := list(islice(records, _RECORDS_PER_BATCH)):
        messages = pa.Table.from_pylist([_message(file, digest, each) for each in batch], _MESSAGES)
        yield record_events(tables, tables.spark.createDataFrame(messages))


def _message(file: LandingFile, digest: str, record: FileRecord) -> dict[str, object]:
    """A record as a message: its position is its line, and its content identifies the file."""
    return {
        "letter_id": f"{FEEDBACK_FILES}/{digest}/{record.line}",
        "topic": FEEDBACK_FILES,
        "partition": 0,
        "offset": record.line,
        "key": file.name.encode(),
        "value": record.value,
        "refusal": record.reason,
    }
