from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from support.browsers import LAPTOP, Visit, until, visit, wait_for_view, wait_until_settled
from support.dashboard_process import serving
from support.warehouses import write_everything

DOCS = Path(__file__).parents[2] / "docs"
PATHS = ("/", "/complaints", "/review", "/model", "/data")
PHONE = (390, 844)
SIZES = ((360, 780), (720, 450), (1024, 768), (1440, 900), (2560, 1440))
"""From a phone to a large screen; the second is a laptop at a zoom of 200 %."""

BACKGROUND = "getComputedStyle(document.body).backgroundColor"


_RECORD_SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => shifts.push(...list.getEntries().filter(each => !each.hadRecentInput)))
    .observe({ type: "layout-shift", buffered: true });
"""


def violations(page: Page) -> list[tuple[str, str, str]]:
    """Everything that axe finds on a page, whatever its impact."""
    found = Axe().run(page).response["violations"]
    return [(each["impact"], each["id"], node["html"][:160]) for each in found for node in each["nodes"][:3]]


@pytest.mark.parametrize("path", PATHS)
def test_page_fits_screens_of_all_sizes(browser: Browser, full_dashboard: str, path: str) -> None:
    with visit(browser, full_dashboard) as visited:
        page = visited.open(path)
        wait_for_view(page, path)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            wait_until_settled(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        assert visited.problems == []


@pytest.mark.parametrize(("is_dark", "size"), [(False, LAPTOP), (True, PHONE)], ids=["light", "dark on a phone"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_moves_after_the_first_paint_and_axe_finds_no_violation(
    browser: Browser, full_dashboard: str, path: str, is_dark: bool, size: tuple[int, int]
) -> None:
    with visit(browser, full_dashboard, size, is_dark=is_dark) as visited:
        visited.page.add_init_script(_RECORD_SHIFTS)
        page = visited.open(path)
        wait_for_view(page, path)
        assert page.evaluate("shifts.reduce((sum, each) => sum + each.value, 0)") < 0.005, page.evaluate("shifts")
        assert violations(page) == []


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation_with_an_open_complaint_a_verdict_and_an_error(
    browser: Browser, tmp_path: Path, is_dark: bool
) -> None:
    write_everything(tmp_path / "warehouse", predictions=60)
    with serving(tmp_path) as (address, _), visit(browser, address, is_dark=is_dark) as visited:
        page = visited.open("/complaints")
        wait_for_view(page, "/complaints")
        page.locator("#search-more summary").click()
        wait_until_settled(page)
        assert violations(page) == []
        page.locator(".predictions tbody tr").first.click()
        page.wait_for_selector("#complaint-page .effects")
        wait_until_settled(page)
        assert violations(page) == []
        page = visited.open("/review")
        page.locator("#review-note").fill("read it")
        page.locator("#verdict-success").click()
        expect(page.get_by_role("alert").last).to_contain_text("Success recorded")
        expect(page.locator("#recent-verdicts td")).to_have_count(6)
        wait_until_settled(page)
        assert violations(page) == []
        page = visited.open("/?model=x")
        expect(page.locator("#banner")).to_contain_text("No filters are applied")
        wait_for_view(page, "/")
        assert violations(page) == []


def test_chosen_theme_is_remembered(laptop: Visit) -> None:
    page = laptop.open()
    light = page.evaluate(BACKGROUND)
    page.locator("#theme").click()
    dark = page.evaluate(BACKGROUND)
    assert dark != light
    page.reload()
    page.wait_for_selector("#room-today")
    until(page, lambda: page.evaluate(BACKGROUND) == dark)


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="makes docs/*.png from a demo's home: make screenshots")
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_screenshots_for_the_docs(browser: Browser, is_dark: bool) -> None:
    theme = "dark" if is_dark else "light"
    with (
        serving(Path(os.environ["SCREENSHOTS"])) as (address, _),
        visit(browser, address, (1440, 1720), is_dark=is_dark) as visited,
    ):
        page = visited.open()
        wait_for_view(page, "/")
        page.screenshot(path=DOCS / f"dashboard-{theme}.png")
        page = visited.open("/review")
        wait_for_view(page, "/review")
        page.screenshot(path=DOCS / f"review-{theme}.png", full_page=True)
