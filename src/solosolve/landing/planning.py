"""Plans how a landing file is read, in parts that tasks can read side by side, and reads it by that plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from solosolve.errors import NotAComplaintFileError
from solosolve.landing import csv_files, json_files, parquet_files
from solosolve.landing.boundaries import DEFAULT_LIMITS, Limits
from solosolve.landing.csv_records import Record, legible
from solosolve.landing.cutting import Chunk
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import Kind, LandingPlan
from solosolve.landing.packings import foreign_kind
from solosolve.landing.parsed_records import to_arrow

_HEAD_BYTES = 1 << 16
_READERS = {
    Kind.CSV: csv_files.read_chunks,
    Kind.JSON_LINES: json_files.read_lines,
    Kind.JSON: json_files.read_document,
    Kind.PARQUET: parquet_files.read_row_groups,
}


def plan_landing(file: LandingFile, limits: Limits = DEFAULT_LIMITS, *, is_complete: bool = False) -> LandingPlan:
    """Reads a file once: finds out what it is, hashes its content, and cuts it between records.

    Args:
        file: The file.
        limits: The sizes to cut it by.
        is_complete: Whether a last record without a line end is known to be whole; otherwise it goes to quarantine.

    Raises:
        NotAComplaintFileError: The file is not a complaint file, or cannot be read to its end.
    """
    try:
        with file.open() as stream:
            head = stream.read(_HEAD_BYTES)
        if (kind := foreign_kind(head)) is not None:
            raise NotAComplaintFileError(f"{file}: not a complaint file: it is {kind}")
        if parquet_files.is_parquet(head):
            return parquet_files.plan(file, limits)
        if json_files.is_json(head):
            return json_files.plan(file, head, limits)
        return csv_files.plan(file, limits, is_complete=is_complete)
    except NotAComplaintFileError:
        raise
    except Exception as error:
        # Whatever a damaged file makes a library raise, it concerns this file alone.
        reason = legible(" ".join(str(error).split())) or type(error).__name__
        raise NotAComplaintFileError(f"{file}: cannot be read ({reason})") from error


def read_asides(plan: LandingPlan) -> Iterator[pa.RecordBatch]:
    """The bad records that were found when the file was planned, as PARSED_COLUMNS."""
    if plan.asides:
        records = [Record(aside.line, aside.line + 1, [], aside.text, aside.reason) for aside in plan.asides]
        yield to_arrow(records, plan.layout)


def read_chunks(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Parses some chunks of a planned file, which must be in order.

    Returns:
        Batches of PARSED_COLUMNS. Values are verbatim; a column that the file does not have is null.

    Raises:
        OSError: The file has changed since it was planned.
    """
    return _READERS[plan.kind](plan, chunks)
