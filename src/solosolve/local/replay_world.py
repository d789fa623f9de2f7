"""The world that a replay lives in: complaints month by month, and outcomes that are reported some days later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.names import EVENT_LABEL
from solosolve.samples.months import Change, Month, write_month

FIRST_MONTH = date(2018, 1, 1)
POISONED_SHARE = 0.3
"""Share of the outcomes reported in the month of a change of labels that are wrong."""

_REPORTED_AT = time(12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """What a replay generates.

    Attributes:
        folder: Where its files go.
        seed: Selects everything that is random.
        complaints: Complaints per month.
        changes: How the world changes, with the month, counted from 1, in which it does.
        feedback_share: Share of complaints whose outcome is reported, from 0 to 1.
        delay_days: Days from a complaint to the report of its outcome.
        history: Months before the first one, with published outcomes; they are numbered 0, -1, ...
    """

    folder: Path
    seed: int
    complaints: int
    changes: Mapping[Change, int]
    feedback_share: float
    delay_days: int
    history: int
    _truths: dict[int, pa.Table] = field(default_factory=dict, compare=False, repr=False)

    def first_day(self, number: int) -> date:
        """The first day of a month; month 1 is FIRST_MONTH."""
        months = FIRST_MONTH.year * 12 + FIRST_MONTH.month - 1 + number - 1
        return date(months // 12, months % 12 + 1, 1)

    def end(self, number: int) -> datetime:
        """The instant at which the jobs of a month run: early on the first day of the next."""
        return datetime.combine(self.first_day(number + 1), time(3, 0, tzinfo=UTC))

    def write(self, number: int) -> Month:
        """Writes the complaints of a month."""
        month = write_month(
            self.folder / f"month_{number:+03d}.csv",
            first_day=self.first_day(number),
            complaints=self.complaints,
            seed=self.seed,
            number=number + self.history,
            changes=frozenset(change for change, first in self.changes.items() if number >= first),
            has_outcomes=number < 1,
        )
        self._truths[number] = pq.read_table(month.truth_path)
        return month

    def truth(self, number: int) -> pa.Table:
        """What is true of the complaints of a month that has been written."""
        return self._truths[number]

    def write_feedback(self, number: int) -> tuple[Path, int]:
        """Writes the outcomes that are reported between the ends of the month before and of this one.

        Returns:
            The file of JSON lines, and how many outcomes it has.
        """
        path = self.folder / f"feedback_{number:02d}.jsonl"
        lines = []
        for earlier in range(1, number + 1):
            lines += self._reports(earlier, self.end(number - 1), self.end(number))
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path, len(lines)

    def _reports(self, number: int, since: datetime, until: datetime) -> list[str]:
        rng = np.random.default_rng([self.seed, 1_000 + number])
        truth = self.truth(number)
        is_reported = rng.random(truth.num_rows) < self.feedback_share
        is_wrong = rng.random(truth.num_rows) < POISONED_SHARE
        poisoned_at = self.changes.get(Change.LABELS)
        is_poisoned = poisoned_at is not None and until == self.end(poisoned_at)
        lines = []
        rows = truth.select(["complaint_id", "received", "is_success"]).to_pylist()
        for row, reported, wrong in zip(rows, is_reported.tolist(), is_wrong.tolist(), strict=True):
            given_at = datetime.combine(row["received"] + timedelta(days=self.delay_days), _REPORTED_AT)
            if reported and since < given_at <= until:
                is_success = row["is_success"] != (is_poisoned and wrong)
                lines.append(
                    json.dumps(
                        {
                            "event_id": f"replay-{self.seed}-{row['complaint_id']}",
                            "complaint_id": row["complaint_id"],
                            "outcome": "success" if is_success else "failure",
                            "source": EVENT_LABEL,
                            "given_at": given_at.isoformat(),
                        }
                    )
                )
        return lines
