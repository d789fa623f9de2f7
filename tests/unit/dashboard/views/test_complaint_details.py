from __future__ import annotations

from pathlib import Path

from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import predictions_of
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.dashboard.views.complaint_page import complaint_page
from solosolve.names import COMPLAINTS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.dashboards import StubExplainer
from support.warehouses import append, complaint, feedback, prediction


def details(answers: Answers, complaint_id: int, *, is_alone: bool = False) -> Component:
    predictions = predictions_of(answers, complaint_id)
    return complaint_details(answers, StubExplainer(), complaint_id, predictions, is_alone=is_alone)


def test_details_show_text_newest_prediction_and_effects(answers: Answers) -> None:
    text = text_of(details(answers, 7))
    assert "Complaint 7" in text
    assert "60%  predicted probability of success (model version 2)" in text
    assert "They  lost   payment  number 7." in text
    # Without “payment”, the log-odds of 0.4 would be 0.7: 66.8% instead of 59.9%.
    assert "The average complaint has a probability of 65%." in text
    assert "“payment” −7.0 product: Mortgage +4.9 “lost” −2.4" in " ".join(text.split())
    passport = text.partition("Passport")[2]
    assert "model complaint_resolution version 2, run run" in passport
    assert "average + contributions +0.600, in all +0.400 log-odds" in passport
    assert "scored again 0.6: another value" in passport


def test_feature_without_effect_is_left_out(answers: Answers) -> None:
    assert "state: CA" not in as_json(details(answers, 7))


def test_passport_names_the_source_without_the_folders_of_the_machine(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1)])
    append(tmp_path, COMPLAINTS, [complaint(1, _source_file="/srv/home/landing/a.csv")])
    shown = text_of(details(Answers(DeltaReader(tmp_path)), 1))
    assert "source landing/a.csv, line 1" in shown
    assert "/srv" not in shown


def test_only_the_page_of_its_own_shows_outcome_and_verdicts(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    append(settings.warehouse, PREDICTIONS, [prediction(7)])
    append(settings.warehouse, COMPLAINTS, [complaint(7, company_response_to_consumer="Untimely response")])
    DeltaFeedback(settings).record(feedback("a", reason="They paid at last"))
    answers = Answers(DeltaReader(settings.warehouse))
    alone, reviewed = (text_of(details(answers, 7, is_alone=is_alone)) for is_alone in (True, False))
    for secret in ("Untimely response", "ann", "They paid at last"):
        assert secret in alone
        assert secret not in reviewed


def test_complaint_without_predictions_names_the_command_that_scores_it(answers: Answers) -> None:
    shown = text_of(details(answers, 9_999))
    assert shown == "Complaint 9999 has no predictions yet. Run  solosolve run score_batch"


def test_complaint_whose_text_is_in_no_table_has_no_explanation(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1, source="kafka")])
    shown = text_of(details(Answers(DeltaReader(tmp_path)), 1, is_alone=True))
    assert "The text of this complaint is in no table." in shown
    assert "A prediction cannot be explained without the complaint's text." in shown


def test_complaint_without_a_narrative_says_so(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1)])
    append(tmp_path, COMPLAINTS, [complaint(1, consumer_complaint_narrative="")])
    assert "No narrative." in text_of(details(Answers(DeltaReader(tmp_path)), 1))


def test_prediction_of_a_version_that_cannot_explain_shows_the_reason(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1, model_version=9)])
    append(tmp_path, COMPLAINTS, [complaint(1)])
    shown = text_of(details(Answers(DeltaReader(tmp_path)), 1))
    assert "there is no version 9" in shown


def test_details_before_there_are_tables_show_the_reason(no_answers: Answers) -> None:
    assert "gold.predictions" in text_of(complaint_page(no_answers, StubExplainer(), "/complaints/1", "", []))
