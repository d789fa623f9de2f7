from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.second_readings import agreement, agreement_of, with_second_readings
from solosolve.names import FEEDBACK, SECOND_READING
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.warehouses import append, feedback


def given(complaint_id: int, reviewer: str = "ann", **overrides: Any) -> dict[str, object]:
    return feedback(f"{complaint_id} {reviewer}", complaint_id=complaint_id, reviewer=reviewer, **overrides).as_row()


def seconds(
    warehouse: Path, reviewer: str, share: float = 1.0, filters: Filters | None = None, claimed: tuple[int, ...] = ()
) -> list[int]:
    queue: list[dict[str, Any]] = [{"complaint_id": number, "picked_by": "uncertain"} for number in (901, 902)]
    answers = Answers(DeltaReader(warehouse))
    mixed = with_second_readings(answers, queue, filters or Filters(), reviewer, share, claimed)
    assert [row for row in mixed if row["picked_by"] == "uncertain"] == queue
    return [row["complaint_id"] for row in mixed if row["picked_by"] == "second"]


def test_second_readings_are_of_complaints_that_only_others_have_judged(tmp_path: Path) -> None:
    append(tmp_path, FEEDBACK, [given(number) for number in (1, 2, 3)])
    append(tmp_path, FEEDBACK, [given(4, "bo"), given(5, source="event"), given(6, probability=None)])
    append(tmp_path, FEEDBACK, [given(2, "bo", source=SECOND_READING), given(3, verdict=Verdict.WITHDRAWN)])
    assert seconds(tmp_path, "bo") == [1]
    assert seconds(tmp_path, "ann") == [4]
    assert sorted(seconds(tmp_path, "cy")) == [1, 4]
    assert seconds(tmp_path, "cy", claimed=(1,)) == [4]
    assert seconds(tmp_path, "cy", filters=Filters(product=("Student loan",))) == []


def test_second_readings_have_their_share_of_a_reviewers_readings(tmp_path: Path) -> None:
    assert seconds(tmp_path, "bo") == []
    append(tmp_path, FEEDBACK, [given(number) for number in range(1, 30)])
    # The tenth reading of bo, and the twentieth.
    counts = []
    for number in range(100, 120):
        counts.append(len(seconds(tmp_path, "bo", 0.1)))
        append(tmp_path, FEEDBACK, [given(number, "bo")])
    assert counts == [0] * 7 + [1, 1, 1] + [0] * 7 + [1, 1, 1]
    assert seconds(tmp_path, "bo", 0.0) == []


def test_agreement_compares_second_readings_with_the_verdicts_that_stand(tmp_path: Path) -> None:
    answers = Answers(DeltaReader(tmp_path))
    assert agreement_of(answers).count == 0
    append(tmp_path, FEEDBACK, [given(number) for number in (1, 2, 3, 4)])
    append(tmp_path, FEEDBACK, [
        given(1, "bo", source=SECOND_READING), given(2, "bo", source=SECOND_READING, verdict=Verdict.FAILURE),
        given(3, "bo", source=SECOND_READING), given(3, verdict=Verdict.WITHDRAWN), given(4, "bo", source="event"),
    ])  # fmt: skip
    found = agreement_of(answers)
    assert (found.count, found.agreed) == (2, 1)


def test_kappa_is_cohens() -> None:
    # The example of Cohen's paper in textbooks: 20 and 15 of 50 agree, 10 and 5 do not.
    found = agreement({("success", "success"): 20, ("failure", "failure"): 15,
                       ("success", "failure"): 5, ("failure", "success"): 10})  # fmt: skip
    assert (found.count, found.agreed) == (50, 35)
    assert found.kappa == pytest.approx(0.4)
    assert agreement({("success", "success"): 9}).kappa is None
    assert agreement({}).kappa is None
