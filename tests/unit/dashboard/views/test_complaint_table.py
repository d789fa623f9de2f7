from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data import complaint_conditions, found_predictions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.complaint_table import is_shown, new_rows, search_results, turned
from solosolve.names import PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import append, prediction


def rows_of(table: Any) -> list[list[str]]:
    """The texts of the cells of each row, headings first."""
    (shown,) = json.loads(as_json(table))["props"]["children"]["props"]["children"][1:2]
    body = json.loads(as_json(table))["props"]["children"]["props"]["children"][2]
    head = [shown["props"]["children"]]
    return [[text_of_node(cell) for cell in row["props"]["children"]] for row in (*head, *body["props"]["children"])]


def text_of_node(node: Any) -> str:
    children = node["props"].get("children") if isinstance(node, dict) else node
    return text_of_node(children) if isinstance(children, dict) else str(children)


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ("", "200 predictions"),
        ("?id=17", "1 prediction"),
        ("?state=CA", "25 predictions"),
        ("?state=XX", "0 predictions"),
        ("?words=payment", "200 predictions"),
        ("?words=%22number+17%22", "11 predictions"),
    ],
)
def test_search_counts_its_results(answers: Answers, search: str, count: str) -> None:
    assert search_results(answers, search, None)[1] == count


def test_rows_are_links_and_ids_and_outcomes_are_plain_and_in_full(answers: Answers) -> None:
    table, _, link, pages, page, ids, _ = search_results(answers, "?sort=probability&page=2&state=CA&state=TX", None)
    assert (pages, page) == (1, 1)
    assert link == "/export.csv?state=CA&state=TX&sort=probability"
    head, first, *_ = rows_of(table)
    assert head == [
        "Complaint",
        "Received",
        "Scored",
        "Probability",
        "Predicted",
        "Company",
        "Product",
        "State",
        "Version",
        "Source",
    ]
    assert first[0] == ids[0]
    assert first[3:5] == ["0.5%", "not successful"]
    assert f'"href": "/complaints/{first[0]}?state=CA&state=TX&sort=probability"' in as_json(table)


def test_heading_of_the_sorted_column_says_so_and_its_link_turns_the_order(answers: Answers) -> None:
    shown = as_json(search_results(answers, "?state=CA&sort=probability", None)[0])
    assert shown.count('"aria-sort": "ascending"') == 1
    assert '"href": "/complaints?state=CA&sort=-probability"' in shown


def test_page_after_the_last_is_the_last_page(answers: Answers) -> None:
    table, _, _, pages, page, *_ = search_results(answers, "?page=99&sort=complaint_id", None)
    assert (pages, page) == (4, 4)
    assert rows_of(table)[-1][0] == "200"


def test_invalid_search_shows_the_reason_and_exports_everything(answers: Answers) -> None:
    shown, count, link, *_, kept = search_results(answers, "?id=seventeen", None)
    assert "A complaint number has up to 18 digits" in text_of(shown)
    assert (count, link, kept) == ("", "/export.csv", None)


def test_search_before_there_are_predictions_names_the_command(no_answers: Answers) -> None:
    shown, count, link, *_ = search_results(no_answers, "", None)
    assert "solosolve run score_batch" in text_of(shown)
    assert (count, link) == ("", "/export.csv")


def test_limits_of_a_search_are_stated(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complaint_conditions, "WORDS_SEARCHED", 100)
    monkeypatch.setattr("solosolve.dashboard.views.complaint_table.MAX_ROWS", 120)
    monkeypatch.setattr(found_predictions, "MAX_ROWS", 120)
    count = search_results(answers, "?words=payment", None)[1]
    assert count == (
        "200 predictions; only the first 120 can be browsed and exported; words are searched in complaints received "
        "since 2026-04-01"
    )


def test_another_page_changes_the_address_and_the_present_one_does_not() -> None:
    assert turned("?state=CA&sort=company", 3) == "?state=CA&sort=company&page=3"
    assert [turned("?page=3", page) for page in (3, 0, None, "4")] == [no_update] * 4
    assert turned("?id=x", 2) is no_update


def test_table_is_not_read_again_for_the_address_that_it_shows(answers: Answers) -> None:
    kept = search_results(answers, "?state=CA&page=1", None)[-1]
    assert is_shown("?state=CA&page=1", kept)
    assert not is_shown("?state=CA", kept)
    assert not is_shown("", None)
    assert is_shown(None, search_results(answers, None, None)[-1])


def test_new_rows_are_offered_until_they_are_shown(warehouse: Path) -> None:
    answers = Answers(DeltaReader(warehouse))
    shown = search_results(answers, "?state=CA", None)[-1]
    assert new_rows(answers, "?state=CA", shown) == ""
    append(warehouse, PREDICTIONS, [prediction(1_000 + number, state="CA") for number in range(479)])
    assert new_rows(answers, "?state=CA", shown) == "479 new, show"
    assert search_results(answers, "?state=CA", shown)[1] == "25 predictions"
    _, count, *_, now = search_results(answers, "?state=CA", None)
    assert (count, new_rows(answers, "?state=CA", now)) == ("504 predictions", "")
    assert new_rows(answers, "?state=CA", None) == ""
    words = search_results(answers, "?words=payment", None)[-1]
    append(warehouse, PREDICTIONS, [prediction(9_000)])
    assert new_rows(answers, "?words=payment", words) == "Newer predictions, search again"
