from __future__ import annotations

from datetime import UTC, datetime

import pytest

from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import (
    attributes,
    confusion_table,
    counted,
    instant,
    no_rows,
    not_yet,
    number,
    table,
)
from solosolve.errors import MissingTableError, NoChampionError
from solosolve.names import PREDICTIONS
from support.components import as_json, text_of


@pytest.mark.parametrize(
    ("value", "digits", "unit", "expected"),
    [(None, 0, " s", "–"), (1234.5, 0, "", "1,234"), (1234.56, 1, " s", "1,234.6 s"), (0, 0, "", "0")],
)
def test_number_has_thousands_separators_and_a_dash_for_none(
    value: float | None, digits: int, unit: str, expected: str
) -> None:
    assert number(value, digits, unit) == expected


@pytest.mark.parametrize(("count", "expected"), [(0, "0 states"), (1, "1 state"), (1_234, "1,234 states")])
def test_counted_noun_is_singular_for_one_only(count: int, expected: str) -> None:
    assert counted(count, "state") == expected


def test_attributes_have_hyphens() -> None:
    assert attributes(aria_label="Filters", role="region") == {"aria-label": "Filters", "role": "region"}


def test_missing_rows_name_the_command_that_adds_them() -> None:
    shown = text_of(no_rows("predictions", Filters(), PREDICTIONS))
    assert shown == "No predictions yet. Run  solosolve run score_batch"


def test_missing_rows_are_blamed_on_the_filters_if_any_are_set() -> None:
    shown = text_of(no_rows("predictions", Filters(state=("CA",)), PREDICTIONS))
    assert shown == "No predictions match these filters. Clear or widen them."


@pytest.mark.parametrize(
    ("error", "command"),
    [(MissingTableError(PREDICTIONS), "solosolve run score_batch"), (NoChampionError(), "solosolve run train_model")],
    ids=["table", "champion"],
)
def test_what_has_not_been_made_names_the_command_that_makes_it(
    error: MissingTableError | NoChampionError, command: str
) -> None:
    shown = text_of(not_yet(error))
    assert error.found in shown
    assert shown.endswith(command)


def test_confusion_table_has_actual_rows_and_predicted_columns() -> None:
    shown = text_of(confusion_table(((30, 10), (5, 0))))
    assert shown == (
        "Predicted: not successful Predicted: successful "
        "Actual: not successful 30 75% 10 25% Actual: successful 5 100% 0 0%"
    )


def test_confusion_table_of_nothing_has_zero_shares() -> None:
    assert "0 0% 0 0%" in text_of(confusion_table(((0, 0), (0, 0))))


def test_table_aligns_numbers_and_can_be_reached_by_keyboard() -> None:
    shown = as_json(table(("Name", "Count", "Share"), [("a", 1_234, 0.5)], "Counts by name"))
    assert shown.count('"className": "number"') == 2 + 2
    assert '"1,234"' in shown
    assert '"0.500"' in shown
    assert '"tabIndex": "0"' in shown
    assert shown.count("Counts by name") == 2


def test_instant_is_machine_readable_utc() -> None:
    shown = as_json(instant(datetime(2026, 5, 4, 12, 30, 5, tzinfo=UTC)))
    assert '"dateTime": "2026-05-04T12:30:05Z"' in shown
    assert '"children": "2026-05-04 12:30:05 UTC"' in shown
