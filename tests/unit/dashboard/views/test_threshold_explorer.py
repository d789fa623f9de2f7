from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.threshold_explorer import offered_versions, results
from solosolve.names import MODEL_EVENTS
from solosolve.storage.delta_reader import DeltaReader
from support.components import text_of
from support.warehouses import folder


def count(answers: Answers, condition: str) -> int:
    sql = f"select count(*) as n from gold.test_scores where model_version = 1 and {condition}"
    return int(answers.reader.query(sql).column("n")[0].as_py())


def test_results_are_those_of_the_threshold_and_version(answers: Answers) -> None:
    shown = text_of(results(answers, "1", 0.6, ""))
    assert f"Success predicted: {count(answers, 'probability >= 0.6')} of 400 at threshold 0.6." in shown
    assert f" {count(answers, 'probability >= 0.6 and is_successful_resolution = 1.0')} " in shown
    assert "Accuracy" in shown
    assert "AUC" not in shown


def test_results_follow_the_segment_in_the_address(answers: Answers) -> None:
    shown = text_of(results(answers, "1", 0.5, "?product=Mortgage"))
    expected = "product = 'Mortgage'"
    assert f"of {count(answers, expected)} at threshold 0.5" in shown


@pytest.mark.parametrize("version", [None, "x", "٣", "1" * 20, 1])
def test_invalid_version_shows_the_command_to_train_a_model(answers: Answers, version: object) -> None:
    assert "solosolve run train_model" in text_of(results(answers, version, 0.5, ""))


@pytest.mark.parametrize("threshold", ["0.5", 0, 1, True, None, float("nan")])
def test_invalid_threshold_is_explained(answers: Answers, threshold: object) -> None:
    shown = text_of(results(answers, "1", threshold, ""))
    assert shown == f"The threshold {threshold} is not a number between 0 and 1. Move the slider."


def test_invalid_address_is_explained(answers: Answers) -> None:
    assert "model" in text_of(results(answers, "1", 0.5, "?model=x"))


def test_segment_without_both_outcomes_is_explained(answers: Answers) -> None:
    assert "Select a wider segment." in text_of(results(answers, "1", 0.5, "?product=None"))


def test_results_before_any_model_name_the_command_that_trains_one(no_answers: Answers) -> None:
    assert "solosolve run train_model" in text_of(results(no_answers, "1", 0.5, ""))


@pytest.mark.parametrize(("chosen", "selected"), [(None, "2"), ("1", "1"), ("9", "2"), ({}, "2")])
def test_champion_is_selected_unless_a_trained_version_is_chosen(
    answers: Answers, chosen: object, selected: str
) -> None:
    assert offered_versions(answers, chosen) == (["2", "1"], selected)


def test_newest_version_is_selected_before_there_is_a_champion(warehouse: Path) -> None:
    folder(warehouse, MODEL_EVENTS).rename(warehouse / "no_events")
    assert offered_versions(Answers(DeltaReader(warehouse)), None) == (["2", "1"], "2")


def test_no_version_is_offered_before_a_model_is_trained(no_answers: Answers) -> None:
    assert offered_versions(no_answers, "1") == ([], None)
