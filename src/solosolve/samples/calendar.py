"""When complaints arrive: monthly volumes, weekdays, complaint ids, and the dates on which the file changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.distributions import DateBins, Dates, Floats, Ints, read_statistics


@dataclass(frozen=True)
class Calendar:
    """The arrival of complaints between the first date and the publication of the file.

    Attributes:
        first_date: Date of the first complaint.
        end: Publication date; the newest complaint is a day older.
        cumulative_volume: Share of all complaints received before each day, from 0 to 1; shape (days + 1,).
        id_days: Days after `first_date` at which the published complaint id is known.
        id_values: Those ids.
        periods: Quarters, the time resolution of most published rates.
        naming_eras: Spans of time between the dates on which the publisher renamed products and issues.
        consent_start: First date on which consumers were asked for consent to publish.
        label_end: First date without a published Yes or No in `Consumer disputed?`.
    """

    first_date: np.datetime64
    end: np.datetime64
    cumulative_volume: Floats
    id_days: Floats
    id_values: Floats
    periods: DateBins
    naming_eras: DateBins
    consent_start: np.datetime64
    label_end: np.datetime64

    def arrival_times(self, quantile: Floats) -> Floats:
        """Maps quantiles of all complaints (0 to 1) to arrival times in days, with fractions, after `first_date`."""
        return np.interp(quantile, self.cumulative_volume, np.arange(len(self.cumulative_volume)))

    def dates(self, arrival_times: Floats) -> Dates:
        """Returns the date of each arrival time."""
        last_day = len(self.cumulative_volume) - 2
        return self.first_date + np.minimum(arrival_times.astype(np.int64), last_day).astype("timedelta64[D]")

    def complaint_ids(self, arrival_times: Floats, last_id: int) -> Ints:
        """Numbers complaints as the publisher does: ascending with time, with gaps.

        Args:
            arrival_times: Days after `first_date`, ascending.
            last_id: Id of the preceding complaint; all returned ids are greater.

        Returns:
            Strictly ascending ids.
        """
        ids = np.interp(arrival_times, self.id_days, self.id_values).astype(np.int64)
        position = np.arange(len(ids))
        return np.maximum.accumulate(np.maximum(ids, last_id + 1) - position) + position


@cache
def load_calendar() -> Calendar:
    """Reads volumes, weekday factors and the dates of change from `calendar.json`."""
    statistics = read_statistics("calendar")
    end = np.datetime64(statistics["end"])
    months = DateBins.from_starts([start for start, _ in statistics["volume"]])
    first_date = months.starts[0]
    dates = np.arange(first_date, end)
    # 1970-01-01 was a Thursday, which is weekday 3 when Monday is 0.
    weight = np.array(statistics["weekday"])[(dates.astype(np.int64) + 3) % 7]
    month = months.find(dates)
    volume = np.array([count for _, count in statistics["volume"]], dtype=np.float64)
    daily = weight / np.bincount(month, weights=weight)[month] * volume[month]
    known_ids = statistics["complaint_ids"]
    id_days = np.array([day for day, _ in known_ids], dtype="datetime64[D]") - first_date
    return Calendar(
        first_date=first_date,
        end=end,
        cumulative_volume=np.concatenate([[0.0], np.cumsum(daily) / daily.sum()]),
        id_days=id_days.astype(np.float64),
        id_values=np.array([value for _, value in known_ids], dtype=np.float64),
        periods=DateBins.from_starts(statistics["periods"]),
        naming_eras=DateBins.from_starts([str(first_date), *statistics["renamed"]]),
        consent_start=np.datetime64(statistics["consent_start"]),
        label_end=np.datetime64(statistics["label_end"]),
    )
