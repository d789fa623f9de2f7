"""Writes a file of made-up complaints in the published layout, with the true probability behind every outcome."""

from __future__ import annotations

import csv
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.errors import UsageError
from solosolve.names import COMPLAINT_COLUMNS, WITHDRAWN_COLUMNS
from solosolve.samples.batches import REPUBLISHED_SHARE, Batch, build_batch, published_columns
from solosolve.samples.calibration import Bools, Floats

Layout = Literal[18, 16]

OFFICIAL_HEADERS: dict[str, str] = {name: name.replace("_", " ").capitalize() for name in COMPLAINT_COLUMNS} | {
    "sub_product": "Sub-product",
    "sub_issue": "Sub-issue",
    "zip_code": "ZIP code",
    "consumer_consent_provided": "Consumer consent provided?",
    "timely_response": "Timely response?",
    "consumer_disputed": "Consumer disputed?",
    "complaint_id": "Complaint ID",
}
"""Column name to its spelling in the published CSV."""

FIRST_ID = 1_000_000_000
"""Ids of made-up complaints are above this, and far above those that the Bureau gives: the two never mix."""

_IDS_PER_SAMPLE = 100_000_000
_SAMPLES = 1_000_000

BATCH_RECORDS = 25_000
"""Records made at a time; bounds memory, and is part of what a seed means."""

TRUTH_SCHEMA = pa.schema([("complaint_id", pa.int64()), ("probability", pa.float64())])


@dataclass(frozen=True)
class SampleSummary:
    """What was written, and how well the best possible model could do on it.

    Attributes:
        path: The CSV.
        truth_path: The Parquet file of `complaint_id`, `probability`; one row per complaint.
        rows: Records of the CSV, the header not counted.
        complaint_count: Distinct complaint ids.
        seconds: Time taken.
        label_count: Complaints whose outcome the file tells.
        trainable_count: Complaints with an outcome and a narrative.
        success_rate: Share of successes among the trainable ones; None when there are none.
        oracle_auc: AUC of the true probability on the trainable ones; None when they are not of both kinds.
    """

    path: Path
    truth_path: Path
    rows: int
    complaint_count: int
    seconds: float
    label_count: int
    trainable_count: int
    success_rate: float | None
    oracle_auc: float | None


@dataclass
class _Tally:
    """Counts of realised labels by true probability, fine enough to stand for the exact AUC."""

    complaint_count: int = 0
    label_count: int = 0
    successes: Floats = field(default_factory=lambda: np.zeros(10_000))
    failures: Floats = field(default_factory=lambda: np.zeros(10_000))

    def add(self, batch: Batch, is_labelled: Bools) -> None:
        self.complaint_count += len(batch.complaint_id)
        self.label_count += int(is_labelled.sum())
        trainable = is_labelled & batch.has_narrative
        bins = (batch.probability * len(self.successes)).astype(np.int64)
        self.successes += np.bincount(bins[trainable & batch.is_success], minlength=len(self.successes))
        self.failures += np.bincount(bins[trainable & ~batch.is_success], minlength=len(self.failures))

    @property
    def success_rate(self) -> float | None:
        total = self.successes.sum() + self.failures.sum()
        return float(self.successes.sum() / total) if total else None

    @property
    def auc(self) -> float | None:
        pairs = self.successes.sum() * self.failures.sum()
        below = np.cumsum(self.failures) - self.failures
        return float((self.successes * (below + self.failures / 2)).sum() / pairs) if pairs else None


def write_sample(
    path: Path,
    *,
    rows: int,
    seed: int,
    layout: Layout = 18,
    progress: Callable[[int], None] | None = None,
) -> SampleSummary:
    """Writes `rows` made-up complaints as the publisher would, and `<stem>.truth.parquet` beside them.

    The same rows, seed and layout give the same bytes. A layout of 16 has the complaints of 18 without the columns that
    the publisher withdrew, and so no outcomes. Both files appear only when they are whole.

    Args:
        path: The CSV to write; an existing one is replaced.
        rows: Records, of which 0.2 % repeat a complaint id.
        seed: Which sample, 0 or above.
        layout: Number of columns, 18 or 16.
        progress: Called with the number of records written so far, after each batch.

    Returns:
        What was written.

    Raises:
        UsageError: `rows`, `seed` or `layout` has a value that is not allowed.
    """
    _check(rows, seed, layout)
    started = time.perf_counter()
    truth_path = path.with_name(f"{path.stem}.truth.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    tally = _write(_part(path), _part(truth_path), rows, seed, layout, progress)
    _part(truth_path).replace(truth_path)
    _part(path).replace(path)
    return SampleSummary(
        path=path,
        truth_path=truth_path,
        rows=rows,
        complaint_count=tally.complaint_count,
        seconds=time.perf_counter() - started,
        label_count=tally.label_count,
        trainable_count=int(tally.successes.sum() + tally.failures.sum()),
        success_rate=tally.success_rate,
        oracle_auc=tally.auc,
    )


def _write(
    path: Path, truth_path: Path, rows: int, seed: int, layout: Layout, progress: Callable[[int], None] | None
) -> _Tally:
    names = [name for name in COMPLAINT_COLUMNS if layout == 18 or name not in WITHDRAWN_COLUMNS]
    tally = _Tally()
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
            tally.add(batch, batch.is_labelled & (layout == 18))
            written += records
            if progress is not None:
                progress(written)
    return tally


def _batches(rows: int, seed: int) -> Iterator[tuple[Batch, np.random.Generator, int]]:
    """Yields slices of time in order, each with its own generator and its number of records."""
    # Samples of other seeds or sizes have other ids; the two layouts of one sample have the same.
    first_id = FIRST_ID + zlib.crc32(f"{seed} {rows}".encode()) % _SAMPLES * _IDS_PER_SAMPLE
    last_id = 0
    for number, first in enumerate(range(0, rows, BATCH_RECORDS)):
        records = min(BATCH_RECORDS, rows - first)
        complaints = records - round(records * REPUBLISHED_SHARE)
        rng = np.random.default_rng([seed, rows, number])
        # Stratified: each complaint has its own slice of the volume, so every period gets its exact share.
        quantile = (first + (np.arange(complaints) + rng.random(complaints)) * records / complaints) / rows
        batch = build_batch(rng, quantile, last_id)
        last_id = int(batch.complaint_id[-1])
        batch = batch.with_ids_from(first_id)
        yield batch, rng, records


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _check(rows: int, seed: int, layout: int) -> None:
    if rows < 1:
        raise UsageError(f"rows: found {rows}, allowed: 1 or more")
    if seed < 0:
        raise UsageError(f"seed: found {seed}, allowed: 0 or more")
    if layout not in (18, 16):
        raise UsageError(f"layout: found {layout}, allowed: 18 (all columns), 16 (without consent and disputed)")
