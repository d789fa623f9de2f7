from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Route, expect

from solosolve.names import FEEDBACK, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, until, visit
from support.dashboard_thread import serving_here
from support.warehouses import append, feedback

PASSWORD = "open sesame"


@pytest.fixture
def home(full_home: Path, tmp_path: Path) -> Path:
    """A copy of the full home that the test may write verdicts to."""
    shutil.copytree(full_home / "warehouse", tmp_path / "warehouse")
    return tmp_path


@pytest.fixture
def reviewer(browser: Browser, home: Path) -> Iterator[Visit]:
    with serving_here(home) as address, visit(browser, address) as visited:
        yield visited
        assert visited.problems == []


def feedback_rows(home: Path) -> list[dict[str, Any]]:
    reader = DeltaReader(home / "warehouse")
    if FEEDBACK not in reader.tables():
        return []
    rows: list[dict[str, Any]] = reader.query("select * from silver.feedback order by given_at").to_pylist()
    return rows


def complaint_under_review(page: Page) -> int:
    """The complaint that the queue marks as open, once it is shown."""
    number = page.locator(".queue [aria-current=true]").get_attribute("data-complaint")
    assert number is not None
    expect_complaint(page, int(number))
    return int(number)


def expect_another_than(page: Page, number: int) -> int:
    expect(page.locator("#review-detail h3")).to_have_text(re.compile(rf"^Complaint (?!{number}$)\d+$"))
    return complaint_under_review(page)


def expect_complaint(page: Page, number: int) -> None:
    expect(page.locator("#review-detail h3")).to_have_text(f"Complaint {number}")


def message(page: Page, text: str) -> Locator:
    return page.locator(".mantine-Notification-root", has_text=text)


def reason(page: Page, text: str) -> Locator:
    return page.get_by_role("radio", name=text)


