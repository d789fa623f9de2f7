"""Made-up complaints month by month, in a world that stays as it is or changes in a stated way."""

from __future__ import annotations

import csv
from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.names import COMPLAINT_COLUMNS, NARRATIVE, TRUTH_SUFFIX, WITHDRAWN_COLUMNS
from solosolve.samples.batches import Batch, build_batch
from solosolve.samples.calendar import load_calendar
from solosolve.samples.distributions import Bools, Floats, Texts
from solosolve.samples.themes import THEME_EFFECTS
from solosolve.samples.writer import FIRST_ID, OFFICIAL_HEADERS

ERA = (np.datetime64("2016-03-01"), np.datetime64("2016-12-01"))
"""All months are drawn from the volumes, names and rates of this time, so that nothing changes by itself."""

IDS_PER_MONTH = 10_000_000
_CANDIDATES = 6
"""Complaints to make for each that is kept: most have no published narrative."""

NEW_CHANNEL, NEW_CHANNEL_SHARE = "Mobile app", 0.4
NEW_PRODUCT, NEW_PRODUCT_SHARE = "Digital wallet", 0.3

TRUTH_SCHEMA = pa.schema(
    [("complaint_id", pa.int64()), ("received", pa.date32()), ("probability", pa.float64()), ("is_success", pa.bool_())]
)


class Change(StrEnum):
    """How the world changes."""

    CONCEPT = "concept"
    """What a narrative mentions has the opposite effect on the outcome."""
    INPUTS = "inputs"
    """A new channel takes over 40 % of the complaints, and a new product 30 %; outcomes follow the same rules."""
    LABELS = "labels"
    """Three in ten outcomes that are reported in one month are wrong; the complaints themselves are as before."""


@dataclass(frozen=True)
class Month:
    """A month's complaints.

    Attributes:
        path: The CSV, in the published layout.
        truth_path: Parquet, one row per complaint, with TRUTH_SCHEMA.
        complaints: Their number.
    """

    path: Path
    truth_path: Path
    complaints: int


def write_month(
    path: Path, *, first_day: date, complaints: int, seed: int, number: int, changes: Set[Change], has_outcomes: bool
) -> Month:
    """Writes complaints in scope that are received within one month, and what is true of them.

    Args:
        path: The CSV to write.
        first_day: The month's first day.
        complaints: Complaints to write.
        seed: Selects the world.
        number: The month's number, which selects its complaints and their ids.
        changes: The changes that have come by then.
        has_outcomes: Whether the file has the publisher's outcomes, or only what is known at filing.

    Returns:
        The files.
    """
    rng = np.random.default_rng([seed, number, complaints])
    drawn = draw_complaints(rng, complaints, changes)
    days = _days(rng, first_day, len(drawn.is_success))
    columns = dict(drawn.columns)
    ids = FIRST_ID + number * IDS_PER_MONTH + np.arange(len(days))
    columns["complaint_id"] = np.array([str(each) for each in ids.tolist()], dtype=object)
    columns["date_received"] = columns["date_sent_to_company"] = np.datetime_as_string(days).astype(object)
    if Change.INPUTS in changes:
        _change_inputs(rng, columns)
    names = [name for name in COMPLAINT_COLUMNS if has_outcomes or name not in WITHDRAWN_COLUMNS]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([OFFICIAL_HEADERS[name] for name in names])
        writer.writerows(zip(*(columns[name] for name in names), strict=True))
    truth = path.with_suffix(TRUTH_SUFFIX)
    arrays = [pa.array(ids), pa.array(days), pa.array(drawn.probability), pa.array(drawn.is_success)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=TRUTH_SCHEMA), truth)
    return Month(path, truth, len(days))


@dataclass(frozen=True)
class Drawn:
    """Complaints in scope, without ids and dates of their own; every array has one element per complaint.

    Attributes:
        columns: The published texts by snake_case column name; ids and dates are those of the draw.
        probability: The true probability of success, from which the outcome was drawn.
        is_success: Whether the complaint was resolved successfully.
    """

    columns: dict[str, Texts]
    probability: Floats
    is_success: Bools


def draw_complaints(rng: np.random.Generator, complaints: int, changes: Set[Change]) -> Drawn:
    """Draws complaints in scope; `Change.CONCEPT` is the only change that has an effect here.

    Args:
        rng: Source of all randomness.
        complaints: How many.
        changes: How the world has changed.
    """
    calendar = load_calendar()
    low, high = (calendar.cumulative_volume[(day - calendar.first_date).astype(int)] for day in ERA)
    quantile = np.sort(rng.uniform(low, high, complaints * _CANDIDATES))
    effects = -THEME_EFFECTS if Change.CONCEPT in changes else THEME_EFFECTS
    batch = build_batch(rng, quantile, 0, effects)
    rows = np.flatnonzero(_in_scope(batch))
    kept = np.sort(rng.choice(rows, min(complaints, len(rows)), replace=False))
    columns = {name: texts[kept] for name, texts in batch.columns.items()}
    return Drawn(columns, batch.probability[kept], batch.is_success[kept])


def _in_scope(batch: Batch) -> Bools:
    filled = [batch.columns[name] != "" for name in (NARRATIVE, "product", "company", "state", "submitted_via")]
    found: Bools = np.logical_and.reduce(filled)
    return found


def _days(rng: np.random.Generator, first_day: date, count: int) -> np.ndarray:
    start = np.datetime64(first_day, "D")
    end = (start.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return np.sort(start + rng.integers(0, (end - start).astype(int), count))


def _change_inputs(rng: np.random.Generator, columns: dict[str, Texts]) -> None:
    for name, value, share in (
        ("submitted_via", NEW_CHANNEL, NEW_CHANNEL_SHARE),
        ("product", NEW_PRODUCT, NEW_PRODUCT_SHARE),
    ):
        texts = columns[name].copy()
        texts[rng.random(len(texts)) < share] = value
        columns[name] = texts
