from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.claims import Claims
from solosolve.dashboard.data.review_desk import ReviewDesk, ReviewRules
from solosolve.dashboard.data.verdicts import new_review_item
from solosolve.dashboard.views.recent_verdicts import recent_verdicts
from solosolve.dashboard.views.verdict_form import Submission, record_verdict, undo_verdict
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
def desk(answers: Answers, tmp_path: Path) -> ReviewDesk:
    return ReviewDesk(answers, DeltaFeedback(Settings(home=tmp_path)), Claims(10), ReviewRules())


def submission(verdict: str = "success", reason: object = "Other", note: object = None) -> Submission:
    """A verdict on the complaint that the page shows."""
    item = new_review_item(7)
    return Submission(verdict, item, {**item, "model_version": 2, "scored_at": str(NOW)}, reason, note)


def said(message: list[dict[str, Any]]) -> str:
    """The text of the message that the page is sent."""
    return text_of(message[0]["message"])


@pytest.mark.parametrize(("verdict", "label"), [("success", "Success"), ("failure", "Failure"), ("unsure", "Unsure")])
def test_recorded_verdict_can_be_undone_from_its_message(desk: ReviewDesk, verdict: str, label: str) -> None:
    done, message = record_verdict(desk, submission(verdict), "ann")
    assert said(message) == f"{label} recorded for complaint 7.  Undo"
    assert done["what"] == "recorded"
    assert done["feedback_id"] in as_json(message)
    assert verdict in text_of(recent_verdicts(desk.answers, "ann"))


def test_verdict_on_a_complaint_that_is_still_loading_is_refused(desk: ReviewDesk) -> None:
    early = replace(submission(), item=new_review_item(8))
    done, message = record_verdict(desk, early, "ann")
    assert done is no_update
    assert said(message) == "Verdict not recorded: the complaint is still loading; try again"


@pytest.mark.parametrize("verdict", ["withdrawn", "None", ""])
def test_verdict_that_has_no_button_is_refused(desk: ReviewDesk, verdict: str) -> None:
    done, message = record_verdict(desk, submission(verdict), "ann")
    assert done is no_update
    assert said(message) == "Verdict not recorded: choose one of Success, Failure, Unsure"


def test_verdict_without_a_reason_is_refused(desk: ReviewDesk) -> None:
    done, message = record_verdict(desk, submission(reason=None), "ann")
    assert done is no_update
    assert said(message).startswith("Verdict not recorded: ")
    assert text_of(recent_verdicts(desk.answers, "ann")) == "No verdicts yet."


def test_second_verdict_on_a_complaint_is_refused(desk: ReviewDesk) -> None:
    record_verdict(desk, submission("success"), "ann")
    done, message = record_verdict(desk, submission("failure"), "bo")
    assert (done["what"], done["complaint_id"]) == ("refused", 7)
    assert said(message).startswith("Complaint 7 already has a verdict.")


def test_verdict_on_a_complaint_that_has_gone_to_another_reviewer_is_refused(desk: ReviewDesk) -> None:
    desk.claims.claim(7, "bo")
    done, message = record_verdict(desk, submission(), "ann")
    assert done is no_update
    assert "bo is reading it now" in said(message)
    assert record_verdict(desk, submission(), "bo")[0]["what"] == "recorded"
    assert desk.claims.of("bo") is None


def test_message_says_what_the_model_said_if_that_was_hidden(desk: ReviewDesk) -> None:
    _, message = record_verdict(desk, replace(submission(), is_hidden=True), "ann")
    assert "The model said 60%." in said(message)


def test_submission_that_is_sent_twice_is_recorded_once(desk: ReviewDesk) -> None:
    sent = submission()
    messages = [said(record_verdict(desk, sent, "ann")[1]) for _ in range(2)]
    assert messages[0] == messages[1]
    assert desk.answers.reader.query("select verdict from silver.feedback").num_rows == 1


def test_equal_messages_have_different_ids(desk: ReviewDesk) -> None:
    first, second = (record_verdict(desk, submission(reason=None), "ann")[1] for _ in range(2))
    assert said(first) == said(second)
    assert as_json(first) != as_json(second)


def test_undone_verdict_is_withdrawn(desk: ReviewDesk) -> None:
    given, _ = record_verdict(desk, submission(), "ann")
    done, message = undo_verdict(desk, given["feedback_id"], "ann")
    assert (done["what"], done["complaint_id"]) == ("withdrawn", 7)
    assert said(message) == "Verdict on complaint 7 withdrawn."
    assert text_of(recent_verdicts(desk.answers, "ann")) == "No verdicts yet."


@pytest.mark.parametrize("feedback_id", [None, 7, "x", "0" * 32])
def test_unknown_verdict_cannot_be_undone(desk: ReviewDesk, feedback_id: object) -> None:
    record_verdict(desk, submission(), "ann")
    done, message = undo_verdict(desk, feedback_id, "ann")
    assert done is no_update
    assert said(message).startswith("Verdict not withdrawn: ")


def test_verdict_of_another_reviewer_cannot_be_undone(desk: ReviewDesk) -> None:
    given, _ = record_verdict(desk, submission(), "ann")
    done, message = undo_verdict(desk, given["feedback_id"], "bo")
    assert done is no_update
    assert "ann" in said(message)
    assert "success" in text_of(recent_verdicts(desk.answers, "ann"))
    assert text_of(recent_verdicts(desk.answers, "bo")) == "No verdicts of yours yet, only of others."


def test_events_are_not_among_the_verdicts(desk: ReviewDesk, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", FEEDBACK, [feedback("a", source="event").as_row()])
    assert text_of(recent_verdicts(desk.answers, "ann")) == "No verdicts yet."
