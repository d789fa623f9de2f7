from __future__ import annotations

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.complaint_page import complaint_page, is_complaint_page
from support.components import as_json, text_of
from support.dashboards import StubExplainer


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/complaints/7", True), ("/complaints/x", True), ("/complaints", False), ("/complaints/", False), ("/", False),
     ("/review", False), (None, False)],
)  # fmt: skip
def test_complaint_pages_are_below_the_table(path: object, expected: bool) -> None:
    assert is_complaint_page(path) == expected


def test_page_leads_back_to_the_table_to_its_neighbours_and_to_the_review(answers: Answers) -> None:
    page = complaint_page(answers, StubExplainer(), "/complaints/7", "?state=CA&page=2", ["5", "7", "9"])
    shown = as_json(page)
    for link in ("/complaints?state=CA&page=2", "/complaints/5?state=CA&page=2", "/complaints/9?state=CA&page=2",
                 "/review?state=CA&complaint=7"):  # fmt: skip
        assert f'"href": "{link}"' in shown
    assert "Complaint 7" in text_of(page)


@pytest.mark.parametrize(("ids", "links"), [(["7", "9"], "Next"), (["5", "7"], "Previous"), ([], ""), (None, "")])
def test_page_has_only_the_neighbours_that_there_are(answers: Answers, ids: object, links: str) -> None:
    text = text_of(complaint_page(answers, StubExplainer(), "/complaints/7", None, ids))
    assert text.startswith(f"← Back to the table {links}".strip())


def test_address_that_names_no_complaint_says_so(answers: Answers) -> None:
    page = complaint_page(answers, StubExplainer(), "/complaints/seven", "", [])
    assert "This address names no complaint." in text_of(page)


def test_complaint_without_predictions_cannot_be_reviewed(answers: Answers) -> None:
    text = text_of(complaint_page(answers, StubExplainer(), "/complaints/999999999999", "", []))
    assert "Complaint 999999999999 has no predictions yet." in text
    assert "Review this complaint" not in text
