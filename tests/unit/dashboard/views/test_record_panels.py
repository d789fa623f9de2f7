from __future__ import annotations

from pathlib import Path

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.record_panels import verdicts
from solosolve.names import FEEDBACK
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.components import text_of
from support.warehouses import append, feedback

ELSEWHERE = Filters(state=("NY",))


def answers_after(warehouse: Path, *given: Verdict) -> Answers:
    """Answers over verdicts on complaints from California."""
    rows = [feedback(str(number), complaint_id=number, verdict=each) for number, each in enumerate(given)]
    append(warehouse, FEEDBACK, [row.as_row() for row in rows])
    return Answers(DeltaReader(warehouse))


def test_verdicts_are_compared_with_predictions(warehouse: Path) -> None:
    answers = answers_after(warehouse, Verdict.SUCCESS, Verdict.FAILURE, Verdict.UNSURE)
    assert "v2 2 50%" in text_of(verdicts(answers, Filters()))


def test_no_verdicts_at_all_says_where_to_give_one_whatever_the_filters(answers: Answers) -> None:
    for filters in (Filters(), ELSEWHERE):
        assert text_of(verdicts(answers, filters)) == "No verdicts yet. Give one under Review."


def test_verdicts_that_filters_hide_are_not_said_to_be_missing(warehouse: Path) -> None:
    answers = answers_after(warehouse, Verdict.SUCCESS, Verdict.FAILURE)
    said = "2 verdicts, but none matches these filters. Clear or widen them."
    assert text_of(verdicts(answers, ELSEWHERE)) == said


def test_verdicts_that_say_no_outcome_are_not_said_to_be_missing(warehouse: Path) -> None:
    answers = answers_after(warehouse, Verdict.UNSURE)
    said = "1 verdict, but none says success or failure of a complaint with a prediction."
    assert text_of(verdicts(answers, Filters())) == said
