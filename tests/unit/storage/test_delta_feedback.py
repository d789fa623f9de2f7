from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from filelock import FileLock

from solosolve.errors import TableError
from solosolve.names import FEEDBACK, SECOND_READING
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from solosolve.table_properties import table_properties
from support.warehouses import append, feedback


def rows(settings: Settings) -> list[dict[str, Any]]:
    sql = "select * from silver.feedback order by feedback_id, verdict"
    found: list[dict[str, Any]] = DeltaReader(settings.warehouse).query(sql).to_pylist()
    return found


def test_first_row_creates_the_table_with_its_schema_and_properties(settings: Settings) -> None:
    DeltaFeedback(settings).record(feedback("a"))
    found = DeltaTable(settings.warehouse / "silver" / "feedback")
    assert pa.schema(found.schema().to_arrow()).equals(SCHEMAS[FEEDBACK])
    assert found.metadata().configuration == table_properties(FEEDBACK)


def test_record_writes_the_verdict_as_given(settings: Settings) -> None:
    given = feedback("a", verdict=Verdict.UNSURE)
    assert DeltaFeedback(settings).record(given)
    assert rows(settings) == [given.as_row()]
    assert given.as_row()["is_successful_resolution"] is None


def test_record_ignores_a_submission_sent_again(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    assert log.record(feedback("a"))
    assert not log.record(feedback("a", verdict=Verdict.FAILURE))
    assert log.record(feedback("b", complaint_id=8))
    assert [row["verdict"] for row in rows(settings)] == ["success", "success"]


def test_record_appends_a_withdrawal_once(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    log.record(feedback("a"))
    assert log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    assert not log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    assert [row["verdict"] for row in rows(settings)] == ["success", "withdrawn"]


def test_record_refuses_a_second_verdict_until_the_first_is_withdrawn(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    assert log.record(feedback("a"))
    assert not log.record(feedback("b", reviewer="bo", verdict=Verdict.FAILURE))
    assert log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    assert log.record(feedback("b", reviewer="bo", verdict=Verdict.FAILURE))
    assert not log.record(feedback("a"))
    assert [(row["feedback_id"], row["verdict"]) for row in rows(settings)] == [
        ("a", "success"), ("a", "withdrawn"), ("b", "failure"),
    ]  # fmt: skip


def test_record_takes_a_verdict_on_a_complaint_whose_outcome_an_event_reported(settings: Settings) -> None:
    event = feedback("event", source="event").as_row()
    append(settings.warehouse, FEEDBACK, [event])
    log = DeltaFeedback(settings)
    assert log.record(feedback("a", verdict=Verdict.FAILURE))
    assert not log.record(feedback("b"))
    assert [(row["feedback_id"], row["source"]) for row in rows(settings)] == [("a", "review"), ("event", "event")]


def test_record_takes_one_second_reading_of_a_judged_complaint(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    assert log.record(feedback("a"))
    assert log.record(feedback("b", reviewer="bo", source=SECOND_READING))
    assert not log.record(feedback("c", reviewer="cy", source=SECOND_READING))
    assert not log.record(feedback("d", reviewer="cy"))
    assert log.record(feedback("b", verdict=Verdict.WITHDRAWN, source=SECOND_READING))
    assert log.record(feedback("c", reviewer="cy", source=SECOND_READING))


def test_concurrent_submissions_are_each_recorded_once(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    ids = [f"{number:02}" for number in range(20)] * 2
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: log.record(feedback(name, complaint_id=1 + int(name))), ids))
    assert sum(made) == 20
    assert [row["feedback_id"] for row in rows(settings)] == sorted(set(ids))


def test_submissions_of_several_processes_are_all_recorded(settings: Settings, tmp_path: Path) -> None:
    program = tmp_path / "submit.py"
    program.write_text(
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from solosolve.storage.delta_feedback import DeltaFeedback\n"
        "from solosolve.storage.feedback import Feedback, Verdict\n"
        "from solosolve.settings import Settings\n"
        "log = DeltaFeedback(Settings(home=Path(sys.argv[1])))\n"
        "for number in range(10):\n"
        "    complaint = 1 + number + 10 * 'abc'.index(sys.argv[2])\n"
        "    given = (Verdict.FAILURE, 'bo', None, datetime.now(UTC), 1, 0.5, None, None, None)\n"
        "    log.record(Feedback(f'{sys.argv[2]}{number}', complaint, *given))\n",
        encoding="utf-8",
    )
    started = [subprocess.Popen([sys.executable, program, settings.home, name]) for name in "abc"]
    assert [each.wait(120) for each in started] == [0, 0, 0]
    assert [row["feedback_id"] for row in rows(settings)] == [f"{name}{n}" for name in "abc" for n in range(10)]


def test_record_fails_while_another_process_holds_the_lock(settings: Settings) -> None:
    with (
        FileLock(settings.lock_file("silver.feedback")),
        pytest.raises(TableError, match=r"^silver\.feedback is being written by another process"),
    ):
        DeltaFeedback(settings, lock_seconds=0.1).record(feedback("a"))
