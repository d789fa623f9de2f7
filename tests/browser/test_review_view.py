from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from solosolve.names import FEEDBACK
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, until, visit
from support.dashboard_process import serving


@pytest.fixture
def home(full_home: Path, tmp_path: Path) -> Path:
    """A copy of the full home that the test may write verdicts to."""
    shutil.copytree(full_home / "warehouse", tmp_path / "warehouse")
    return tmp_path


@pytest.fixture
def reviewer(browser: Browser, home: Path) -> Iterator[Visit]:
    with serving(home) as (address, _), visit(browser, address) as visited:
        yield visited
        assert visited.problems == []


def feedback_rows(home: Path) -> list[dict[str, Any]]:
    reader = DeltaReader(home / "warehouse")
    if FEEDBACK not in reader.tables():
        return []
    rows: list[dict[str, Any]] = reader.query("select * from silver.feedback order by given_at").to_pylist()
    return rows


def complaint_under_review(page: Page) -> int:
    expect(page.locator("#review-detail h3")).to_have_text(re.compile(r"Complaint \d+"))
    return int(page.locator("#review-detail h3").inner_text().split()[1])


def choose_reason(page: Page, reason: str) -> None:
    page.locator("#review-reason").click()
    page.locator(".dash-dropdown-option", has_text=reason).first.click()


def test_verdict_becomes_one_row_and_can_be_withdrawn(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = complaint_under_review(page)
    choose_reason(page, "The narrative says so")
    page.locator("#review-note").fill("they paid")
    page.locator("#verdict-failure").dblclick()
    expect(page.locator("#toast")).to_contain_text(f"Failure recorded for complaint {number}.")
    expect(page.locator("#recent-verdicts")).to_contain_text(str(number))
    expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {number}")
    rows = feedback_rows(home)
    assert len(rows) == 1
    predicted = DeltaReader(home / "warehouse").query(
        "select * from gold.predictions where complaint_id = :id", {"id": number}
    ).to_pylist()[0]  # fmt: skip
    known = {name: predicted[name] for name in ("probability", "model_version", "company", "state", "product")}
    given = {"complaint_id": number, "verdict": "failure", "is_successful_resolution": 0.0, "source": "review",
            "reviewer": "tester", "reason": "The narrative says so: they paid"}  # fmt: skip
    assert rows[0] == rows[0] | known | given
    page.locator("#toast button").click()
    expect(page.locator("#toast")).to_have_text("Verdict withdrawn.")
    assert [row["verdict"] for row in feedback_rows(home)] == ["failure", "withdrawn"]
    expect(page.locator("#recent-verdicts")).to_contain_text("No verdicts yet.")
    expect(page.locator("#review-detail h3")).to_have_text(f"Complaint {number}")


def test_verdict_is_refused_while_the_next_complaint_is_loading(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    shown = complaint_under_review(page)
    page.locator("#review-note").fill(f"about {shown}")
    # The next complaint is selected, and its answer is held back.
    held: list[Route] = []

    def hold(route: Route) -> None:
        body = route.request.post_data or ""
        held.append(route) if '"output":"..review-detail' in body else route.continue_()

    page.route(lambda url: "_dash-update-component" in url, hold)
    page.locator(".queue button").nth(2).click()
    until(page, lambda: bool(held))
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_contain_text("still loading")
    assert feedback_rows(home) == []
    held[0].continue_()
    expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {shown}")


def test_second_reviewer_learns_that_the_complaint_already_has_a_verdict(browser: Browser, home: Path) -> None:
    with serving(home) as (address, _), visit(browser, address) as first, visit(browser, address) as second:
        pages = [each.open("/review") for each in (first, second)]
        numbers = [complaint_under_review(page) for page in pages]
        assert numbers[0] == numbers[1]
        for page, verdict in zip(pages, ("success", "failure"), strict=True):
            page.locator("#review-note").fill("read it")
            page.locator(f"#verdict-{verdict}").click()
        expect(pages[0].locator("#toast")).to_contain_text("Success recorded")
        expect(pages[1].locator("#toast")).to_contain_text(f"Complaint {numbers[0]} already has a verdict")
        assert [row["verdict"] for row in feedback_rows(home)] == ["success"]


def test_verdict_needs_a_reason(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = complaint_under_review(page)
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_contain_text("give a reason or a note")
    assert feedback_rows(home) == []
    assert complaint_under_review(page) == number


def test_verdicts_appear_on_the_overview(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    for verdict in ("success", "unsure"):
        number = complaint_under_review(page)
        page.locator("#review-note").fill("read it")
        page.locator(f"#verdict-{verdict}").click()
        expect(page.locator("#recent-verdicts")).to_contain_text(str(number))
        expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {number}")
    assert [row["is_successful_resolution"] for row in feedback_rows(home)] == [1.0, None]
    page = reviewer.open("/")
    expect(page.locator("#panel-feedback td.number").first).to_have_text("1")


def test_repeated_message_is_shown_again(reviewer: Visit) -> None:
    reviewer.page.clock.install()
    page = reviewer.open("/review/")
    complaint_under_review(page)
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_be_visible()
    page.clock.fast_forward(21_000)
    expect(page.locator("#toast")).to_be_hidden()
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_be_visible()


def test_any_complaint_in_the_queue_can_be_reviewed(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    first = complaint_under_review(page)
    page.locator(".queue button").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {first}")
    number = complaint_under_review(page)
    page.locator("#review-note").fill("read it")
    page.locator("#verdict-success").click()
    expect(page.locator("#recent-verdicts")).to_contain_text(str(number))
    assert [row["complaint_id"] for row in feedback_rows(home)] == [number]
