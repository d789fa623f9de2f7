from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from solosolve.dashboard.data import landings
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.landings import LandedTotals, landed_files, landed_totals, table_sizes
from solosolve.errors import NotYetError
from solosolve.names import LANDINGS, PREDICTIONS, QUARANTINE
from solosolve.storage import delta_reader
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, delete, landing, prediction, quarantined


def test_newest_landings_come_first_with_their_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(DeltaReader(tmp_path))
    with pytest.raises(NotYetError):
        landed_files(answers, Filters())
    monkeypatch.setattr(landings, "SHOWN_LANDINGS", 2)
    append(tmp_path, LANDINGS, [landing("b.csv", 1), landing("c.csv", 2), landing("a.csv", 1)])
    assert [(each.source_file, each.bronze_count) for each in landed_files(answers, Filters())] == [
        ("a.csv", 8), ("b.csv", 8),
    ]  # fmt: skip
    assert landed_totals(answers, Filters()) == LandedTotals(3, 30, 24, 6)
    append(tmp_path, LANDINGS, [landing("d.csv", bronze_count=10, quarantine_count=0)])
    assert [each.source_file for each in landed_files(answers, Filters())] == ["d.csv", "a.csv"]
    assert landed_totals(answers, Filters()) == LandedTotals(4, 40, 34, 6)


def test_period_without_landings_has_none(tmp_path: Path) -> None:
    append(tmp_path, LANDINGS, [landing("a.csv")])
    answers, later = Answers(DeltaReader(tmp_path)), Filters(first_day=date(2027, 1, 1))
    assert (landed_files(answers, later), landed_totals(answers, later)) == ([], LandedTotals(0, 0, 0, 0))


def test_sizes_are_those_of_the_newest_version(tmp_path: Path) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)
    append(tmp_path, PREDICTIONS, [prediction(1), prediction(2)])
    append(tmp_path, PREDICTIONS, [prediction(3)])
    append(tmp_path, QUARANTINE, [quarantined("too few fields")])
    delete(tmp_path, PREDICTIONS, "complaint_id = 3")
    quarantine, predictions = table_sizes(Answers(DeltaReader(tmp_path)))
    files = {path.name: path.stat().st_size for path in (tmp_path / "gold" / "predictions").glob("*.parquet")}
    assert (quarantine.table, quarantine.row_count, quarantine.file_count) == (QUARANTINE, 1, 1)
    assert (predictions.table, predictions.row_count, predictions.file_count) == (PREDICTIONS, 2, 1)
    assert predictions.byte_count in files.values()
    assert begun < predictions.committed_at <= datetime.now(UTC)


def test_log_is_read_once_per_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1)])
    append(tmp_path, QUARANTINE, [quarantined("too few fields")])
    answers = Answers(DeltaReader(tmp_path))
    before = table_sizes(answers)
    append(tmp_path, PREDICTIONS, [prediction(2)])
    opened: list[str] = []
    real = delta_reader.opened
    monkeypatch.setattr(delta_reader, "opened", lambda at: opened.append(Path(at).name) or real(at))
    after = table_sizes(answers)
    assert table_sizes(answers) == after
    assert opened == ["predictions"]
    assert [each.row_count for each in after] == [1, 2]
    assert after[0] == before[0]
