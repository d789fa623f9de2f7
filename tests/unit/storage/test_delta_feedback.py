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
from pyspark.sql.pandas.types import to_arrow_schema

from solosolve.errors import TableError
from solosolve.names import FEEDBACK
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage import delta_feedback
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.warehouses import feedback


def rows(settings: Settings) -> list[dict[str, Any]]:
    sql = "select * from silver.feedback order by feedback_id, verdict"
    found: list[dict[str, Any]] = DeltaReader(settings.warehouse).query(sql).to_pylist()
    return found


def test_table_is_the_one_that_the_schema_says(settings: Settings) -> None:
    DeltaFeedback(settings).record(feedback("a"))
    found = DeltaTable(settings.warehouse / "silver" / "feedback")
    expected = to_arrow_schema(SCHEMAS[FEEDBACK], timezone="UTC")
    assert pa.schema(found.schema().to_arrow()).equals(expected)
    assert found.metadata().configuration["delta.enableDeletionVectors"] == "false"


def test_row_is_what_was_said(settings: Settings) -> None:
    given = feedback("a", verdict=Verdict.UNSURE)
    assert DeltaFeedback(settings).record(given)
    assert rows(settings) == [given.as_row()]
    assert given.as_row()["is_successful_resolution"] is None


def test_submission_that_is_sent_again_is_one_row(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    assert log.record(feedback("a"))
    assert not log.record(feedback("a", verdict=Verdict.FAILURE))
    assert log.record(feedback("b", complaint_id=8))
    assert [row["verdict"] for row in rows(settings)] == ["success", "success"]


def test_withdrawal_is_a_row_of_its_own_and_one_row(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    log.record(feedback("a"))
    assert log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    assert not log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    assert [row["verdict"] for row in rows(settings)] == ["success", "withdrawn"]


def test_second_verdict_on_a_complaint_waits_until_the_first_is_taken_back(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    assert log.record(feedback("a"))
    assert not log.record(feedback("b", reviewer="bo", verdict=Verdict.FAILURE))
    assert log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    assert log.record(feedback("b", reviewer="bo", verdict=Verdict.FAILURE))
    assert not log.record(feedback("a"))
    assert [(row["feedback_id"], row["verdict"]) for row in rows(settings)] == [
        ("a", "success"), ("a", "withdrawn"), ("b", "failure"),
    ]  # fmt: skip


def test_many_that_submit_at_once_lose_nothing_and_double_nothing(settings: Settings) -> None:
    log = DeltaFeedback(settings)
    ids = [f"{number:02}" for number in range(20)] * 2
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: log.record(feedback(name, complaint_id=1 + int(name))), ids))
    assert sum(made) == 20
    assert [row["feedback_id"] for row in rows(settings)] == sorted(set(ids))


def test_other_processes_writing_the_table_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    program = tmp_path / "submit.py"
    program.write_text(
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from solosolve.adapters.delta_feedback import DeltaFeedback\n"
        "from solosolve.adapters.feedback import Feedback, Verdict\n"
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


def test_table_that_another_process_holds_is_an_error_not_a_lost_verdict(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_feedback, "_LOCK_SECONDS", 0.1)
    lock = settings.home / "locks" / "silver.feedback.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock), pytest.raises(TableError, match=r"^silver\.feedback is being written by another process"):
        DeltaFeedback(settings).record(feedback("a"))
