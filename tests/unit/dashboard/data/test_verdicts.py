from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.verdicts import build_feedback, is_recorded, is_showing, new_review_item, withdraw
from solosolve.errors import UsageError
from solosolve.names import PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Feedback, Verdict
from support.warehouses import NOW, append, prediction

SHOWN = {**new_review_item(7), "model_version": 2, "scored_at": str(NOW)}


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(7, probability=0.51)])
    return Answers(DeltaReader(tmp_path / "warehouse"))


@pytest.fixture
def log(tmp_path: Path) -> DeltaFeedback:
    return DeltaFeedback(Settings(home=tmp_path))


def build(
    answers: Answers,
    verdict: Verdict = Verdict.SUCCESS,
    reason: object = "Other",
    note: object = "",
    shown: dict[str, object] = SHOWN,
) -> Feedback:
    return build_feedback(answers, shown, verdict, reason, note, "ann")


def test_verdict_holds_the_prediction_on_screen_and_the_reviewer(answers: Answers, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(7, probability=0.9, model_version=3)])
    found = build(answers, Verdict.FAILURE, None, " they paid ")
    assert (found.model_version, found.probability, found.reviewer, found.reason) == (2, 0.51, "ann", "they paid")


@pytest.mark.parametrize(
    "change",
    [
        {"complaint_id": 8}, {"complaint_id": True}, {"complaint_id": "7"}, {"complaint_id": 10**18},
        {"submission": "x"}, {"submission": None}, {"model_version": 9}, {"scored_at": "2020-01-01"},
    ],
    ids=str,
)  # fmt: skip
def test_verdict_with_a_malformed_submission_or_an_unknown_prediction_is_refused(
    answers: Answers, change: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        build(answers, shown=SHOWN | change)


@pytest.mark.parametrize(
    ("reason", "note"), [(None, ""), (None, None), ("made up", "x"), ("Other", "x" * 2_001), ("Other", 7)]
)
def test_verdict_without_a_valid_reason_or_note_is_refused(answers: Answers, reason: object, note: object) -> None:
    with pytest.raises(UsageError):
        build(answers, reason=reason, note=note)


def test_submission_sent_twice_counts_as_recorded(answers: Answers, log: DeltaFeedback) -> None:
    given = build(answers)
    assert log.record(given)
    assert not log.record(given)
    assert is_recorded(answers, given)
    assert not is_recorded(answers, build(answers, Verdict.FAILURE))


def test_only_its_reviewer_can_withdraw_a_verdict(answers: Answers, log: DeltaFeedback) -> None:
    given = build(answers)
    log.record(given)
    with pytest.raises(UsageError, match=r"^only ann, who gave this verdict, can withdraw it$"):
        withdraw(answers, log, given.feedback_id, "bo")
    assert withdraw(answers, log, given.feedback_id, "ann").feedback_id == given.feedback_id
    sql = "select verdict, reviewer from silver.feedback order by given_at"
    rows = answers.reader.query(sql).to_pylist()
    assert [(row["verdict"], row["reviewer"]) for row in rows] == [("success", "ann"), ("withdrawn", "ann")]


@pytest.mark.parametrize("submission", [None, 7, "x", "0" * 32], ids=str)
def test_verdict_that_does_not_exist_cannot_be_withdrawn(
    answers: Answers, log: DeltaFeedback, submission: object
) -> None:
    log.record(build(answers))
    with pytest.raises(UsageError):
        withdraw(answers, log, submission, "ann")


def test_page_is_showing_only_the_complaint_under_review() -> None:
    item = new_review_item(7)
    assert is_showing({**item, "model_version": 2}, item)
    for shown in (new_review_item(7), {**item, "complaint_id": 8}, None, "x"):
        assert not is_showing(shown, item)


def test_verdict_says_how_the_queue_picked_its_complaint(answers: Answers, log: DeltaFeedback) -> None:
    audit = new_review_item(7, {"picked_by": "audit", "pick_probability": 1.0, "product": "x"})
    given = build(answers, shown=SHOWN | audit)
    assert (given.picked_by, given.pick_probability) == ("audit", 1.0)
    log.record(given)
    withdraw(answers, log, given.feedback_id, "ann")
    sql = "select picked_by, pick_probability from silver.feedback"
    assert answers.reader.query(sql).to_pylist() == [{"picked_by": "audit", "pick_probability": 1.0}] * 2
    uncertain = new_review_item(7, {"picked_by": "uncertain", "pick_probability": None})
    assert build(answers, shown=SHOWN | uncertain).picked_by == "uncertain"
    assert build(answers).picked_by is None


@pytest.mark.parametrize(
    ("picked_by", "probability"),
    [
        ("audit", None), ("audit", 0.999), ("audit", 0), ("audit", 1.5), ("audit", float("nan")), ("audit", True),
        ("audit", "1"), ("uncertain", 1.0), (None, 1.0), ("me", None), (7, None), (["audit"], 1.0),
    ],
    ids=str,
)  # fmt: skip
def test_pick_that_the_queue_cannot_give_is_refused(answers: Answers, picked_by: object, probability: object) -> None:
    # There is one prediction, so a random pick has the probability 1.
    with pytest.raises(UsageError, match="not from the queue"):
        build(answers, shown=SHOWN | {"picked_by": picked_by, "pick_probability": probability})


def test_second_reading_is_of_another_reviewer_and_only_one(answers: Answers, log: DeltaFeedback) -> None:
    second = SHOWN | new_review_item(7, {"picked_by": "second", "pick_probability": None})
    with pytest.raises(UsageError, match="does not wait for a second reading"):
        build(answers, shown=second)  # There is no table and no first verdict.
    log.record(build(answers))
    with pytest.raises(UsageError, match="does not wait for a second reading"):
        build(answers, shown=second)  # ann has given the first verdict.
    given = build_feedback(answers, second, Verdict.FAILURE, "Other", "", "bo")
    assert (given.source, given.picked_by, given.pick_probability) == ("second_reading", None, None)
    assert log.record(given)
    assert build_feedback(answers, second, Verdict.FAILURE, "Other", "", "bo").feedback_id == given.feedback_id
    third = SHOWN | new_review_item(7, {"picked_by": "second", "pick_probability": None})
    with pytest.raises(UsageError, match="does not wait for a second reading"):
        build_feedback(answers, third, Verdict.SUCCESS, "Other", "", "cy")
    assert withdraw(answers, log, given.feedback_id, "bo").source == "second_reading"
    assert build_feedback(answers, third, Verdict.SUCCESS, "Other", "", "cy").reviewer == "cy"
