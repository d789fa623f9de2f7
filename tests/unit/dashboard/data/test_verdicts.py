from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, g

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.verdicts import is_recorded, item_of, verdict_of, withdraw
from solosolve.errors import UsageError
from solosolve.names import PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.warehouses import NOW, append, prediction

SHOWN = {**item_of(7), "model_version": 2, "scored_at": str(NOW)}


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(7, probability=0.51)])
    return Answers(DeltaReader(tmp_path / "warehouse"))


@pytest.fixture
def log(tmp_path: Path) -> DeltaFeedback:
    return DeltaFeedback(Settings(home=tmp_path))


@pytest.fixture(autouse=True)
def _ann_asks() -> Iterator[None]:
    with Flask("test").app_context():
        g.who = "ann"
        yield


def test_verdict_holds_the_prediction_that_was_shown(answers: Answers, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(7, probability=0.9, model_version=3)])
    found = verdict_of(answers, SHOWN, Verdict.FAILURE, None, " they paid ")
    assert (found.model_version, found.probability, found.reviewer, found.reason) == (2, 0.51, "ann", "they paid")


@pytest.mark.parametrize(
    "change",
    [
        {"complaint_id": 8}, {"complaint_id": True}, {"complaint_id": "7"}, {"submission": "x"}, {"submission": None},
        {"model_version": 9}, {"scored_at": "2020-01-01"},
    ],
    ids=str,
)  # fmt: skip
def test_verdict_on_what_was_not_shown_is_refused(answers: Answers, change: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        verdict_of(answers, SHOWN | change, Verdict.SUCCESS, "Other", "")


@pytest.mark.parametrize(
    ("reason", "note"), [(None, ""), (None, None), ("made up", "x"), ("Other", "x" * 2_001), ("Other", 7)]
)
def test_verdict_without_a_reason_that_the_page_offers_is_refused(
    answers: Answers, reason: object, note: object
) -> None:
    with pytest.raises(UsageError):
        verdict_of(answers, SHOWN, Verdict.SUCCESS, reason, note)


def test_submission_that_is_sent_again_counts_as_recorded(answers: Answers, log: DeltaFeedback) -> None:
    given = verdict_of(answers, SHOWN, Verdict.SUCCESS, "Other", "")
    assert log.record(given)
    assert not log.record(given)
    assert is_recorded(answers, given)
    assert not is_recorded(answers, verdict_of(answers, SHOWN, Verdict.FAILURE, "Other", ""))


def test_only_who_gave_a_verdict_takes_it_back(answers: Answers, log: DeltaFeedback) -> None:
    given = verdict_of(answers, SHOWN, Verdict.SUCCESS, "Other", "")
    log.record(given)
    g.who = "bo"
    with pytest.raises(UsageError, match="only ann can take it back"):
        withdraw(answers, log, given.feedback_id)
    g.who = "ann"
    assert withdraw(answers, log, given.feedback_id) == given.feedback_id
    sql = "select verdict, reviewer from silver.feedback order by given_at"
    rows = answers.reader.query(sql).to_pylist()
    assert [(row["verdict"], row["reviewer"]) for row in rows] == [("success", "ann"), ("withdrawn", "ann")]
