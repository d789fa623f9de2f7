from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from solosolve.names import PREDICTIONS, STREAM_PROGRESS
from support.browsers import Visit, figure_data, visit
from support.dashboard_process import serving
from support.warehouses import append, batch, prediction, write_everything


@pytest.mark.parametrize("width", [390, 1_440])
def test_map_has_a_square_for_every_state_and_says_what_it_knows_of_one(
    browser: Browser, full_dashboard: str, width: int
) -> None:
    with visit(browser, full_dashboard, (width, 900)) as visited:
        page = visited.open()
        tiles = page.locator("#graph-states .point path")
        expect(tiles).to_have_count(51)
        box = tiles.first.bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(box["height"], abs=1)
        assert box["width"] > 20
        page.locator("#graph-states .textpoint", has_text="CA").hover(force=True)
        expect(page.locator("#graph-states .hoverlayer")).to_contain_text("95% interval")
        assert visited.problems == []


def test_picture_can_be_read_as_a_table(laptop: Visit) -> None:
    page = laptop.open()
    states = page.locator("#panel-states details")
    states.locator("summary").click()
    expect(states.locator("tbody tr").first).to_be_visible()
    expect(states.locator("th")).to_have_text(["State", "Complaints", "Predicted to succeed", "95% interval"])


def test_arrivals_can_be_seen_next_to_a_backfill(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=40)
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(number, batch_id=None) for number in range(100, 3_100)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        page.wait_for_selector("#graph-time .y2title")
        heights = [
            box["height"]
            for bar in page.locator("#graph-time .subplot.xy .point path").all()
            if (box := bar.bounding_box())
        ]
        assert max(heights) > 50
        assert visited.problems == []


def test_batch_times_are_not_joined_across_a_pause_or_two_sources(browser: Browser, tmp_path: Path) -> None:
    rows = [batch(number) for number in (*range(1, 6), *range(2_000, 2_006))]
    kafka = [batch(number, source="kafka") for number in range(2_000, 2_006)]
    append(tmp_path / "warehouse", STREAM_PROGRESS, rows + kafka)
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/data")
        page.wait_for_selector("#graph-batches .main-svg", state="attached")
        shown = {trace["name"]: trace["y"] for trace in figure_data(page, "batches")}
        assert [each is None for each in shown["batch time, delta"]].count(True) == 1
        assert len(shown["batch time, kafka"]) == 6
        # Plotly draws each piece as a path: two for each of the broken lines, and one for each of the others.
        expect(page.locator("#graph-batches .scatterlayer .js-line")).to_have_count(6)
