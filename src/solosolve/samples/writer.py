"""Writes a file of made-up complaints in the published layout, and the true probability of every outcome."""

from __future__ import annotations

import csv
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.errors import UsageError
from solosolve.names import COMPLAINT_COLUMNS, TRUTH_SUFFIX, WITHDRAWN_COLUMNS
from solosolve.samples.batches import REPUBLISHED_SHARE, Batch, build_batch, published_columns

ColumnCount = Literal[18, 16]

OFFICIAL_HEADERS: dict[str, str] = {name: name.replace("_", " ").capitalize() for name in COMPLAINT_COLUMNS} | {
    "sub_product": "Sub-product",
    "sub_issue": "Sub-issue",
    "zip_code": "ZIP code",
    "consumer_consent_provided": "Consumer consent provided?",
    "timely_response": "Timely response?",
    "consumer_disputed": "Consumer disputed?",
    "complaint_id": "Complaint ID",
}
"""Header in the published CSV by column name."""

FIRST_ID = 1_000_000_000
"""Made-up complaints have greater ids than this, and the Bureau's are far smaller, so the two never collide."""

IDS_PER_SAMPLE = 100_000_000
ID_RANGES = 1_000_000
"""Each sample takes its ids from one of this many ranges, chosen by its seed and size."""

BATCH_RECORDS = 25_000
"""Records generated at a time. Bounds memory; a change makes a different sample of every seed."""

TRUTH_SCHEMA = pa.schema([("complaint_id", pa.int64()), ("probability", pa.float64())])


@dataclass(frozen=True)
class SampleSummary:
    """The files that were written.

    Attributes:
        path: The CSV.
        truth_path: The Parquet file of `complaint_id` and `probability`, one row per complaint.
        rows: Records in the CSV, without the header.
        seconds: Time taken.
    """

    path: Path
    truth_path: Path
    rows: int
    seconds: float


def write_sample(
    path: Path,
    *,
    rows: int,
    seed: int,
    layout: ColumnCount = 18,
    progress: Callable[[int], None] | None = None,
) -> SampleSummary:
    """Writes made-up complaints in the publisher's format, and `<stem>.truth.parquet` to the same folder.

    The same rows, seed and layout give the same bytes. Layout 16 contains the complaints of layout 18 without the
    columns that the publisher withdrew, and therefore without outcomes. Both files appear only once they are complete.

    Args:
        path: The CSV to write; an existing file is replaced.
        rows: Number of records, of which 0.2 % repeat a complaint id.
        seed: Selects the sample; 0 or more.
        layout: Number of columns, 18 or 16.
        progress: Called after each batch with the number of records written so far.

    Returns:
        The paths and size of the sample.

    Raises:
        UsageError: `rows`, `seed` or `layout` is out of range.
    """
    _check_arguments(rows, seed, layout)
    started = time.perf_counter()
    truth_path = path.with_suffix(TRUTH_SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(_partial(path), _partial(truth_path), rows, seed, layout, progress)
    _partial(truth_path).replace(truth_path)
    _partial(path).replace(path)
    return SampleSummary(
        path=path,
        truth_path=truth_path,
        rows=rows,
        seconds=time.perf_counter() - started,
    )


def _write(
    path: Path, truth_path: Path, rows: int, seed: int, layout: ColumnCount, progress: Callable[[int], None] | None
) -> None:
    names = [name for name in COMPLAINT_COLUMNS if layout == 18 or name not in WITHDRAWN_COLUMNS]
    written = 0
    with (
        path.open("w", encoding="utf-8", newline="") as stream,
        pq.ParquetWriter(truth_path, TRUTH_SCHEMA) as truth,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([OFFICIAL_HEADERS[name] for name in names])
        for batch, rng, records in _batches(rows, seed):
            columns = published_columns(rng, batch, records)
            writer.writerows(zip(*(columns[name] for name in names), strict=True))
            truth.write_table(pa.table([batch.complaint_id, batch.probability], schema=TRUTH_SCHEMA))
            written += records
            if progress is not None:
                progress(written)


def _batches(rows: int, seed: int) -> Iterator[tuple[Batch, np.random.Generator, int]]:
    """Yields the batches in order of time, each with its random generator and its number of records."""
    # Other seeds or sizes almost surely get another id range; both layouts of a sample get the same one.
    first_id = FIRST_ID + zlib.crc32(f"{seed} {rows}".encode()) % ID_RANGES * IDS_PER_SAMPLE
    last_id = 0
    for number, first in enumerate(range(0, rows, BATCH_RECORDS)):
        records = min(BATCH_RECORDS, rows - first)
        complaints = records - round(records * REPUBLISHED_SHARE)
        rng = np.random.default_rng([seed, rows, number])
        # Stratified: one draw per equal slice of the total volume, so that every period gets its exact share.
        quantile = (first + (np.arange(complaints) + rng.random(complaints)) * records / complaints) / rows
        batch = build_batch(rng, quantile, last_id)
        last_id = int(batch.complaint_id[-1])
        yield batch.with_ids_raised_by(first_id), rng, records


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _check_arguments(rows: int, seed: int, layout: int) -> None:
    if rows < 1:
        raise UsageError(f"rows must be 1 or more, not {rows}")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, not {seed}")
    if layout not in (18, 16):
        raise UsageError(f"layout must be 18 (all columns) or 16 (without consent and disputed), not {layout}")
