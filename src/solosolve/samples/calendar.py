"""When complaints arrive: monthly volume, weekdays, complaint ids, and the days on which the published file changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calibration import Days, Floats, Ints, Steps, read_figures


@dataclass(frozen=True)
class Calendar:
    """The arrival of complaints between the first day and the day of publication."""

    first_day: np.datetime64
    end: np.datetime64
    cumulative_volume: Floats
    id_days: Floats
    id_values: Floats
    periods: Steps
    taxonomies: Steps
    consent_start: np.datetime64
    label_end: np.datetime64

    def moments(self, quantile: Floats) -> Floats:
        """Maps quantiles of all complaints (0 to 1) to days, with fractions, after the first day."""
        return np.interp(quantile, self.cumulative_volume, np.arange(len(self.cumulative_volume)))

    def days(self, moments: Floats) -> Days:
        """Returns the date on which each moment falls."""
        last = len(self.cumulative_volume) - 2
        return self.first_day + np.minimum(moments.astype(np.int64), last).astype("timedelta64[D]")

    def complaint_ids(self, moments: Floats, last_id: int) -> Ints:
        """Numbers complaints as the publisher does: ascending with time, with gaps.

        Args:
            moments: Days after the first day, ascending.
            last_id: The id given to the complaint before; all ids returned are above it.

        Returns:
            Strictly ascending ids.
        """
        ids = np.interp(moments, self.id_days, self.id_values).astype(np.int64)
        position = np.arange(len(ids))
        return np.maximum.accumulate(np.maximum(ids, last_id + 1) - position) + position


@cache
def load_calendar() -> Calendar:
    """Reads `calendar.json`: volumes, weekday factors and the days of change."""
    figures = read_figures("calendar")
    end = np.datetime64(figures["end"])
    segments = Steps.of([start for start, _ in figures["volume"]])
    first_day = segments.starts[0]
    days = np.arange(first_day, end)
    # 1970-01-01 was a Thursday, weekday 3 when Monday is 0.
    weight = np.array(figures["weekday"])[(days.astype(np.int64) + 3) % 7]
    segment = segments.at(days)
    volume = np.array([count for _, count in figures["volume"]], dtype=np.float64)
    daily = weight / np.bincount(segment, weights=weight)[segment] * volume[segment]
    anchors = figures["complaint_ids"]
    anchor_days = np.array([day for day, _ in anchors], dtype="datetime64[D]") - first_day
    return Calendar(
        first_day=first_day,
        end=end,
        cumulative_volume=np.concatenate([[0.0], np.cumsum(daily) / daily.sum()]),
        id_days=anchor_days.astype(np.float64),
        id_values=np.array([value for _, value in anchors], dtype=np.float64),
        periods=Steps.of(figures["periods"]),
        taxonomies=Steps.of([str(first_day), *figures["renamed"]]),
        consent_start=np.datetime64(figures["consent_start"]),
        label_end=np.datetime64(figures["label_end"]),
    )
