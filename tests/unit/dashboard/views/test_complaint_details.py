from __future__ import annotations

from pathlib import Path

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.names import COMPLAINTS, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.dashboards import StubExplainer
from support.warehouses import append, complaint, prediction


def test_details_show_text_newest_prediction_and_effects(answers: Answers) -> None:
    shown = complaint_details(answers, StubExplainer(), 7)
    text = text_of(shown)
    assert "Complaint 7" in text
    assert "60%  predicted probability of success (model version 2)" in text
    assert "They lost payment number 7." in text
    assert "Largest effects: words: payment, lost -0.40; product: Mortgage +0.20" in as_json(shown)
    passport = text.partition("Passport")[2]
    assert "model complaint_resolution version 2, run run" in passport
    assert "average + contributions +0.600, in all +0.400 log-odds" in passport
    assert "scored again 0.6: another value" in passport


def test_feature_without_effect_is_left_out(answers: Answers) -> None:
    assert "state: CA" not in as_json(complaint_details(answers, StubExplainer(), 7))


def test_complaint_without_predictions_names_the_command_that_scores_it(answers: Answers) -> None:
    shown = text_of(complaint_details(answers, StubExplainer(), 9_999))
    assert shown == "Complaint 9999 has no predictions yet. Run  solosolve run score_batch"


def test_complaint_from_kafka_has_no_text_and_no_explanation(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1, source="kafka")])
    shown = text_of(complaint_details(Answers(DeltaReader(tmp_path)), StubExplainer(), 1))
    assert "This complaint came through Kafka." in shown
    assert "A prediction cannot be explained without the complaint's text." in shown


def test_complaint_without_a_narrative_says_so(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1)])
    append(tmp_path, COMPLAINTS, [complaint(1, consumer_complaint_narrative="")])
    assert "No narrative." in text_of(complaint_details(Answers(DeltaReader(tmp_path)), StubExplainer(), 1))


def test_prediction_of_a_version_that_cannot_explain_shows_the_reason(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1, model_version=9)])
    append(tmp_path, COMPLAINTS, [complaint(1)])
    shown = text_of(complaint_details(Answers(DeltaReader(tmp_path)), StubExplainer(), 1))
    assert "there is no version 9" in shown


def test_details_before_there_are_tables_show_the_reason(no_answers: Answers) -> None:
    assert "gold.predictions" in text_of(complaint_details(no_answers, StubExplainer(), 1))
