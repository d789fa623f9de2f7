"""Every task of the desk by the keyboard alone: find, filter, export, read, explain, share, judge, undo."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from solosolve.storage.delta_reader import DeltaReader
from support.browsers import until, visit, wait_for_view
from support.dashboard_thread import serving_here

_STOPS = 150


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the focus is on an element."""
    for _ in range(_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def verdicts(home: Path) -> list[str]:
    rows = DeltaReader(home / "warehouse").query("select verdict from silver.feedback order by given_at").to_pylist()
    return [row["verdict"] for row in rows]


def test_every_task_can_be_done_by_the_keyboard_alone(browser: Browser, full_home: Path, tmp_path: Path) -> None:
    shutil.copytree(full_home / "warehouse", tmp_path / "warehouse")
    with serving_here(tmp_path) as address, visit(browser, address) as visited:
        page = visited.open("/")
        tab_to(page, "#link-complaints")
        page.keyboard.press("Enter")
        wait_for_view(page, "/complaints")
        tab_to(page, "#filter-state")
        page.keyboard.type("ca")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/complaints?state=CA")
        page.keyboard.press("Escape")
        tab_to(page, "#search-words")
        page.keyboard.type("payment")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("words=payment"))
        expect(page.locator("#result-count")).to_have_text("75 predictions")
        tab_to(page, "#export")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert len(Path(download.value.path()).read_text(encoding="utf-8").splitlines()) == 1 + 75
        tab_to(page, ".row-link")
        number = page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        # The address can be sent to someone.
        page.wait_for_url(re.compile(rf"/complaints/{number}\?"))
        expect(page.locator("#complaint-page h3").first).to_have_text(f"Complaint {number}")
        expect(page.locator("#complaint-page .effects th").first).to_be_visible()
        tab_to(page, "a[href^='/review?']")
        page.keyboard.press("Enter")
        expect(page.locator("#review-detail h3")).to_have_text(f"Complaint {number}")
        expect(page.locator("#review-form")).to_be_visible()
        page.keyboard.press("1")
        page.keyboard.press("s")
        expect(page.locator("#review-detail h3")).not_to_have_text(f"Complaint {number}")
        until(page, lambda: verdicts(tmp_path) == ["success"])
        page.keyboard.press("z")
        expect(page.locator("#review-detail h3")).to_have_text(f"Complaint {number}")
        until(page, lambda: verdicts(tmp_path) == ["success", "withdrawn"])
        assert visited.problems == []
