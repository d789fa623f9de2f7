from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.review_progress import Progress, progress_of
from solosolve.names import FEEDBACK, SECOND_READING
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.warehouses import append, feedback, folder


def given(name: str, reviewer: str = "ann", **overrides: Any) -> dict[str, object]:
    return feedback(name, reviewer=reviewer, given_at=now(), **overrides).as_row()


def test_progress_counts_the_verdicts_of_today_that_stand(tmp_path: Path) -> None:
    answers = Answers(DeltaReader(tmp_path))
    assert progress_of(answers, "ann") == Progress(0, 0, 0, has_any=False)
    yesterday = now() - timedelta(days=1)
    append(tmp_path, FEEDBACK, [
        given("a"), given("b", picked_by="audit", pick_probability=0.1), given("c", "bo"), given("d"),
        given("d", verdict=Verdict.WITHDRAWN), given("e", source="event"), given("f", "bo", source=SECOND_READING),
        given("g") | {"given_at": yesterday},
    ])  # fmt: skip
    assert progress_of(answers, "ann") == Progress(2, 4, 1, has_any=True)
    assert progress_of(answers, "bo") == Progress(2, 4, 1, has_any=True)


def test_progress_reads_a_table_of_an_earlier_release(tmp_path: Path) -> None:
    row = given("a")
    del row["picked_by"], row["pick_probability"]
    write_deltalake(folder(tmp_path, FEEDBACK), pa.Table.from_pylist([row]))
    assert progress_of(Answers(DeltaReader(tmp_path)), "ann") == Progress(1, 1, 0, has_any=True)
