from __future__ import annotations

import json

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.review_queue import QUEUE_LENGTH
from solosolve.dashboard.data.verdicts import is_showing, new_review_item
from solosolve.dashboard.views.review import complaint_under_review, queue_contents
from support.components import as_json, text_of
from support.dashboards import StubExplainer


def test_queue_starts_with_the_complaint_to_review(answers: Answers) -> None:
    queue, verdicts, first, picks = queue_contents(answers, "", 0.2)
    entries = [entry["props"]["children"]["props"] for entry in json.loads(as_json(queue))["props"]["children"]]
    assert len(entries) == QUEUE_LENGTH
    assert entries[0]["id"] == {"type": "queue", "complaint": first["complaint_id"]}
    assert entries[0]["data-complaint"] == str(first["complaint_id"])
    assert set(picks) == {entry["data-complaint"] for entry in entries}
    assert text_of(verdicts) == "No verdicts yet."


def test_queue_follows_the_filters(answers: Answers) -> None:
    queue, _, _, _ = queue_contents(answers, "?product=Mortgage", 0.2)
    assert "Mortgage" in text_of(queue)
    assert "Credit card" not in text_of(queue)


def test_empty_queue_blames_the_filters(answers: Answers) -> None:
    queue, _, first, _ = queue_contents(answers, "?product=Spaceships", 0.2)
    assert text_of(queue) == "No complaints to review match these filters."
    assert first is None


def test_queue_before_there_are_predictions_names_the_command(no_answers: Answers) -> None:
    queue, _, first, _ = queue_contents(no_answers, "", 0.2)
    assert "solosolve run score_batch" in text_of(queue)
    assert first is None


def test_queue_of_an_invalid_address_shows_the_reason(answers: Answers) -> None:
    queue, _, first, _ = queue_contents(answers, "?model=x", 0.2)
    assert "model" in text_of(queue)
    assert first is None


def test_complaint_under_review_is_shown_with_its_newest_prediction(answers: Answers) -> None:
    item = new_review_item(7)
    details, shown = complaint_under_review(answers, StubExplainer(), item)
    assert "Complaint 7" in text_of(details)
    assert shown is not None
    assert shown["model_version"] == 2
    assert is_showing(shown, item)


@pytest.mark.parametrize(
    "item", [None, 7, "x", {}, {"complaint_id": -1}, {"complaint_id": "7"}, {"complaint_id": True}]
)
def test_nothing_is_under_review_without_a_valid_complaint(answers: Answers, item: object) -> None:
    details, shown = complaint_under_review(answers, StubExplainer(), item)
    assert text_of(details) == "Nothing to review."
    assert shown is None


def test_nothing_is_under_review_if_predictions_cannot_be_read(no_answers: Answers) -> None:
    details, shown = complaint_under_review(no_answers, StubExplainer(), new_review_item(7))
    assert "gold.predictions" in text_of(details)
    assert shown is None
