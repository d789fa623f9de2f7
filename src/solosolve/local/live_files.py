"""The files of `solosolve live`: arrivals that wait to be landed, what is true of them, and outcomes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.local.live_world import Arrival, Outcome
from solosolve.names import EVENT_LABEL, FILED_COLUMNS, TRUTH_SUFFIX, Verdict
from solosolve.samples.writer import OFFICIAL_HEADERS, TRUTH_SCHEMA

_TRUTHS = "truths"
"""The suffix of the growing file of ids and probabilities."""

_COLUMNS = ("complaint_id", *FILED_COLUMNS)


@dataclass
class LiveFiles:
    """Files that grow, and that are closed when a run of the loop reads them.

    They survive a stop: what is waiting then is landed by the first run after the next start.

    Attributes:
        folder: Their folder, which is the command's own.
    """

    folder: Path

    @property
    def complaints(self) -> str | None:
        """The closed files of complaints, as a glob; None without any."""
        return self._glob("arrivals_*.csv")

    @property
    def outcomes(self) -> str | None:
        """The closed files of outcomes, as a glob; None without any."""
        return self._glob("outcomes_*.jsonl")

    @property
    def closed(self) -> list[Path]:
        """The closed files, which a run of the loop takes in."""
        return sorted([*self.folder.glob("arrivals_*.csv"), *self.folder.glob("outcomes_*.jsonl")])

    @property
    def are_waiting(self) -> bool:
        """Whether there are files, closed or growing, that no run of the loop has taken in."""
        return bool(self.closed) or any(self._growing(suffix).exists() for suffix in ("csv", "jsonl"))

    @property
    def highest_id(self) -> int:
        """The highest complaint id in the files; 0 without any."""
        return max(self._ids(), default=0)

    def add_arrivals(self, arrivals: Sequence[Arrival]) -> None:
        """Adds complaints with what is known of them when they are filed."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._growing("csv").exists():
            writer.writerow([OFFICIAL_HEADERS[name] for name in _COLUMNS])
        for each in arrivals:
            filed = {**each.made_up.filed, "complaint_id": each.complaint_id, "date_received": each.received}
            writer.writerow([filed[name] for name in _COLUMNS])
        # Before the complaints: none is without its truth, whenever this ends.
        truths = (f"{each.complaint_id},{each.made_up.probability!r}\n" for each in arrivals)
        self._append(_TRUTHS, "".join(truths))
        self._append("csv", text.getvalue())

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Adds outcomes as events."""
        self._append("jsonl", "".join(f"{json.dumps(event_of(each))}\n" for each in outcomes))

    def close(self, at: datetime) -> None:
        """Closes the growing files, so that a run of the loop reads them.

        The truths stay: they say that the complaints are made up, and what the best possible model would know.

        Args:
            at: The present instant, which names the files.
        """
        for suffix, name in (("csv", "arrivals"), ("jsonl", "outcomes")):
            if self._growing(suffix).exists():
                path = self.folder / f"{name}_{at:%Y%m%dT%H%M%S%f}.{suffix}"
                if suffix == "csv":
                    self._write_truths(path.with_suffix(TRUTH_SUFFIX))
                self._growing(suffix).rename(path)
        self._growing(_TRUTHS).unlink(missing_ok=True)

    def _write_truths(self, path: Path) -> None:
        """Writes the truths of the growing complaints; of an id that a kill has made free again, the last one."""
        growing, truths = self._growing(_TRUTHS), dict[int, float]()
        if growing.exists():
            with growing.open(encoding="utf-8", newline="") as file:
                truths = {int(number): float(probability) for number, probability in csv.reader(file)}
        ids = [number for number in _ids(self._growing("csv")) if number in truths]
        pq.write_table(pa.table([ids, [truths[number] for number in ids]], schema=TRUTH_SCHEMA), path)

    def _glob(self, names: str) -> str | None:
        return str(self.folder / names) if any(self.folder.glob(names)) else None

    def _growing(self, suffix: str) -> Path:
        return self.folder / f"growing.{suffix}"

    def _append(self, suffix: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # In one write, so that a kill leaves no half record.
        with self._growing(suffix).open("ab", buffering=0) as file:
            file.write(text.encode())

    def _ids(self) -> Iterator[int]:
        for path in (self._growing("csv"), *self.folder.glob("arrivals_*.csv")):
            if path.exists():
                yield from _ids(path)


def _ids(path: Path) -> Iterator[int]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from (int(row[0]) for row in csv.reader(file) if row[0].isdigit())


def event_of(outcome: Outcome) -> dict[str, object]:
    """An outcome as a feedback event."""
    return {
        "event_id": f"live-{outcome.complaint_id}",
        "complaint_id": outcome.complaint_id,
        "outcome": str(Verdict.SUCCESS if outcome.is_success else Verdict.FAILURE),
        "source": EVENT_LABEL,
        "given_at": outcome.given_at.isoformat(),
    }
