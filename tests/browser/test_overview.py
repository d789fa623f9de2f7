from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from solosolve.dashboard.views.panels import PANELS
from solosolve.names import PREDICTIONS, STREAM_PROGRESS
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, until, visit
from support.dashboard_process import serving
from support.warehouses import append, batch, prediction, write_everything

DOCS = Path(__file__).parents[2] / "docs"
GRAPHS = ["batches", "time", "distribution", "states", "companies", "calibration", "drift", "timeline"]


def drawn(page: Page) -> None:
    """Waits until every panel of the overview is drawn."""
    for name in GRAPHS:
        page.wait_for_selector(f"#graph-{name} .main-svg", state="attached")
    page.wait_for_selector("#panel-cards .tile-value")


def data_of(page: Page, name: str) -> list[dict[str, Any]]:
    """What a figure was drawn from, as the browser has it."""
    text = page.evaluate(
        "name => JSON.stringify(document.querySelector(`#graph-${name} .js-plotly-plot`).data.map("
        "t => ({name: t.name, x: Array.from(t.x ?? []), y: Array.from(t.y ?? []), z: t.z && Array.from(t.z, "
        "r => r.length === undefined ? r : Array.from(r)), locations: t.locations, text: t.text})))", name,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(text)
    return found


def test_every_panel_draws(laptop: Visit) -> None:
    page = laptop.open()
    drawn(page)
    for panel in PANELS:
        words = page.locator(f"#panel-{panel.name}").inner_text()
        assert "Reading the tables" not in words
        assert panel.name == "feedback" or "Nothing here yet" not in words, panel.name
    expect(page.locator("#banner")).to_be_empty()


def test_numbers_equal_what_sql_says(laptop: Visit, full_home: Path) -> None:
    page = laptop.open()
    drawn(page)
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
        assert sum(sum(trace["y"]) for trace in data_of(page, name)) == total
    by_company = reader.query(
        "select company, count(*) as n from gold.predictions group by 1 order by 2 desc, 1 limit 10"
    ).to_pylist()
    bars = data_of(page, "companies")
    shown = {name: bars[0]["x"][place] + bars[1]["x"][place] for place, name in enumerate(bars[0]["y"])}
    assert shown == {row["company"]: row["n"] for row in by_company}
    california = one("select avg(prediction) from gold.predictions where state = 'CA'")
    states = data_of(page, "states")[0]
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


def test_map_has_its_states_with_no_network(laptop: Visit) -> None:
    page = laptop.open()
    page.wait_for_selector("#graph-states .choroplethlayer path", state="attached")
    assert page.locator("#graph-states .choroplethlayer path").count() == 7
    box = page.locator("#graph-states .choroplethlayer").bounding_box()
    assert box is not None
    assert box["width"] > 200


def test_filters_act_on_panels_and_live_in_the_address(laptop: Visit, full_home: Path) -> None:
    page = laptop.open()
    drawn(page)
    page.locator("#filter-product").click()
    page.get_by_role("option", name="Mortgage").or_(
        page.locator(".dash-dropdown-option", has_text="Mortgage")
    ).first.click()
    page.wait_for_url("**/?product=Mortgage")
    reader = DeltaReader(full_home / "warehouse")
    expected = reader.query("select count(*) as n from gold.predictions where product = 'Mortgage'").to_pylist()[0]["n"]
    until(page, lambda: sum(data_of(page, "distribution")[0]["y"]) == expected)
    tested = reader.query(
        "select count(*) as n from gold.test_scores where product = 'Mortgage' and model_version = 2"
    ).to_pylist()[0]["n"]
    expect(page.locator("#panel-cards")).to_contain_text(f"on {tested} test complaints")


def test_address_says_what_is_shown(laptop: Visit) -> None:
    page = laptop.open("/?state=CA&state=TX&model=2&from=2020-01-01")
    drawn(page)
    until(page, lambda: set(data_of(page, "states")[0]["locations"]) == {"CA", "TX"})
    expect(page.locator("#filter-state")).to_contain_text("CA")
    page.locator("#filter-clear").click()
    until(page, lambda: page.evaluate("location.search") == "")


def test_address_that_is_nonsense_says_so_and_shows_everything(laptop: Visit) -> None:
    page = laptop.open("/?model=x")
    drawn(page)
    expect(page.locator("#banner")).to_contain_text("not the number of a model version")


def test_what_if_moves_with_the_threshold(laptop: Visit) -> None:
    page = laptop.open()
    page.wait_for_selector("#what-if .confusion")
    before = page.locator("#what-if .note").inner_text()
    handle = page.locator("#what-if-threshold [role=slider]").first
    handle.focus()
    for _ in range(10):
        handle.press("ArrowRight")
    expect(page.locator("#what-if .note")).not_to_have_text(before)
    expect(page.locator("#what-if .note")).to_contain_text("at 0.60")


def test_poll_sends_nothing_that_did_not_change(laptop: Visit) -> None:
    page = laptop.open()
    drawn(page)
    page.wait_for_timeout(1_000)
    with page.expect_response(
        lambda answer: "_dash-update-component" in answer.url and "panel-cards" in (answer.request.post_data or "")
    ) as heard:
        pass
    assert len(heard.value.body() if heard.value.status == 200 else b"") < 500


def test_page_follows_new_rows(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=30)
    with serving(tmp_path) as (address, _), visit(browser, address) as found:
        page = found.open()
        expect(page.locator("#panel-stream .tile-value").first).to_have_text("30")
        append(tmp_path / "warehouse", PREDICTIONS, [prediction(number) for number in range(31, 36)])
        append(tmp_path / "warehouse", STREAM_PROGRESS, [batch(200)])
        expect(page.locator("#panel-stream .tile-value").first).to_have_text("35")
        assert found.problems == []


def test_page_before_any_table_says_what_to_run(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as (address, _), visit(browser, address) as found:
        page = found.open()
        expect(page.locator("#panel-cards code")).to_have_text("solosolve run train_model")
        expect(page.locator("#panel-stream code")).to_have_text("solosolve run score_stream")
        expect(page.locator("#panel-time code")).to_have_text("solosolve run score_batch")
        expect(page.locator("#panel-quality code")).to_have_text("solosolve run medallion")
        for path, name in (("/complaints", "table"), ("/review", "queue")):
            page = found.open(path)
            expect(page.locator(f"#{name} code")).to_have_text("solosolve run score_batch")
        assert found.problems == []


def test_table_that_cannot_be_read_is_a_banner_and_the_rest_goes_on(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=20)
    log = tmp_path / "warehouse" / "gold" / "model_metrics" / "_delta_log" / f"{0:020}.json"
    log.write_text("broken", encoding="utf-8")
    with serving(tmp_path) as (address, _), visit(browser, address) as found:
        page = found.open()
        expect(page.locator("#banner")).to_contain_text("Champion:")
        page.wait_for_selector("#graph-time .main-svg", state="attached")


def test_unknown_address_is_the_overview(laptop: Visit) -> None:
    page = laptop.open("/no/such/page")
    drawn(page)
    page = laptop.open("/complaints/")
    expect(page.locator("#found")).to_contain_text("predictions")


def test_day_that_is_none_is_said(laptop: Visit) -> None:
    page = laptop.open()
    page.locator("#filter-from").fill("2026-13-45")
    page.locator("#filter-from").press("Enter")
    expect(page.locator("#filter-said")).to_have_text("from: not a day such as 2026-01-31")


def test_chosen_version_is_what_is_shown(laptop: Visit) -> None:
    page = laptop.open("/?model=1")
    expect(page.locator("#panel-cards")).to_contain_text("Version 1, on 400 test complaints")
    expect(page.locator("#panel-cards")).to_contain_text("to version 2")


def test_stale_stream_is_seen(browser: Browser, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", STREAM_PROGRESS, [batch(1)])
    with serving(tmp_path) as (address, _), visit(browser, address) as found:
        page = found.open()
        expect(page.locator(".freshness.stale")).to_contain_text(re.compile(r"\d+ days ago"))


@pytest.mark.parametrize("size", [(390, 844), (768, 1024), (1440, 900), (2560, 1440)], ids=lambda size: str(size[0]))
@pytest.mark.parametrize("path", ["/", "/complaints", "/review"])
def test_page_fits_its_screen(browser: Browser, full_dashboard: str, size: tuple[int, int], path: str) -> None:
    with visit(browser, full_dashboard, size) as found:
        page = found.open(path)
        if path == "/":
            drawn(page)
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert found.problems == []


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/complaints", "/review"])
def test_axe_finds_nothing(browser: Browser, full_dashboard: str, path: str, is_dark: bool) -> None:
    with visit(browser, full_dashboard, is_dark=is_dark) as found:
        page = found.open(path)
        if path == "/":
            drawn(page)
        page.wait_for_timeout(1_000)
        assert faults(page) == []


def faults(page: Page) -> list[tuple[str, str, str]]:
    """All that axe finds on a page, of whatever impact."""
    violations = Axe().run(page).response["violations"]
    return [(each["impact"], each["id"], node["html"][:160]) for each in violations for node in each["nodes"][:3]]


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_with_a_complaint_open_a_verdict_given_and_an_error_shown(
    browser: Browser, tmp_path: Path, is_dark: bool
) -> None:
    write_everything(tmp_path / "warehouse", predictions=60)
    with serving(tmp_path) as (address, _), visit(browser, address, is_dark=is_dark) as found:
        page = found.open("/complaints")
        page.wait_for_selector(".ag-row[row-index='0'] [col-id=complaint_id]:not(:empty)")
        page.locator(".ag-row[row-index='0'] [col-id=company]").click()
        page.wait_for_selector("#detail #graph-effects .main-svg", state="attached")
        assert faults(page) == []
        page = found.open("/review")
        page.locator("#review-note").fill("read it")
        page.locator("#verdict-success").click()
        expect(page.locator("#toast")).to_contain_text("Success recorded")
        expect(page.locator("#given td")).to_have_count(6)
        page.wait_for_timeout(1_000)
        assert faults(page) == []
        page = found.open("/?model=x")
        expect(page.locator("#banner")).to_contain_text("not the number")
        drawn(page)
        page.wait_for_timeout(1_000)
        assert faults(page) == []


def test_theme_can_be_chosen_and_is_remembered(laptop: Visit) -> None:
    page = laptop.open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector("#view-overview")
    until(page, lambda: page.evaluate(ground) == dark)


def test_views_are_reached_by_keyboard(laptop: Visit) -> None:
    page = laptop.open()
    drawn(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "link-review":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    expect(page.locator("#view-review")).to_be_visible()


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="makes docs/*.png of a demo's home: make screenshots")
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_screenshots_for_the_docs(browser: Browser, is_dark: bool) -> None:
    name = "dark" if is_dark else "light"
    with (
        serving(Path(os.environ["SCREENSHOTS"])) as (address, _),
        visit(browser, address, (1440, 1720), is_dark=is_dark) as found,
    ):
        page = found.open()
        drawn(page)
        page.wait_for_timeout(1_500)
        page.screenshot(path=DOCS / f"dashboard-{name}.png")
        page = found.open("/review")
        page.wait_for_selector("#graph-effects .main-svg", state="attached")
        page.wait_for_timeout(1_000)
        page.screenshot(path=DOCS / f"review-{name}.png", full_page=True)
