from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.search import Search, count_rows, newest_first, order_of, range_of, rows_of
from solosolve.errors import UsageError
from solosolve.names import PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, prediction


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    append(tmp_path, PREDICTIONS, [prediction(number, probability=number / 10) for number in range(1, 10)])
    return Answers(DeltaReader(tmp_path))


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(Filters()), list(range(1, 10))),
        (Search(Filters(), complaint_id=4), [4]),
        (Search(Filters(), complaint_id=44), []),
        (Search(Filters(), lowest=0.3, highest=0.5), [3, 4, 5]),
        (Search(Filters(state=("TX",))), [1, 9]),
        (Search(Filters(state=("TX",)), lowest=0.5), [9]),
        (Search(Filters(model_version=1)), []),
    ],
    ids=str,
)
def test_search_finds_what_it_says(answers: Answers, search: Search, expected: list[int]) -> None:
    found = rows_of(answers, search, "complaint_id", 100, 0)
    assert [row["complaint_id"] for row in found] == expected
    assert count_rows(answers, search) == len(expected)


def test_rows_are_a_page_of_anorder_of(answers: Answers) -> None:
    found = rows_of(answers, Search(Filters()), "probability desc, complaint_id", 2, 3)
    assert [row["complaint_id"] for row in found] == [6, 5]
    assert found[0]["prediction"] == "successful"
    assert found[0]["scored_at"] == "2026-05-04 12:00:00"


@pytest.mark.parametrize("search", [Search(Filters()), Search(Filters(company=("A; B",), state=("CA",)), 7, 0.25, 0.5)])
def test_search_reads_back_from_its_text(search: Search) -> None:
    assert Search.from_text(search.to_text()) == search


@pytest.mark.parametrize(
    ("complaint_id", "probability"),
    [("x", None), ("-1", None), ("1" * 30, None), ("0" * 20 + "9" * 5_000, None),
     ("٣", None), (None, [0]), (None, [0, 2]),
     (None, ["0", "1"]), (None, [0, 1, 1])],
)  # fmt: skip
def test_search_that_no_control_can_say_is_refused(complaint_id: object, probability: object) -> None:
    with pytest.raises(UsageError):
        Search.of("", complaint_id, probability)


@pytest.mark.parametrize(
    "sorting", [None, "x", [], [{"colId": "1; drop table", "sort": "asc"}], [{"colId": "state", "sort": "up"}], [7]]
)
def test_order_of_unknown_columns_is_the_usual_one(sorting: object) -> None:
    assert order_of(sorting) == newest_first()


def test_order_is_of_the_tables_columns() -> None:
    assert (
        order_of([{"colId": "state", "sort": "desc"}, {"colId": "x", "sort": "asc"}])
        == "state desc, complaint_id, model_version, source"
    )


@pytest.mark.parametrize(
    "request_",
    [{}, {"startRow": 5, "endRow": 5}, {"startRow": 0, "endRow": 10**9}, {"startRow": 10**6, "endRow": 10**6 + 50},
     {"startRow": -1, "endRow": 3}],
)  # fmt: skip
def test_range_that_is_too_large_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        range_of(request_)


def test_rows_of_an_earlier_commit_are_those_that_it_had(answers: Answers, tmp_path: Path) -> None:
    before = answers.reader.version(PREDICTIONS)
    assert before is not None
    append(tmp_path, PREDICTIONS, [prediction(100)])
    pinned = rows_of(answers, Search(Filters()), "complaint_id", 100, 0, before.number)
    assert [row["complaint_id"] for row in pinned] == list(range(1, 10))
    assert len(rows_of(answers, Search(Filters()), "complaint_id", 100, 0, None)) == 10
    assert len(rows_of(answers, Search(Filters()), "complaint_id", 100, 0, 10**6)) == 10
