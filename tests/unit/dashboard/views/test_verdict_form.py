from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.verdicts import new_review_item
from solosolve.dashboard.views.verdict_form import (
    Submission,
    recent_verdicts,
    record_verdict,
    undo_verdict,
)
from solosolve.names import FEEDBACK, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import NOW, append, feedback, prediction


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    """Answers from a warehouse with one prediction and no verdict."""
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(7)])
    return Answers(DeltaReader(tmp_path / "warehouse"))


@pytest.fixture
def log(tmp_path: Path) -> DeltaFeedback:
    return DeltaFeedback(Settings(home=tmp_path))


def submission(verdict: str = "success", reason: object = "Other", note: object = None) -> Submission:
    """A verdict on the complaint that the page shows."""
    item = new_review_item(7)
    return Submission(verdict, item, {**item, "model_version": 2, "scored_at": str(NOW)}, reason, note)


@pytest.mark.parametrize(("verdict", "label"), [("success", "Success"), ("failure", "Failure"), ("unsure", "Unsure")])
def test_recorded_verdict_can_be_undone_from_its_message(
    answers: Answers, log: DeltaFeedback, verdict: str, label: str
) -> None:
    done, message = record_verdict(answers, log, submission(verdict), "ann")
    assert text_of(message) == f"{label} recorded for complaint 7.  Undo"
    assert done in as_json(message)
    assert verdict in text_of(recent_verdicts(answers))


def test_verdict_on_a_complaint_that_is_still_loading_is_refused(answers: Answers, log: DeltaFeedback) -> None:
    early = replace(submission(), item=new_review_item(8))
    done, message = record_verdict(answers, log, early, "ann")
    assert done is no_update
    assert text_of(message) == "Verdict not recorded: the complaint is still loading; try again"


@pytest.mark.parametrize("verdict", ["withdrawn", "None", ""])
def test_verdict_that_has_no_button_is_refused(answers: Answers, log: DeltaFeedback, verdict: str) -> None:
    done, message = record_verdict(answers, log, submission(verdict), "ann")
    assert done is no_update
    assert text_of(message) == "Verdict not recorded: choose one of Success, Failure, Unsure"


def test_verdict_without_a_reason_is_refused(answers: Answers, log: DeltaFeedback) -> None:
    done, message = record_verdict(answers, log, submission(reason=None), "ann")
    assert done is no_update
    assert text_of(message).startswith("Verdict not recorded: ")
    assert text_of(recent_verdicts(answers)) == "No verdicts yet."


def test_second_verdict_on_a_complaint_moves_the_queue_on(answers: Answers, log: DeltaFeedback) -> None:
    record_verdict(answers, log, submission("success"), "ann")
    done, message = record_verdict(answers, log, submission("failure"), "bo")
    assert done is not no_update
    assert text_of(message) == "Complaint 7 already has a verdict."


def test_submission_that_is_sent_twice_is_recorded_once(answers: Answers, log: DeltaFeedback) -> None:
    sent = submission()
    messages = [text_of(record_verdict(answers, log, sent, "ann")[1]) for _ in range(2)]
    assert messages[0] == messages[1]
    assert answers.reader.query("select verdict from silver.feedback").num_rows == 1


def test_equal_messages_have_different_ids(answers: Answers, log: DeltaFeedback) -> None:
    first, second = (record_verdict(answers, log, submission(reason=None), "ann")[1] for _ in range(2))
    assert text_of(first) == text_of(second)
    assert as_json(first) != as_json(second)


def test_undone_verdict_is_withdrawn(answers: Answers, log: DeltaFeedback) -> None:
    feedback_id, _ = record_verdict(answers, log, submission(), "ann")
    done, message = undo_verdict(answers, log, feedback_id, "ann")
    assert done == f"{feedback_id} withdrawn"
    assert text_of(message) == "Verdict withdrawn."
    assert text_of(recent_verdicts(answers)) == "No verdicts yet."


@pytest.mark.parametrize("feedback_id", [None, 7, "x", "0" * 32])
def test_unknown_verdict_cannot_be_undone(answers: Answers, log: DeltaFeedback, feedback_id: object) -> None:
    record_verdict(answers, log, submission(), "ann")
    done, message = undo_verdict(answers, log, feedback_id, "ann")
    assert done is no_update
    assert text_of(message).startswith("Verdict not withdrawn: ")


def test_verdict_of_another_reviewer_cannot_be_undone(answers: Answers, log: DeltaFeedback) -> None:
    feedback_id, _ = record_verdict(answers, log, submission(), "ann")
    done, message = undo_verdict(answers, log, feedback_id, "bo")
    assert done is no_update
    assert "ann" in text_of(message)
    assert "success" in text_of(recent_verdicts(answers))


def test_events_are_not_among_the_verdicts(answers: Answers, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", FEEDBACK, [feedback("a", source="event").as_row()])
    assert text_of(recent_verdicts(answers)) == "No verdicts yet."
