from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from solosolve.dashboard.data import complaint_conditions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_conditions import fact_values, words_searched_since
from solosolve.dashboard.data.found_predictions import read_export
from solosolve.dashboard.data.search import Search, parse_words
from solosolve.names import COMPLAINTS, NARRATIVE, PREDICTIONS, REQUESTS
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, complaint, prediction

TEXTS = {
    1: "They charged a LATE fee of 50% o'clock.",
    2: "The fee came late, and ':word_0' was in it; drop table -- \\n _",
    3: "Nothing of the kind. Ärger mit der Bank.",
}
DAY = date(2026, 4, 1)


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    append(tmp_path, PREDICTIONS, [prediction(number) for number in range(1, 6)])
    append(tmp_path, COMPLAINTS, [
        complaint(number, date_received=DAY + timedelta(days=number), issue=f"issue {number % 2}", tags=None,
                  timely_response="No" if number == 2 else "Yes", **{NARRATIVE: text})
        for number, text in TEXTS.items()
    ])  # fmt: skip
    append(tmp_path, REQUESTS, [{"complaint_id": 4, NARRATIVE: "Only asked for a refund.", "issue": "issue 1",
                                 "date_received": DAY + timedelta(days=4)}])  # fmt: skip
    return Answers(DeltaReader(tmp_path))


def found(answers: Answers, **conditions: Any) -> list[int]:
    ids: list[int] = read_export(answers, Search(sort="complaint_id", **conditions)).column("complaint_id").to_pylist()
    return ids


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("late", [1, 2]),
        ("LATE fee", [1, 2]),
        ('"late fee"', [1]),
        ("charg", [1]),
        ("refund", [4]),
        ("ärger", [3]),
        ("50%", [1]),
        ("%", [1]),
        ("_", [2]),
        ("o'clock", [1]),
        ("':word_0'", [2]),
        ("\\n", [2]),
        ("--", [2]),
        ("' or 1=1 --", []),
        ("late \x00", []),
    ],
)
def test_words_find_the_complaints_whose_text_has_all_of_them(
    answers: Answers, words: str, expected: list[int]
) -> None:
    assert found(answers, words=parse_words(words)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((("issue", ("issue 1",)),), [1, 3, 4]),
        ((("issue", ("issue 0", "issue 1")),), [1, 2, 3, 4]),
        ((("timely", ("No",)),), [2]),
        ((("issue", ("issue 1",)), ("timely", ("Yes",))), [1, 3]),
        ((("issue", ("' or true --",)),), []),
    ],
)
def test_facts_find_complaints_and_requests_have_no_outcome(
    answers: Answers, facts: tuple[tuple[str, tuple[str, ...]], ...], expected: list[int]
) -> None:
    assert found(answers, facts=facts) == expected


def test_words_are_searched_in_the_complaints_received_last(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert words_searched_since(answers) is None
    monkeypatch.setattr(complaint_conditions, "WORDS_SEARCHED", 3)
    assert words_searched_since(answers) == DAY + timedelta(days=2)
    assert found(answers, words=("late",)) == [2]
    assert found(answers, facts=(("issue", ("issue 1",)),)) == [1, 3, 4]


def test_search_in_complaints_without_complaints_finds_nothing(tmp_path: Path) -> None:
    append(tmp_path, PREDICTIONS, [prediction(1)])
    answers = Answers(DeltaReader(tmp_path))
    assert found(answers, words=("late",)) == []
    assert fact_values(answers, "issue") == []


def test_values_of_a_fact_begin_with_the_most_frequent(answers: Answers) -> None:
    assert fact_values(answers, "issue") == ["issue 1", "issue 0"]
    assert fact_values(answers, "tag") == []
