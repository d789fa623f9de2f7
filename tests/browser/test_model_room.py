from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from solosolve.names import MODEL_EVENTS, MODEL_PERFORMANCE
from support.browsers import Visit, visit, wait_until_settled
from support.dashboard_process import serving
from support.warehouses import PERFORMANCE, append, event, performance, write_everything

GRAPHS = ("reading", "calibration", "performance-auc", "drift", "versions")


@pytest.fixture(scope="module")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion, a version in shadow, and windows that measured both, and a segment."""
    home = tmp_path_factory.mktemp("model_home")
    warehouse = home / "warehouse"
    write_everything(warehouse, predictions=60, now=datetime.now(UTC).replace(microsecond=0))
    append(warehouse, MODEL_EVENTS, [event(3, "trained", 0, "challenger"), event(3, "shadowed", 1, "shadow")])
    large = {"segment": "company_size", "segment_value": "large", "label_count": 77}
    # The newest window of all has enough labels.
    append(warehouse, MODEL_PERFORMANCE, [
        *(performance(name, -1, value) for name, value in PERFORMANCE.items()),
        *(performance(name, 1, value, model_version=3) for name, value in PERFORMANCE.items()),
        performance("auc", 1, 0.7, **large),
    ])  # fmt: skip
    return home


@pytest.fixture(scope="module")
def model_dashboard(model_home: Path) -> Iterator[str]:
    with serving(model_home) as (address, _):
        yield address


@pytest.fixture
def desk(browser: Browser, model_dashboard: str) -> Iterator[Visit]:
    with visit(browser, model_dashboard) as visited:
        yield visited
        assert visited.problems == []
        assert visited.outside_requests == []


def opened(visited: Visit, search: str = "") -> Page:
    """The Model room with every figure drawn."""
    page = visited.page
    page.goto(f"{visited.address}/model{search}")
    for name in GRAPHS:
        page.wait_for_selector(f"#graph-{name} .main-svg", state="attached")
    page.wait_for_selector("#card-accuracy")
    return page


def test_threshold_follows_the_address_and_the_address_the_slider(desk: Visit) -> None:
    page = opened(desk, "?threshold=0.600")
    expect(page.locator("#threshold-number")).to_have_value("0.6")
    before = page.locator("#threshold-work").inner_text()
    page.locator("#threshold-slider [role=slider]").press("ArrowRight")
    expect(page).to_have_url(re.compile(r"threshold=0\.601$"))
    expect(page.locator("#threshold-number")).to_have_value("0.601")
    page.locator("#threshold-number").fill("0.3")
    expect(page).to_have_url(re.compile(r"threshold=0\.300$"))
    expect(page.locator("#threshold-work")).not_to_have_text(before)
    page.locator("#threshold-own").click()
    expect(page).to_have_url(re.compile(r"/model$"))
    expect(page.locator("#threshold-number")).to_have_value("0.5")


def test_threshold_and_segment_stay_in_the_room(desk: Visit) -> None:
    page = opened(desk, "?state=CA&threshold=0.600&segment=company_size:large")
    expect(page.locator("#link-today")).to_have_attribute("href", "/?state=CA")


def test_picked_segment_goes_to_the_address_and_shows_its_windows(desk: Visit) -> None:
    page = opened(desk)
    page.locator("#segment").click()
    page.get_by_role("option", name="large").click()
    expect(page).to_have_url(re.compile(r"segment=company_size%3Alarge$"))
    windows = page.get_by_role("region", name="Performance by window", exact=True).locator("tbody")
    expect(windows.locator("tr")).to_have_count(1)
    expect(windows).to_contain_text("0.700 (0.650 to 0.750)")


def test_version_is_selected_by_its_link(desk: Visit) -> None:
    page = opened(desk)
    page.locator("#panel-versions").get_by_role("button", name="v1").click()
    expect(page.locator("#panel-cards .note")).to_contain_text("Version 1, measured on")
    expect(page.locator("#threshold-results .note")).to_contain_text("Version 1 predicts a failure")


def test_drift_of_a_window_tells_its_p_value_to_the_keyboard(desk: Visit) -> None:
    page = opened(desk)
    cell = page.locator("#panel-drift td.drift-alarm").first
    cell.focus()
    expect(cell.locator(".tip")).to_be_visible()
    expect(cell.locator(".tip")).to_contain_text("p-value below 0.001")


def test_every_picture_can_be_read_as_a_table(desk: Visit) -> None:
    page = opened(desk)
    panels = page.locator("#room-model .panel:has(.js-plotly-plot)")
    assert panels.count() == 5
    for panel in panels.all():
        for summary in panel.locator("summary", has_text="As a table").all():
            summary.click()
        expect(panel.locator("table").first).to_be_visible()


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation(browser: Browser, model_dashboard: str, is_dark: bool) -> None:
    with visit(browser, model_dashboard, is_dark=is_dark) as visited:
        page = opened(visited)
        wait_until_settled(page)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], node["html"][:160]) for each in found for node in each["nodes"][:3]] == []


@pytest.mark.parametrize("width", [390, 800, 1440, 2560])
def test_panels_fit_and_leave_no_holes(browser: Browser, model_dashboard: str, width: int) -> None:
    with visit(browser, model_dashboard, (width, 1000)) as visited:
        page = opened(visited)
        wait_until_settled(page)
        panels = page.locator("#room-model .panel").all()
        boxes = [box for panel in panels if (box := panel.bounding_box()) is not None]
        grid = page.locator("#room-model .grid").first.bounding_box()
        assert grid is not None
        assert all(box["x"] + box["width"] <= grid["x"] + grid["width"] + 1 for box in boxes)
        area = sum(box["width"] * box["height"] for box in boxes)
        grids = [box for each in page.locator("#room-model .grid").all() if (box := each.bounding_box()) is not None]
        # What is left are the gaps between panels.
        assert area > 0.93 * sum(box["width"] * box["height"] for box in grids)
