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
    """A home of the test's own, which it writes verdicts to."""
    shutil.copytree(full_home / "warehouse", tmp_path / "warehouse")
    return tmp_path


@pytest.fixture
def reviewer(browser: Browser, home: Path) -> Iterator[Visit]:
    with serving(home) as (address, _), visit(browser, address) as found:
        yield found
        assert found.problems == []


def feedback(home: Path) -> list[dict[str, Any]]:
    reader = DeltaReader(home / "warehouse")
    if FEEDBACK not in reader.tables():
        return []
    found: list[dict[str, Any]] = reader.query("select * from silver.feedback order by given_at").to_pylist()
    return found


def head_of_queue(page: Page) -> int:
    expect(page.locator("#review-detail h3")).to_have_text(re.compile(r"Complaint \d+"))
    return int(page.locator("#review-detail h3").inner_text().split()[1])


def choose_reason(page: Page, reason: str) -> None:
    page.locator("#review-reason").click()
    page.locator(".dash-dropdown-option", has_text=reason).first.click()


def test_verdict_becomes_one_row_is_shown_and_can_be_taken_back(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = head_of_queue(page)
    choose_reason(page, "The narrative says so")
    page.locator("#review-note").fill("they paid")
    page.locator("#verdict-failure").dblclick()
    expect(page.locator("#toast")).to_contain_text(f"Failure recorded for complaint {number}.")
    expect(page.locator("#given")).to_contain_text(str(number))
    expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {number}")
    rows = feedback(home)
    assert len(rows) == 1
    predicted = DeltaReader(home / "warehouse").query(
        "select * from gold.predictions where complaint_id = :id", {"id": number}
    ).to_pylist()[0]  # fmt: skip
    known = {name: predicted[name] for name in ("probability", "model_version", "company", "state", "product")}
    said = {"complaint_id": number, "verdict": "failure", "is_successful_resolution": 0.0, "source": "review",
            "reviewer": "tester", "reason": "The narrative says so: they paid"}  # fmt: skip
    assert rows[0] == rows[0] | known | said
    page.locator("#toast button").click()
    expect(page.locator("#toast")).to_have_text("Taken back.")
    assert [row["verdict"] for row in feedback(home)] == ["failure", "withdrawn"]
    expect(page.locator("#given")).to_contain_text("No verdicts yet.")
    expect(page.locator("#review-detail h3")).to_have_text(f"Complaint {number}")


def test_verdict_is_on_the_complaint_that_is_shown_or_on_none(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    shown = head_of_queue(page)
    page.locator("#review-note").fill(f"about {shown}")
    # The next complaint is picked, and stays on its way.
    held: list[Route] = []

    def hold(route: Route) -> None:
        body = route.request.post_data or ""
        held.append(route) if '"output":"..review-detail' in body else route.continue_()

    page.route(lambda url: "_dash-update-component" in url, hold)
    page.locator(".queue button").nth(2).click()
    until(page, lambda: bool(held))
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_contain_text("still being fetched")
    assert feedback(home) == []
    held[0].continue_()
    expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {shown}")


def test_second_reviewer_is_told_that_there_is_a_verdict(browser: Browser, home: Path) -> None:
    with serving(home) as (address, _), visit(browser, address) as first, visit(browser, address) as second:
        pages = [each.open("/review") for each in (first, second)]
        numbers = [head_of_queue(page) for page in pages]
        assert numbers[0] == numbers[1]
        for page, verdict in zip(pages, ("success", "failure"), strict=True):
            page.locator("#review-note").fill("read it")
            page.locator(f"#verdict-{verdict}").click()
        expect(pages[0].locator("#toast")).to_contain_text("Success recorded")
        expect(pages[1].locator("#toast")).to_contain_text(f"Complaint {numbers[0]} has a verdict already")
        assert [row["verdict"] for row in feedback(home)] == ["success"]


def test_verdict_needs_a_reason(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = head_of_queue(page)
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_contain_text("give a reason, or a note")
    assert feedback(home) == []
    assert head_of_queue(page) == number


def test_verdicts_show_as_performance_on_feedback(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    for verdict in ("success", "unsure"):
        number = head_of_queue(page)
        page.locator("#review-note").fill("read it")
        page.locator(f"#verdict-{verdict}").click()
        expect(page.locator("#given")).to_contain_text(str(number))
        expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {number}")
    assert [row["is_successful_resolution"] for row in feedback(home)] == [1.0, None]
    page = reviewer.open("/")
    expect(page.locator("#panel-feedback td.number").first).to_have_text("1")


def test_message_that_is_said_again_is_shown_again(reviewer: Visit) -> None:
    page = reviewer.open("/review/")
    head_of_queue(page)
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator("#toast")).to_be_hidden(timeout=30_000)
    page.locator("#verdict-success").click()
    expect(page.locator("#toast")).to_be_visible()


def test_any_complaint_of_the_queue_can_be_picked(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    first = head_of_queue(page)
    page.locator(".queue button").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {first}")
    number = head_of_queue(page)
    page.locator("#review-note").fill("picked")
    page.locator("#verdict-success").click()
    expect(page.locator("#given")).to_contain_text(str(number))
    assert [row["complaint_id"] for row in feedback(home)] == [number]
