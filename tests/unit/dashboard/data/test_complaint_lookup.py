from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import complaint_id_from_json, filed_complaint, predictions_of
from solosolve.names import COMPLAINTS, FILED_COLUMNS, PREDICTIONS, REQUESTS
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import NOW, append, complaint, prediction


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1), (10**18 - 1, 10**18 - 1), (0, None), (-1, None), (10**18, None), (2**80, None), (True, None),
     (7.0, None), ("7", None), (None, None), ([7], None), ({}, None)],
    ids=str,
)  # fmt: skip
def test_complaint_id_from_json_is_a_positive_number_of_up_to_18_digits(value: object, expected: int | None) -> None:
    assert complaint_id_from_json(value) == expected


def test_predictions_of_a_complaint_are_newest_first(tmp_path: Path) -> None:
    older = NOW - timedelta(days=1)
    append(tmp_path, PREDICTIONS, [prediction(7, model_version=1, scored_at=older), prediction(7), prediction(8)])
    found = predictions_of(Answers(DeltaReader(tmp_path)), 7)
    assert [(row["complaint_id"], row["model_version"]) for row in found] == [(7, 2), (7, 1)]


def test_filed_complaint_comes_from_silver_before_the_requests(tmp_path: Path) -> None:
    append(tmp_path, COMPLAINTS, [complaint(7, issue="in silver")])
    append(tmp_path, REQUESTS, [{"complaint_id": number, "issue": "in a request"} for number in (7, 8)])
    answers = Answers(DeltaReader(tmp_path))
    found = [filed_complaint(answers, number) for number in (7, 8)]
    assert [row and row["issue"] for row in found] == ["in silver", "in a request"]
    assert found[0] is not None
    assert list(found[0]) == list(FILED_COLUMNS)


def test_filed_complaint_is_read_from_its_newest_request_wherever_that_came_from(tmp_path: Path) -> None:
    for number, at, source in ((1, None, "delta"), (2, NOW, "delta"), (3, NOW - timedelta(days=1), "delta")):
        append(tmp_path, REQUESTS, [{"complaint_id": 7, "issue": str(number), "requested_at": at, "source": source}])
    answers = Answers(DeltaReader(tmp_path))
    assert (filed_complaint(answers, 7) or {})["issue"] == "2"
    kept = {"source": "kafka", "source_position": "0:5", "requested_at": NOW + timedelta(seconds=1)}
    append(tmp_path, REQUESTS, [{"complaint_id": 7, "issue": "4"} | kept])
    assert (filed_complaint(answers, 7) or {})["issue"] == "4"


def test_filed_complaint_that_no_table_holds_is_none(tmp_path: Path) -> None:
    assert filed_complaint(Answers(DeltaReader(tmp_path)), 7) is None
    append(tmp_path, COMPLAINTS, [complaint(1)])
    assert filed_complaint(Answers(DeltaReader(tmp_path)), 7) is None
