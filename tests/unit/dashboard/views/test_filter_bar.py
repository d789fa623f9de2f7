from __future__ import annotations

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.filter_bar import filters_of, options_of, with_filters
from solosolve.errors import UsageError
from support.warehouses import COMPANIES, PRODUCTS

NOTHING = (None, None, [], [], [], None)


def test_address_of_empty_controls_is_empty() -> None:
    assert filters_of(NOTHING).to_search() == ""


def test_address_holds_what_the_controls_say() -> None:
    values = (["2026-01-01", "2026-01-31"], ["2025-12-01", None], ["Mortgage"], ["Elm & Co", "Fir"], [], "2")
    assert filters_of(values).to_search() == (
        "?from=2026-01-01&to=2026-01-31&received-from=2025-12-01&product=Mortgage&company=Elm+%26+Co&company=Fir"
        "&model=2"
    )


@pytest.mark.parametrize(
    "values",
    [
        (["yesterday", None], *NOTHING[1:]),
        (*NOTHING[:-1], "newest"),
        (["2026-02-01", "2026-01-01"], *NOTHING[1:]),
        (None, ["2026-02-01", "2026-01-01"], *NOTHING[2:]),
    ],
    ids=["day", "version", "order", "order of receipt"],
)
def test_controls_with_an_invalid_value_have_no_address(values: tuple[object, ...]) -> None:
    with pytest.raises(UsageError):
        filters_of(values)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", "?state=CA"),
        ("?words=lost&state=TX", "?state=CA&words=lost"),
        ("?page=7&sort=company", "?state=CA&sort=company"),
        ("?complaint=7", "?state=CA"),
        (None, "?state=CA"),
    ],
)
def test_other_filters_leave_what_a_room_keeps_in_the_address(search: object, expected: str) -> None:
    assert with_filters(search, Filters(state=("CA",))) == expected


def test_products_and_states_are_offered_by_name(answers: Answers) -> None:
    assert options_of(answers, "product", []) == sorted(PRODUCTS)
    assert options_of(answers, "state", None)[:2] == ["CA", "FL"]


def test_companies_with_the_most_predictions_are_offered_first(answers: Answers) -> None:
    # Predictions 1 to 200 go round the companies, so these two have one more than the others.
    assert options_of(answers, "company", [], limit=2) == [COMPANIES[1], COMPANIES[2]]


def test_typed_text_finds_companies_in_any_case(answers: Answers) -> None:
    assert options_of(answers, "company", [], "eLm") == ["Elm Bank"]


def test_chosen_value_stays_offered_although_the_tables_lack_it(answers: Answers) -> None:
    assert options_of(answers, "product", ["Gone", "Mortgage"]) == ["Gone", *sorted(PRODUCTS)]
    assert options_of(answers, "company", ["Fir Bank"], "elm") == ["Fir Bank", "Elm Bank"]


def test_model_versions_are_offered_newest_first(answers: Answers) -> None:
    assert options_of(answers, "model", "7") == ["7", "2"]


def test_only_the_chosen_values_are_offered_before_there_are_tables(no_answers: Answers) -> None:
    assert options_of(no_answers, "state", ["CA"]) == ["CA"]
    assert options_of(no_answers, "model", None) == []
