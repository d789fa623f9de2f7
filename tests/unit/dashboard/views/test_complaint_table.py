from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.search import Search
from solosolve.dashboard.views.complaint_table import rows_response, search_results
from support.components import text_of

ALL = Search(Filters()).to_text()


@pytest.mark.parametrize(
    ("filters", "complaint_id", "probability", "count"),
    [
        ("", None, [0, 1], "200 predictions"),
        ("", "17", [0, 1], "1 prediction"),
        ("?state=CA", "", None, "25 predictions"),
        ("?state=XX", "", None, "0 predictions"),
    ],
)
def test_search_counts_its_results(
    answers: Answers, filters: str, complaint_id: str | None, probability: list[int] | None, count: str
) -> None:
    assert search_results(answers, filters, complaint_id, probability)[1] == count


def test_export_link_holds_the_search(answers: Answers) -> None:
    _, _, link = search_results(answers, "?state=CA", "17", [0.25, 1])
    text = parse_qs(urlsplit(link).query)["search"][0]
    assert Search.from_text(text) == Search(Filters(state=("CA",)), 17, 0.25, 1.0)


def test_each_search_has_a_table_of_its_own(answers: Answers) -> None:
    tables = [search_results(answers, filters, None, None)[0] for filters in ("", "?state=CA")]
    assert tables[0].id != tables[1].id


def test_invalid_search_shows_the_reason_and_exports_everything(answers: Answers) -> None:
    shown, count, link = search_results(answers, "", "seventeen", None)
    assert "complaint number" in text_of(shown)
    assert (count, link) == ("", "/export.csv")


def test_search_before_there_are_predictions_names_the_command(no_answers: Answers) -> None:
    shown, count, link = search_results(no_answers, "", None, None)
    assert "solosolve run score_batch" in text_of(shown)
    assert (count, link) == ("", "/export.csv")


def test_table_gets_the_rows_that_it_asks_for(answers: Answers) -> None:
    request = {"startRow": 50, "endRow": 100, "sortModel": [{"colId": "complaint_id", "sort": "desc"}]}
    response = rows_response(answers, request, {"search": ALL, "commit": 0, "count": 200})
    assert response is not None
    assert [row["complaint_id"] for row in response["rowData"]] == list(range(150, 100, -1))
    assert response["rowCount"] == 200


@pytest.mark.parametrize(
    ("request_", "table_id"),
    [
        ({"startRow": 0, "endRow": 50}, {"search": "[", "commit": 0, "count": 1}),
        ({"startRow": 50, "endRow": 0}, {"search": ALL, "commit": 0, "count": 1}),
        ({}, {"search": ALL}),
    ],
    ids=["search", "range", "empty"],
)
def test_invalid_request_gets_no_rows(answers: Answers, request_: dict[str, Any], table_id: dict[str, Any]) -> None:
    assert rows_response(answers, request_, table_id) is None
