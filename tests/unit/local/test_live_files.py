from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from solosolve.landing.csv_layout import is_header
from solosolve.landing.feedback_events import read_events
from solosolve.landing.files import find_landing_files
from solosolve.landing.planning import plan_landing, read_asides, read_chunks
from solosolve.local.live_files import LiveFiles
from solosolve.local.live_world import Arrival, Outcome
from solosolve.names import NARRATIVE, TRUTH_SUFFIX
from solosolve.samples.arrivals import Arrivals

AT = datetime(2026, 1, 2, 12, tzinfo=UTC)


def arrivals(first: int, count: int = 3) -> list[Arrival]:
    made_up = Arrivals((first,)).take(count, frozenset())
    return [Arrival(first + number, date(2025, 1, 1), AT, each) for number, each in enumerate(made_up)]


def test_arrivals_become_a_complaint_file_with_its_truth(tmp_path: Path) -> None:
    files = LiveFiles(tmp_path)
    files.add_arrivals(arrivals(100))
    files.add_arrivals(arrivals(103))
    assert files.closed == []
    files.close(AT)
    (path,) = files.closed
    (found,) = find_landing_files(str(files.complaints)).files
    plan = plan_landing(found)
    records = [row for batch in (*read_asides(plan), *read_chunks(plan, plan.chunks)) for row in batch.to_pylist()]
    assert [row["complaint_id"] for row in records if row["_reason"] is None] == [str(n) for n in range(100, 106)]
    assert records[0][NARRATIVE] == arrivals(100)[0].made_up.filed[NARRATIVE]
    truth = pq.read_table(path.with_suffix(TRUTH_SUFFIX)).to_pylist()
    assert [row["complaint_id"] for row in truth] == list(range(100, 106))


def test_outcomes_become_events(tmp_path: Path) -> None:
    files = LiveFiles(tmp_path)
    files.add_outcomes([Outcome(7, True, AT), Outcome(8, False, AT)])
    files.close(AT)
    (path,) = files.closed
    lines = path.read_bytes().splitlines()
    events = read_events(lines, AT, 10_000).to_pylist()
    assert [(row["complaint_id"], row["verdict"], row["refusal"]) for row in events] == [
        (7, "success", None), (8, "failure", None),
    ]  # fmt: skip
    assert json.loads(lines[0])["given_at"] == AT.isoformat()


def test_what_waits_survives_a_kill(tmp_path: Path) -> None:
    first, later = arrivals(100), arrivals(103)
    LiveFiles(tmp_path).add_arrivals(first)
    again = LiveFiles(tmp_path)
    assert again.highest_id == 102
    again.add_arrivals(later)
    again.close(AT)
    (path,) = again.closed
    assert again.highest_id == 105
    assert sum(is_header(line.split(",")) for line in path.read_text(encoding="utf-8").splitlines()) == 1
    truths = pq.read_table(path.with_suffix(TRUTH_SUFFIX)).to_pylist()
    assert truths == [
        {"complaint_id": each.complaint_id, "probability": each.made_up.probability} for each in (*first, *later)
    ]


def test_truth_of_a_complaint_that_a_kill_kept_out_is_replaced_with_its_id(tmp_path: Path) -> None:
    (tmp_path / "growing.truths").write_text("100,0.125\n101,0.125\n", encoding="utf-8")
    files = LiveFiles(tmp_path)
    files.add_arrivals(arrivals(100, count=1))
    files.close(AT)
    (path,) = files.closed
    assert pq.read_table(path.with_suffix(TRUTH_SUFFIX)).to_pylist() == [
        {"complaint_id": 100, "probability": arrivals(100)[0].made_up.probability}
    ]
    assert sorted(each.suffix for each in tmp_path.iterdir()) == [".csv", ".parquet"]


def test_files_wait_until_a_run_has_taken_them_in(tmp_path: Path) -> None:
    files = LiveFiles(tmp_path)
    assert not files.are_waiting
    files.add_outcomes([Outcome(7, True, AT)])
    assert files.are_waiting
    files.close(AT)
    assert files.are_waiting
    for path in files.closed:
        path.unlink()
    assert not files.are_waiting


def test_folder_without_files_has_no_ids(tmp_path: Path) -> None:
    files = LiveFiles(tmp_path / "none")
    files.close(AT)
    assert (files.highest_id, files.closed, files.complaints, files.outcomes) == (0, [], None, None)
