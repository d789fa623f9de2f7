"""Where `solosolve live` takes up a home: only one of made-up complaints, after its newest id and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from solosolve.errors import UsageError
from solosolve.names import COMPLAINTS, LANDINGS, PREDICTIONS, REQUESTS
from solosolve.samples.arrivals import FIRST_ARRIVAL_ID
from solosolve.storage.reader import Reader
from solosolve.storage.sample_truth import truth_files

_WITH_IDS = frozenset({REQUESTS, COMPLAINTS, PREDICTIONS})
_WITH_DAYS = frozenset({REQUESTS, COMPLAINTS})


@dataclass(frozen=True)
class LiveStart:
    """The first complaint: its id, and the day on which it is received."""

    first_id: int
    first_day: date

    @classmethod
    def find(cls, reader: Reader, highest_id: int, today: date) -> LiveStart:
        """Looks at the tables.

        Args:
            reader: Reads the tables.
            highest_id: The highest id that has arrived, as far as files know.
            today: The latest first day.

        Raises:
            UsageError: Some complaints are not made up.
        """
        existing = set(reader.tables())
        if LANDINGS in existing:
            _require_made_up(reader)
        ids = [reader.query(f"select max(complaint_id) as newest from {table}") for table in _WITH_IDS & existing]
        days = [reader.query(f"select max(date_received) as newest from {table}") for table in _WITH_DAYS & existing]
        first_id = max(FIRST_ARRIVAL_ID, *(each + 1 for each in (*_known(ids), highest_id)))
        first_day = max((day + timedelta(days=1) for day in _known(days)), default=today)
        return cls(first_id, min(first_day, today))


def _require_made_up(reader: Reader) -> None:
    """Made-up complaints are landed from files with their true probabilities next to them."""
    names = reader.query(f"select distinct source_file from {LANDINGS}").column("source_file").to_pylist()
    for name, truth in zip(names, truth_files(names), strict=True):
        if not truth.is_file():
            raise UsageError(
                f"this home has complaints that are not made up ({name}), and made-up ones never arrive "
                "among them: run solosolve dashboard, or choose another SOLOSOLVE_HOME"
            )


def _known(answers: list[pa.Table]) -> list[Any]:
    """The answers that are not null, as those of empty tables are."""
    found = [answer["newest"][0].as_py() for answer in answers]
    return [each for each in found if each is not None]
