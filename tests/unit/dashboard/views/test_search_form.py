from __future__ import annotations

from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.search_form import address_of, controls

EMPTY: list[Any] = ["", "", [0, 1], [], [], [], [], None, None]


def chosen(**values: Any) -> list[Any]:
    names = ("id", "words", "probability", "issue", "via", "tag", "response", "timely", "disputed")
    return [values.get(name, default) for name, default in zip(names, EMPTY, strict=True)]


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({"id": "#85,352"}, "?state=CA&id=85352"),
        ({"words": ' refund "late  fee"'}, "?state=CA&words=refund+%22late+fee%22"),
        ({"probability": [0.1, 0.30000000000000004]}, "?state=CA&probability-from=0.1&probability-to=0.3"),
        ({"issue": ["A", "B"], "timely": "No"}, "?state=CA&issue=A&issue=B&timely=No"),
    ],
)
def test_controls_make_the_address_and_keep_the_filters(values: dict[str, Any], address: str) -> None:
    assert address_of("?state=CA&page=3", chosen(**values)) == [address, None, None]


def test_values_that_the_address_has_already_change_nothing() -> None:
    assert address_of("?id=7&page=2", chosen(id=" 7 "))[0] is no_update


def test_wrong_complaint_number_is_explained_at_its_box_and_changes_nothing() -> None:
    address, error, _ = address_of("", chosen(id="seven"))
    assert address is no_update
    assert error == "A complaint number has up to 18 digits, such as 8535 or 85,352,602; found 'seven'"


def test_too_many_words_are_explained_at_their_box() -> None:
    assert address_of("", chosen(words="a b c d e f g h i"))[2] == "words: 9 are given; at most 8 are allowed"


def test_address_fills_the_form_and_opens_the_filters_that_are_set(answers: Answers) -> None:
    shown = controls(answers, "?id=7&words=a+%22b+c%22&probability-to=0.5&issue=Gone&timely=No")
    assert shown[:9] == ["7", 'a "b c"', [0.0, 0.5], ["Gone"], [], [], [], "No", None]
    assert shown[11] == ["Gone", "Struggling to pay"]
    assert shown[-2:] == [True, " (2)"]


def test_invalid_address_shows_an_empty_form(answers: Answers) -> None:
    assert controls(answers, "?id=x")[:9] == ["", "", [0.0, 1.0], [], [], [], [], None, None]
