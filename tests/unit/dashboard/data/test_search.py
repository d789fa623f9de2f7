from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.search import NEWEST_FIRST, Search, count_found, parse_order, parse_range, read_page
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
def test_search_finds_the_matching_predictions(answers: Answers, search: Search, expected: list[int]) -> None:
    found = read_page(answers, search, "complaint_id", 100, 0)
    assert [row["complaint_id"] for row in found] == expected
    assert count_found(answers, search) == len(expected)


def test_page_holds_its_rows_of_an_order(answers: Answers) -> None:
    found = read_page(answers, Search(Filters()), "probability desc, complaint_id", 2, 3)
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
def test_search_with_a_value_that_no_control_has_is_refused(complaint_id: object, probability: object) -> None:
    with pytest.raises(UsageError):
        Search.from_controls("", complaint_id, probability)


@pytest.mark.parametrize(
    "sorting",
    [
        None,
        "x",
        [],
        [{"colId": "1; drop table", "sort": "asc"}],
        [{"colId": "state", "sort": "up"}],
        [{"colId": ["state"], "sort": "asc"}],
        [7],
    ],
)
def test_order_by_unknown_columns_is_newest_first(sorting: object) -> None:
    assert parse_order(sorting) == NEWEST_FIRST


@pytest.mark.parametrize("digits", ["1234567890123456789", "9223372036854775807"])
def test_search_for_a_number_above_18_digits_is_refused(digits: str) -> None:
    with pytest.raises(UsageError, match=r"^Search takes a complaint number of up to 18 digits$"):
        Search.from_controls("", digits, None)


def test_order_keeps_only_columns_of_the_table() -> None:
    assert (
        parse_order([{"colId": "state", "sort": "desc"}, {"colId": "x", "sort": "asc"}])
        == "state desc, complaint_id, model_version, source"
    )


@pytest.mark.parametrize(
    "request_",
    [{}, {"startRow": 5, "endRow": 5}, {"startRow": 0, "endRow": 10**9}, {"startRow": 10**6, "endRow": 10**6 + 50},
     {"startRow": -1, "endRow": 3}],
)  # fmt: skip
def test_range_that_is_empty_or_too_large_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        parse_range(request_)


def test_page_of_an_earlier_commit_holds_the_rows_of_that_commit(answers: Answers, tmp_path: Path) -> None:
    before = answers.reader.version(PREDICTIONS)
    assert before is not None
    append(tmp_path, PREDICTIONS, [prediction(100)])
    pinned = read_page(answers, Search(Filters()), "complaint_id", 100, 0, before.number)
    assert [row["complaint_id"] for row in pinned] == list(range(1, 10))
    assert len(read_page(answers, Search(Filters()), "complaint_id", 100, 0, None)) == 10
    assert len(read_page(answers, Search(Filters()), "complaint_id", 100, 0, 10**6)) == 10