def test_verdict_becomes_one_row_and_can_be_withdrawn(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = complaint_under_review(page)
    page.locator(".reason label", has_text="The narrative says so").click()
    page.locator("#review-note").fill("they paid")
    page.locator("#verdict-failure").dblclick()
    recorded = message(page, f"Failure recorded for complaint {number}.")
    expect(recorded).to_be_visible()
    expect(page.locator("#recent-verdicts")).to_contain_text(str(number))
    expect_another_than(page, number)
    rows = feedback_rows(home)
    assert len(rows) == 1
    predicted = DeltaReader(home / "warehouse").query(
        "select * from gold.predictions where complaint_id = :id", {"id": number}
    ).to_pylist()[0]  # fmt: skip
    known = {name: predicted[name] for name in ("probability", "model_version", "company", "state", "product")}
    given = {"complaint_id": number, "verdict": "failure", "is_successful_resolution": 0.0, "source": "review",
            "reviewer": "tester", "reason": "The narrative says so: they paid"}  # fmt: skip
    assert rows[0] == rows[0] | known | given
    recorded.get_by_role("button", name=f"Undo the verdict on complaint {number}").click()
    expect(message(page, f"Verdict on complaint {number} withdrawn.")).to_be_visible()
    assert [row["verdict"] for row in feedback_rows(home)] == ["failure", "withdrawn"]
    expect(page.locator("#recent-verdicts")).to_contain_text("No verdicts yet.")
    # What was entered is there again, for another verdict.
    expect_complaint(page, number)
    expect(reason(page, "The narrative says so")).to_be_checked()
    expect(page.locator("#review-note")).to_have_value("they paid")


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
    expect(message(page, "still loading")).to_be_visible()
    assert feedback_rows(home) == []
    held[0].continue_()
    expect_another_than(page, shown)


def test_two_reviewers_do_not_get_the_same_complaint(browser: Browser, home: Path) -> None:
    with (
        serving_here(home, PASSWORD) as address,
        visit(browser, address, login=("ann", PASSWORD)) as ann,
        visit(browser, address, login=("bo", PASSWORD)) as bo,
    ):
        page, other = ann.open("/review"), bo.page
        number = complaint_under_review(page)
        bo.open("/review")
        assert complaint_under_review(other) != number
        expect(other.locator("#review-claims")).to_have_text(f"Being read by others: {number} (ann)")
        assert other.locator(f".queue [data-complaint='{number}']").count() == 0
        # A complaint that was free when the queue was drawn, and that ann has opened since.
        page.locator("#review-next").click()
        taken = expect_another_than(page, number)
        shown = complaint_under_review(other)
        entry = other.locator(f".queue [data-complaint='{taken}']")
        if entry.count():
            entry.click()
            expect(entry).to_have_count(0)
            expect(other.locator("#review-claims")).to_contain_text(f"{taken} (ann)")
            assert complaint_under_review(other) == shown
        # Moving on has released the first one.
        bo.open("/review")
        complaint_under_review(other)
        expect(other.locator(f".queue [data-complaint='{number}']")).to_have_count(1)


def test_second_verdict_is_refused_and_its_note_stays(browser: Browser, home: Path) -> None:
    # Several dashboards do not know of each other's claims.
    with (
        serving_here(home) as address,
        serving_here(home) as elsewhere,
        visit(browser, address) as first,
        visit(browser, elsewhere) as second,
    ):
        pages = [each.open("/review") for each in (first, second)]
        numbers = [complaint_under_review(page) for page in pages]
        assert numbers[0] == numbers[1]
        for page, verdict in zip(pages, ("success", "failure"), strict=True):
            page.locator("#review-note").fill("read it for an hour")
            page.locator(f"#verdict-{verdict}").click()
            expect(message(page, str(numbers[0]))).to_be_visible()
        expect(message(pages[0], "Success recorded")).to_be_visible()
        expect(message(pages[1], f"Complaint {numbers[0]} already has a verdict")).to_be_visible()
        assert [row["verdict"] for row in feedback_rows(home)] == ["success"]
        expect(pages[1].locator(f".queue [data-complaint='{numbers[0]}']")).to_have_count(0)
        expect(pages[1].locator("#review-note")).to_have_value("read it for an hour")
        pages[1].keyboard.press("Escape")
        pages[1].keyboard.press("n")
        expect_another_than(pages[1], numbers[0])


def test_reason_and_note_are_kept_until_the_verdict(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = complaint_under_review(page)
    page.keyboard.press("2")
    page.locator("#review-note").fill("half of a thought")
    page.locator("#review-next").click()
    expect_another_than(page, number)
    expect(page.locator("#review-note")).to_have_value("")
    expect(page.locator(".reason input:checked")).to_have_count(0)
    # A verdict without a reason is refused, and the message can come twice.
    page.locator("#verdict-success").click()
    page.locator("#verdict-success").click()
    expect(message(page, "give a reason or a note")).to_have_count(2)
    page.locator(f".queue [data-complaint='{number}']").click()
    expect_complaint(page, number)
    expect(page.locator("#review-note")).to_have_value("half of a thought")
    reviewer.open("/review")
    expect_complaint(page, number)
    expect(page.locator("#review-note")).to_have_value("half of a thought")
    expect(reason(page, "The company's response says so")).to_be_checked()
    page.locator("#verdict-unsure").click()
    expect_another_than(page, number)
    assert [row["reason"] for row in feedback_rows(home)] == ["The company's response says so: half of a thought"]
    assert str(number) not in (page.evaluate("localStorage.getItem('solosolve-drafts')") or "")


def test_verdicts_are_given_and_undone_by_keys_alone(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    first = complaint_under_review(page)
    page.locator("#review-note").focus()
    page.keyboard.type("sfu1?nz")
    page.keyboard.press("Escape")
    expect(page.locator("#review-note")).to_have_value("sfu1?nz")
    expect(page.locator(".reason input:checked")).to_have_count(0)
    page.keyboard.press("1")
    expect(reason(page, "The narrative says so")).to_be_checked()
    page.keyboard.press("s")
    second = expect_another_than(page, first)
    page.keyboard.press("5")
    page.keyboard.press("f")
    third = expect_another_than(page, second)
    page.keyboard.press("n")
    expect_another_than(page, third)
    assert [(row["complaint_id"], row["verdict"]) for row in feedback_rows(home)] == [
        (first, "success"), (second, "failure"),
    ]  # fmt: skip
    page.keyboard.press("z")
    expect_complaint(page, second)
    assert feedback_rows(home)[-1]["verdict"] == "withdrawn"
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.wait_for_timeout(500)
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("u")
    dialog.locator("#review-keys-on").uncheck(force=True)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.press("Control+f")
    page.wait_for_timeout(500)
    expect_complaint(page, second)
    assert len(feedback_rows(home)) == 3


def test_focus_stays_in_its_list_when_the_list_is_redrawn(reviewer: Visit) -> None:
    page = reviewer.open("/review")
    number = complaint_under_review(page)
    entry = page.locator(".queue button").nth(2)
    chosen = entry.get_attribute("data-complaint")
    entry.focus()
    page.keyboard.press("Enter")
    expect_complaint(page, int(chosen or 0))
    expect(page.locator(".queue [aria-current=true]")).to_have_attribute("data-complaint", chosen or "")
    page.keyboard.press("4")
    page.keyboard.press("u")
    expect_complaint(page, number)
    expect(page.locator(".queue button:focus")).to_have_count(1)
    page.locator("#recent-verdicts .undo").focus()
    page.keyboard.press("Enter")
    expect_complaint(page, int(chosen or 0))
    expect(page.locator("#recent-verdicts .undo")).to_have_count(0)
    expect(page.locator("body:focus")).to_have_count(0)


def test_probability_is_hidden_until_the_verdict(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    number = complaint_under_review(page)
    expect(page.locator("#review-detail")).to_contain_text("predicted probability")
    page.get_by_role("switch", name="Hide probability").check(force=True)
    expect(page.locator("#review-detail")).to_contain_text("hidden until you give your verdict")
    expect(page.locator(".queue .probability")).to_have_count(0)
    reviewer.open("/review")
    expect(page.locator("#review-detail")).to_contain_text("hidden until you give your verdict")
    expect_complaint(page, number)
    room = page.locator("#review-detail").inner_text() + page.locator("#queue").inner_text()
    assert re.search(r"\d\s?%|0\.\d|log-odds", room) is None
    page.keyboard.press("1")
    page.keyboard.press("s")
    probability = DeltaReader(home / "warehouse").query(
        f"select probability from {PREDICTIONS} where complaint_id = {number}"
    )["probability"][0].as_py()  # fmt: skip
    expect(message(page, f"The model said {probability:.0%}.")).to_be_visible()
    assert feedback_rows(home)[0]["probability"] == probability


def test_random_and_uncertain_complaints_are_told_apart(reviewer: Visit, home: Path) -> None:
    page = reviewer.open("/review")
    complaint_under_review(page)
    picks = page.locator(".queue .pick")
    assert sorted(set(picks.all_inner_texts())) == ["random", "uncertain"]
    page.locator("#review-group label", has_text="Random").click()
    expect(picks).to_have_text(["random", "random"])
    number = complaint_under_review(page)
    page.keyboard.press("1")
    page.keyboard.press("s")
    expect_another_than(page, number)
    # As likely as in the queue of both kinds: two places of twelve, 600 complaints.
    given = feedback_rows(home)[0]
    assert (given["complaint_id"], given["picked_by"], given["pick_probability"]) == (number, "audit", 2 / 600)
    expect(page.locator("#review-progress")).to_contain_text("100%")
    expect(page.locator("#review-progress")).to_contain_text("599")


def test_list_of_verdicts_is_empty_only_if_there_are_none(browser: Browser, home: Path) -> None:
    append(home / "warehouse", FEEDBACK, [feedback("a" * 32, reviewer="bo").as_row()])
    with serving_here(home) as address, visit(browser, address) as visited:
        page = visited.open("/review?product=Mortgage")
        expect(page.locator("#recent-verdicts")).to_have_text("No verdicts of yours yet, only of others.")
