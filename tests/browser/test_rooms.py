"""The rooms: what each shows, how one gets from one to another, and what happens when a table cannot be read."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from solosolve.dashboard.views.rooms import PANELS, panels_of
from solosolve.dashboard.views.routes import TODAY, room_of
from solosolve.names import PREDICTIONS, STREAM_PROGRESS
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import ROOM_GRAPHS, Visit, until, visit, wait_until_drawn
from support.dashboard_process import serving
from support.warehouses import append, batch, folder, prediction, write_everything


def one(home: Path, sql: str) -> Any:
    return DeltaReader(home / "warehouse").query(sql).column(0)[0].as_py()


def is_poll_of_a_drawn_page(response: Response) -> bool:
    """Whether this answers a poll by a page that already has every panel of Today."""
    text = response.request.post_data or ""
    if "_dash-update-component" not in response.url or "panel-time" not in text:
        return False
    body = json.loads(text)
    known = next(each["value"] for each in body["state"] if each["id"] == "seen")
    return body["changedPropIds"] == ["clock.n_intervals"] and {panel.name for panel in panels_of(TODAY)} <= set(known)


@pytest.mark.parametrize("path", list(ROOM_GRAPHS))
def test_room_draws_all_of_its_panels(laptop: Visit, path: str) -> None:
    page = laptop.open(path)
    wait_until_drawn(page, path)
    for panel in panels_of(room_of(path)):
        expect(page.locator(f"#panel-{panel.name}")).not_to_contain_text("Loading")
        assert "Nothing to show" not in page.locator(f"#panel-{panel.name}").inner_text(), panel.name
    expect(page.locator("#banner")).to_be_empty()
    expect(page.locator("#checklist")).to_be_empty()


def test_filters_stay_when_the_room_changes(laptop: Visit) -> None:
    page = laptop.open("/?product=Mortgage&state=CA&since=7d")
    page.locator("#link-model").click()
    page.wait_for_url("**/model?product=Mortgage&state=CA")
    expect(page.locator("#room-model")).to_be_visible()
    expect(page.locator("#room-today")).to_be_hidden()
    page.locator("#link-review").click()
    page.wait_for_url("**/review?product=Mortgage&state=CA")
    page.go_back()
    expect(page.locator("#room-model")).to_be_visible()
    page.locator("#filter-clear").click()
    page.wait_for_url("**/model")
    expect(page.locator("#link-data")).to_have_attribute("href", "/data")


def test_click_on_a_name_filters_and_a_second_one_undoes_it(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/")
    page.get_by_role("button", name="Mortgage").first.click()
    page.wait_for_url("**/?product=Mortgage")
    expected = one(full_home, "select count(*) from gold.predictions where product = 'Mortgage'")
    expect(page.locator("#panel-new .tile-value").first).to_have_text(str(expected))
    page.get_by_role("button", name="Mortgage").first.click()
    until(page, lambda: page.evaluate("location.search") == "")


def test_span_is_in_the_address_and_counts_what_is_new(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/")
    total = one(full_home, "select count(distinct complaint_id) from gold.predictions")
    expect(page.locator("#panel-new .tile-value").first).to_have_text(str(total))
    page.locator("label", has_text="Last 15 minutes").click()
    page.wait_for_url("**/?since=15m")
    until(page, lambda: int(page.locator("#panel-new .tile-value").first.inner_text()) < total)
    page.reload()
    expect(page.locator("#panel-new")).to_contain_text("scored in the last 15 minutes")


def test_poll_sends_nothing_that_has_not_changed(laptop: Visit) -> None:
    page = laptop.open()
    with page.expect_response(is_poll_of_a_drawn_page) as poll:
        wait_until_drawn(page)
    assert len(poll.value.body() if poll.value.status == 200 else b"") < 500


def test_rooms_show_new_rows(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=30)
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/data")
        expect(page.locator("#panel-stream .tile-value").first).to_have_text("30")
        append(tmp_path / "warehouse", PREDICTIONS, [prediction(number) for number in range(31, 36)])
        append(tmp_path / "warehouse", STREAM_PROGRESS, [batch(200)])
        expect(page.locator("#panel-stream .tile-value").first).to_have_text("35")
        assert visited.problems == []


def test_empty_home_has_one_checklist(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        expect(page.locator("#checklist li")).to_have_count(3)
        for job in ("medallion", "train_model", "score_batch"):
            expect(page.get_by_text(f"solosolve run {job}", exact=True)).to_have_count(1)
        expect(page.locator("#panel-time")).to_have_text("Nothing to show yet.")
        assert visited.problems == []


def broken_log(home: Path) -> None:
    log = home / "warehouse" / "gold" / "model_metrics" / "_delta_log" / f"{0:020}.json"
    log.write_text("broken", encoding="utf-8")


def files_gone(home: Path) -> None:
    for file in folder(home / "warehouse", PREDICTIONS).glob("*.parquet"):
        file.unlink()


@pytest.mark.parametrize(
    ("damage", "path", "table", "intact"),
    [(broken_log, "/model", "gold.model_metrics", "drift"), (files_gone, "/", "gold.predictions", None)],
    ids=["log", "data"],
)
def test_table_that_cannot_be_read_has_one_banner_without_a_path(
    browser: Browser, full_home: Path, tmp_path: Path, damage: Any, path: str, table: str, intact: str | None
) -> None:
    shutil.copytree(full_home / "warehouse", tmp_path / "warehouse")
    damage(tmp_path)
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open(path)
        expect(page.locator("#banner")).to_contain_text(f": {table}.")
        expect(page.locator("#banner p")).to_have_count(1)
        assert str(tmp_path) not in page.content()
        if intact:
            page.wait_for_selector(f"#graph-{intact} .main-svg", state="attached")


def test_panels_keep_their_last_state_while_a_table_cannot_be_read(browser: Browser, tmp_path: Path) -> None:
    write_everything(tmp_path / "warehouse", predictions=40, now=datetime.now(UTC))
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        wait_until_drawn(page)
        moved = tmp_path / "moved"
        files = list(folder(tmp_path / "warehouse", PREDICTIONS).glob("*.parquet"))
        moved.mkdir()
        for file in files:
            file.rename(moved / file.name)
        append(tmp_path / "warehouse", PREDICTIONS, [prediction(99)])
        expect(page.locator("#banner")).to_contain_text("gold.predictions")
        expect(page.locator("#panel-to_read .stale-mark")).to_contain_text("As of ")
        expect(page.locator("#panel-to_read tbody tr")).to_have_count(10)
        for file in files:
            (moved / file.name).rename(file)
        append(tmp_path / "warehouse", PREDICTIONS, [prediction(100)])
        expect(page.locator("#banner")).to_be_empty()
        expect(page.locator(".stale-mark")).to_have_count(0)


@pytest.mark.parametrize(("path", "row"), [("/complaints", ".predictions tbody tr"), ("/review", ".queue li")])
def test_list_that_could_not_be_read_is_tried_again(browser: Browser, tmp_path: Path, path: str, row: str) -> None:
    write_everything(tmp_path / "warehouse", predictions=4, now=datetime.now(UTC))
    broken = folder(tmp_path / "warehouse", PREDICTIONS) / "_delta_log" / f"{1:020}.json"
    broken.write_text("broken", encoding="utf-8")
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open(path)
        expect(page.locator("#banner")).to_contain_text("gold.predictions")
        broken.unlink()
        expect(page.locator(row).first).to_be_visible()
        expect(page.locator("#banner")).to_be_empty()


def test_unknown_address_shows_today(laptop: Visit) -> None:
    page = laptop.open("/no/such/page")
    wait_until_drawn(page)
    expect(page.locator("#room-today")).to_be_visible()


def test_stale_stream_shows_its_age(browser: Browser, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", STREAM_PROGRESS, [batch(1)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open()
        expect(page.locator(".freshness.stale")).to_contain_text(re.compile(r"\d+ days ago"))


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_keyboard_reaches_and_operates_every_control_of_the_header_and_the_filters(laptop: Visit) -> None:
    page = laptop.open()
    wait_until_drawn(page)
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(focused(page))
        if reached[-1] == "filter-clear":
            break
    assert [name for name in reached if name] == [
        *(f"link-{room}" for room in ("today", "complaints", "review", "model", "data")), "theme",
        *(f"filter-{name}" for name in ("scored", "received", "product", "company", "state", "model", "clear")),
    ]  # fmt: skip
    page.locator("#filter-state").focus()
    page.keyboard.type("ca")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?state=CA")
    page.locator("#filter-scored").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Last 7 days").press("Enter")
    until(page, lambda: "from=" in page.url and "to=" in page.url)


def test_panels_have_one_name_each() -> None:
    names = [panel.name for panel in PANELS]
    assert len(set(names)) == len(names)
