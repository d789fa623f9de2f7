from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from solosolve.dashboard.data import found_predictions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.found_predictions import (
    Shown,
    columns_of,
    count_found,
    count_newer,
    on_a_page,
    page_count,
    read_export,
    read_page,
    show,
)
from solosolve.dashboard.data.search import Search
from solosolve.errors import MissingTableError
from solosolve.names import COMPLAINTS, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, complaint, folder, prediction

LATE = Search(facts=(("timely", ("No",)),))


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    append(tmp_path, PREDICTIONS, [prediction(number, probability=number / 10) for number in range(1, 10)])
    return Answers(DeltaReader(tmp_path))


def ids(answers: Answers, search: Search, shown: Shown | None = None) -> list[int]:
    return [row["complaint_id"] for row in read_page(answers, search, shown or show(answers, search, None))]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(), list(range(1, 10))),
        (Search(complaint_id=4), [4]),
        (Search(complaint_id=44), []),
        (Search(lowest=0.3, highest=0.5), [3, 4, 5]),
        (Search(Filters(state=("TX",))), [1, 9]),
        (Search(Filters(state=("TX",)), lowest=0.5), [9]),
        (Search(Filters(model_version=1)), []),
        (Search(sort="-probability", lowest=0.75), [9, 8]),
        (Search(sort="-complaint_id", highest=0.25), [2, 1]),
        (Search(facts=(("via", ("Web",)),), complaint_id=4), [4]),
        (Search(facts=(("via", ("Fax",)),)), []),
    ],
    ids=str,
)
def test_search_finds_the_matching_predictions_in_its_order(
    answers: Answers, search: Search, expected: list[int]
) -> None:
    assert ids(answers, search) == expected
    assert count_found(answers, search) == len(expected)
    assert read_export(answers, search).column("complaint_id").to_pylist() == expected


def test_pages_hold_the_rows_of_an_order_one_after_another(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found_predictions, "PAGE_ROWS", 4)
    monkeypatch.setattr(found_predictions, "MAX_ROWS", 6)
    assert [ids(answers, Search(page=page)) for page in (1, 2)] == [[1, 2, 3, 4], [5, 6]]
    assert [page_count(count) for count in (0, 4, 5, 9)] == [1, 1, 2, 2]
    assert on_a_page(Search(page=9), 9).page == 2


def test_table_keeps_its_commit_until_another_search(answers: Answers, tmp_path: Path) -> None:
    shown = show(answers, Search(), None)
    append(tmp_path, PREDICTIONS, [prediction(100), prediction(101)])
    sorted_, other = Search(sort="-complaint_id", page=1), Search(Filters(model_version=2))
    assert show(answers, sorted_, shown) == shown
    assert ids(answers, sorted_, shown)[0] == 9
    assert show(answers, other, shown).count == 11
    assert ids(answers, sorted_, show(answers, sorted_, None))[0] == 101


def test_newer_predictions_are_counted_by_the_search(answers: Answers, tmp_path: Path) -> None:
    everything, texas = Search(), Search(Filters(state=("TX",)))
    shown = [show(answers, search, None) for search in (everything, texas)]
    assert [count_newer(answers, search, each) for search, each in zip((everything, texas), shown, strict=True)] == [
        0,
        0,
    ]
    append(tmp_path, PREDICTIONS, [prediction(100, state="TX"), prediction(101, state="CA")])
    assert [count_newer(answers, search, each) for search, each in zip((everything, texas), shown, strict=True)] == [
        2,
        1,
    ]


def test_newer_predictions_of_a_search_in_complaints_are_not_counted(answers: Answers, tmp_path: Path) -> None:
    append(tmp_path, COMPLAINTS, [complaint(4, timely_response="No"), complaint(5, timely_response="Yes")])
    shown = show(answers, LATE, None)
    assert (shown.count, count_newer(answers, LATE, shown)) == (1, 0)
    append(tmp_path, PREDICTIONS, [prediction(100)])
    assert count_newer(answers, LATE, shown) is None


def test_what_a_browser_shows_survives_json_and_anything_else_is_nothing() -> None:
    shown = Shown("?id=7", "table", 3, 9)
    assert Shown.from_json(shown.to_json()) == shown
    broken: list[Any] = [None, {}, [], "x", shown.to_json() | {"commit": -1}, shown.to_json() | {"count": "9"}]
    assert [Shown.from_json(value) for value in broken] == [None] * len(broken)


def test_search_before_there_are_predictions_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingTableError):
        show(Answers(DeltaReader(tmp_path)), Search(), None)


@pytest.mark.parametrize("has_date", [True, False])
def test_day_of_receipt_is_shown_and_sorted_by_if_the_table_has_it(tmp_path: Path, has_date: bool) -> None:
    schema = SCHEMAS[PREDICTIONS]
    place = schema.get_field_index("date_received")
    schema = schema.remove(place) if place >= 0 else schema
    rows = [prediction(number) | {"date_received": date(2026, 1, number)} for number in (1, 2)]
    if has_date:
        schema = schema.append(pa.field("date_received", pa.date32()))
    write_deltalake(folder(tmp_path, PREDICTIONS), pa.Table.from_pylist(rows, schema=schema))
    answers = Answers(DeltaReader(tmp_path))
    assert ("date_received" in columns_of(answers)) == has_date
    assert ids(answers, Search(sort="-date_received")) == ([2, 1] if has_date else [1, 2])
