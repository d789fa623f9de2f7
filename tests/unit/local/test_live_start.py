from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from solosolve.errors import UsageError
from solosolve.local.live_start import LiveStart
from solosolve.names import COMPLAINTS, LANDINGS, PREDICTIONS, TRUTH_SUFFIX
from solosolve.samples.arrivals import FIRST_ARRIVAL_ID
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.delta_requests import append_requests
from support.warehouses import append, complaint, prediction

TODAY = date(2026, 5, 1)


def start(settings: Settings, highest_id: int = 0) -> LiveStart:
    return LiveStart.find(DeltaReader(settings.warehouse), highest_id, TODAY)


def landing(file: Path) -> dict[str, object]:
    counts = {"byte_count": 1, "record_count": 1, "bronze_count": 1, "quarantine_count": 0}
    landed_at = datetime(2026, 1, 1, tzinfo=UTC)
    return {"source_file": str(file), "source_sha256": "0", "layout": "official", "landed_at": landed_at, **counts}


def request(complaint_id: int, received: date) -> dict[str, object]:
    return {"complaint_id": complaint_id, "date_received": received, "requested_at": datetime(2026, 1, 1, tzinfo=UTC)}


def test_new_home_begins_today_with_the_first_id(settings: Settings) -> None:
    assert start(settings) == LiveStart(FIRST_ARRIVAL_ID, TODAY)


def test_arrivals_go_on_after_the_newest_day_of_the_sample(settings: Settings) -> None:
    append(settings.warehouse, COMPLAINTS, [complaint(9, date_received=date(2023, 9, 20))])
    assert start(settings) == LiveStart(FIRST_ARRIVAL_ID, date(2023, 9, 21))


def test_arrivals_go_on_after_the_highest_id_wherever_it_is(settings: Settings) -> None:
    append_requests(settings, [request(FIRST_ARRIVAL_ID + 4, date(2024, 1, 1))])
    assert start(settings) == LiveStart(FIRST_ARRIVAL_ID + 5, date(2024, 1, 2))
    append(settings.warehouse, PREDICTIONS, [prediction(FIRST_ARRIVAL_ID + 7)])
    assert start(settings).first_id == FIRST_ARRIVAL_ID + 8
    assert start(settings, FIRST_ARRIVAL_ID + 20).first_id == FIRST_ARRIVAL_ID + 21


def test_first_day_is_never_later_than_today(settings: Settings) -> None:
    append_requests(settings, [request(1, TODAY + timedelta(days=1))])
    assert start(settings).first_day == TODAY


def test_made_up_complaints_never_arrive_among_real_ones(settings: Settings, tmp_path: Path) -> None:
    csv = tmp_path / "sample.csv"
    csv.with_suffix(TRUTH_SUFFIX).touch()
    append(settings.warehouse, LANDINGS, [landing(csv)])
    start(settings)
    append(settings.warehouse, LANDINGS, [landing(tmp_path / "complaints.csv")])
    with pytest.raises(UsageError, match=r"not made up .*complaints\.csv"):
        start(settings)
