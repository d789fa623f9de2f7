from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Response, expect

from solosolve.dashboard.views.overview import PANELS
from solosolve.names import PREDICTIONS, STREAM_PROGRESS
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, figure_data, visit, wait_until_drawn
from support.dashboard_process import serving
from support.warehouses import append, batch, prediction, write_everything


def is_poll_of_a_drawn_page(response: Response) -> bool:
    """Whether this answers a poll by a page that already has every panel."""
    text = response.request.post_data or ""
    if "_dash-update-component" not in response.url or "panel-cards" not in text:
        return False
    body = json.loads(text)
    known = body["state"][0]["value"]
    return body["changedPropIds"] == ["clock.n_intervals"] and {panel.name for panel in PANELS} <= set(known)


def test_overview_draws_every_panel(laptop: Visit) -> None:
    page = laptop.open()
    wait_until_drawn(page)
    for panel in PANELS:
        text = page.locator(f"#panel-{panel.name}").inner_text()
        assert "Loading" not in text
        assert "Nothing to show" not in text, panel.name
    expect(page.locator("#banner")).to_be_empty()


def test_numbers_on_the_overview_equal_sql_over_the_tables(laptop: Visit, full_home: Path) -> None:
    page = laptop.open()
    wait_until_drawn(page)
    reader = DeltaReader(full_home / "warehouse")

    def one(sql: str) -> Any:
        return reader.query(sql).column(0)[0].as_py()

    accuracy = one(
        "select value from gold.model_metrics where metric = 'accuracy' and split = 'test' and model_version = 2"
    )
    expect(page.locator("#panel-cards .tile-value").first).to_have_text(f"{accuracy:.3f}")
    total = one("select count(*) from gold.predictions")
    streamed = one("select count(*) from gold.predictions where batch_id is not null")
    expect(page.locator("#panel-stream .tile-value").first).to_have_text(f"{streamed:,}")
    for name in ("time", "distribution"):
        assert sum(sum(trace["y"]) for trace in figure_data(page, name)) == total
    by_company = reader.query(
        "select company, count(*) as n from gold.predictions group by 1 order by 2 desc, 1 limit 10"
    ).to_pylist()
    bars = figure_data(page, "companies")
    shown = {name: bars[0]["x"][position] + bars[1]["x"][position] for position, name in enumerate(bars[0]["y"])}
    assert shown == {row["company"]: row["n"] for row in by_company}
    california = one("select avg(prediction) from gold.predictions where state = 'CA'")
    states = figure_data(page, "states")[0]
    assert states["z"][states["locations"].index("CA")] == pytest.approx(california)
    hits = one(
        "select count(*) from gold.test_scores where model_version = 2 "
        "and (probability >= 0.5) = (is_successful_resolution = 1.0)"
    )
    texts = page.locator("#panel-confusion .cell strong").all_inner_texts()
    counts = [int(text.replace(",", "")) for text in texts]
    assert counts[0] + counts[3] == hits
    rejected = page.locator("#panel-quality tr", has_text="has_narrative").locator("td.number")
    expect(rejected).to_have_text("40")


def test_map_outlines_its_states_without_a_network(laptop: Visit) -> None:
    page = laptop.open()
    page.wait_for_selector("#graph-states .choroplethlayer path", state="attached")
    assert page.locator("#graph-states .choroplethlayer path").count() == 7
    box = page.locator("#graph-states .choroplethlayer").bounding_box()
    assert box is not None
    assert box["width"] > 200


def test_threshold_explorer_follows_its_slider(laptop: Visit) -> None:
    page = laptop.open()
    page.wait_for_selector("#threshold-results .confusion")
    before = page.locator("#threshold-results .note").inner_text()
    handle = page.locator("#threshold-slider [role=slider]").first
    handle.focus()
    for _ in range(10):
        handle.press("ArrowRight")
    expect(page.locator("#threshold-results .note")).not_to_have_text(before)
    expect(page.locator("#threshold-results .note")).to_contain_text("at threshold 0.51")


def test_poll_sends_nothing_that_has_not_changed(laptop: Visit) -> None:
    page = laptop.open()
    with page.expect_response(is_poll_of_a_drawn_page) as poll:
        wait_until_drawn(page)
    assert len(poll.value.body() if poll.value.status == 200 else b"") < 500


def test_overview_shows_new_rows(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=30)
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        expect(page.locator("#panel-stream .tile-value").first).to_have_text("30")
        append(tmp_path / "warehouse", PREDICTIONS, [prediction(number) for number in range(31, 36)])
        append(tmp_path / "warehouse", STREAM_PROGRESS, [batch(200)])
        expect(page.locator("#panel-stream .tile-value").first).to_have_text("35")
        assert visited.problems == []


def test_every_view_without_tables_names_the_command_to_run(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        expect(page.locator("#panel-cards code")).to_have_text("solosolve run train_model")
        expect(page.locator("#panel-stream code")).to_have_text("solosolve run score_stream")
        expect(page.locator("#panel-time code")).to_have_text("solosolve run score_batch")
        expect(page.locator("#panel-quality code")).to_have_text("solosolve run medallion")
        for path, element in (("/complaints", "table"), ("/review", "queue")):
            page = visited.open(path)
            expect(page.locator(f"#{element} code")).to_have_text("solosolve run score_batch")
        assert visited.problems == []


def test_unreadable_table_raises_a_banner_and_leaves_the_other_panels_alone(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=20)
    log = tmp_path / "warehouse" / "gold" / "model_metrics" / "_delta_log" / f"{0:020}.json"
    log.write_text("broken", encoding="utf-8")
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        expect(page.locator("#banner")).to_contain_text("Champion:")
        page.wait_for_selector("#graph-time .main-svg", state="attached")


def test_unknown_address_shows_the_overview(laptop: Visit) -> None:
    page = laptop.open("/no/such/page")
    wait_until_drawn(page)
    expect(page.locator("#view-overview")).to_be_visible()
    page = laptop.open("/complaints/")
    expect(page.locator("#result-count")).to_contain_text("predictions")
    expect(page.locator("#view-complaints")).to_be_visible()


def test_stale_stream_shows_its_age(browser: Browser, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", STREAM_PROGRESS, [batch(1)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        expect(page.locator(".freshness.stale")).to_contain_text(re.compile(r"\d+ days ago"))
