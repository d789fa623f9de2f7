from __future__ import annotations

from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.search_form import address_of, controls

EMPTY: dict[str, Any] = {
    "id": "", "words": "", "probability": [0, 1], "sub-product": [], "issue": [], "sub-issue": [], "zip": [], "tag": [],
    "via": [], "response": [], "public-response": [], "timely": None, "disputed": None,
}  # fmt: skip


def chosen(values: dict[str, Any]) -> list[Any]:
    return list((EMPTY | values).values())


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({"id": "#85,352"}, "?state=CA&id=85352"),
        ({"words": ' refund "late  fee"'}, "?state=CA&words=refund+%22late+fee%22"),
        ({"probability": [0.1, 0.30000000000000004]}, "?state=CA&probability-from=0.1&probability-to=0.3"),
        ({"issue": ["A", "B"], "timely": "No"}, "?state=CA&issue=A&issue=B&timely=No"),
        ({"zip": ["90001"], "sub-issue": ["C"]}, "?state=CA&sub-issue=C&zip=90001"),
    ],
)
def test_controls_make_the_address_and_keep_the_filters(values: dict[str, Any], address: str) -> None:
    assert address_of("?state=CA&page=3", chosen(values)) == [address, None, None]


def test_values_that_the_address_has_already_change_nothing() -> None:
    assert address_of("?id=7&page=2", chosen({"id": " 7 "}))[0] is no_update


def test_wrong_complaint_number_is_explained_at_its_box_and_changes_nothing() -> None:
    address, error, _ = address_of("", chosen({"id": "seven"}))
    assert address is no_update
    assert error == "A complaint number has up to 18 digits, such as 8535 or 85,352,602; found 'seven'"


def test_too_many_words_are_explained_at_their_box() -> None:
    assert address_of("", chosen({"words": "a b c d e f g h i"}))[2] == "words: 9 are given; at most 8 are allowed"


def test_address_fills_the_form_and_opens_the_filters_that_are_set(answers: Answers) -> None:
    shown = controls(answers, "?id=7&words=a+%22b+c%22&probability-to=0.5&issue=Gone&timely=No&zip=90001")
    expected = {"id": "7", "words": 'a "b c"', "probability": [0.0, 0.5], "issue": ["Gone"], "zip": ["90001"]}
    assert shown[: len(EMPTY)] == chosen(expected | {"timely": "No"})
    lists = shown[len(EMPTY) + 2 : -2]
    assert lists[1] == ["Gone", "Struggling to pay"]
    assert len(lists) == 7
    assert shown[-2:] == [True, " (3)"]


def test_invalid_address_shows_an_empty_form(answers: Answers) -> None:
    assert controls(answers, "?id=x")[: len(EMPTY)] == list(EMPTY.values())
