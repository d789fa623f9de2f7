from __future__ import annotations

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.threshold_explorer import at_threshold, results, shown_threshold
from support.components import text_of

OF_VERSION_1 = "?model=1&threshold=0.600"


def count(answers: Answers, condition: str) -> int:
    sql = f"select count(*) as n from gold.test_scores where model_version = 1 and {condition}"
    return int(answers.reader.query(sql).column("n")[0].as_py())


def test_results_say_how_many_flags_find_how_many_failures(answers: Answers) -> None:
    flagged, failures = "probability < 0.6", "is_successful_resolution = 0.0"
    read, found = count(answers, flagged), count(answers, f"{flagged} and {failures}")
    shown = text_of(results(answers, OF_VERSION_1))
    said = f"Flag {read} of 400, find {found} of {count(answers, failures)} failures, {read - found} flags in vain."
    assert shown.startswith(said)
    assert "AUC" not in shown


def test_results_follow_the_segment_in_the_address(answers: Answers) -> None:
    shown = text_of(results(answers, "?model=1&product=Mortgage"))
    total = count(answers, "product = 'Mortgage'")
    assert f" of {total}, find" in shown


def test_curve_can_be_read_as_a_table(answers: Answers) -> None:
    failures = count(answers, "is_successful_resolution = 0.0")
    assert f"400 100.0% {failures} 100.0%" in text_of(results(answers, OF_VERSION_1))


@pytest.mark.parametrize("threshold", ["x", "0", "1", "nan", "-0.5", "1e3"])
def test_invalid_threshold_in_the_address_is_explained(answers: Answers, threshold: str) -> None:
    shown = text_of(results(answers, f"?threshold={threshold}"))
    assert shown == f"threshold: expected a number from 0.05 to 0.95, found '{threshold}'"
    assert shown_threshold(answers, f"?threshold={threshold}") is None


def test_invalid_address_is_explained(answers: Answers) -> None:
    assert "model" in text_of(results(answers, "?model=x"))


def test_segment_without_both_outcomes_is_explained(answers: Answers) -> None:
    assert "Select a wider segment." in text_of(results(answers, "?product=None"))


def test_results_before_any_model_name_the_command_that_trains_one(no_answers: Answers) -> None:
    assert "solosolve run train_model" in text_of(results(no_answers, ""))


def test_chosen_threshold_goes_to_the_address_next_to_the_filters(answers: Answers) -> None:
    assert at_threshold(answers, "?state=CA", 0.61) == "?state=CA&threshold=0.610"
    assert at_threshold(answers, "?threshold=0.610&state=CA", 0.62) == "?state=CA&threshold=0.620"


def test_threshold_of_the_version_itself_leaves_the_address(answers: Answers) -> None:
    assert at_threshold(answers, "?threshold=0.610", 0.5) == ""
    assert shown_threshold(answers, "") == 0.5


@pytest.mark.parametrize("chosen", [None, True, "0.6", 0, 1.5, float("nan")])
def test_value_that_is_no_threshold_changes_nothing(answers: Answers, chosen: object) -> None:
    assert at_threshold(answers, "?state=CA", chosen) == "?state=CA"
