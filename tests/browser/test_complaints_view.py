from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from solosolve.names import COMPLAINTS, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, visit
from support.dashboard_process import serving
from support.warehouses import append, complaint, prediction

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"


def first_row(page: Page) -> dict[str, str]:
    page.wait_for_selector(".ag-row[row-index='0'] [col-id=complaint_id]:not(:empty)")
    cells = page.locator(".ag-row[row-index='0'] .ag-cell")
    return {
        str(cells.nth(position).get_attribute("col-id")): cells.nth(position).inner_text()
        for position in range(cells.count())
    }


def query(home: Path, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = DeltaReader(home / "warehouse").query(sql).to_pylist()
    return rows


def test_table_pages_through_all_predictions(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/complaints")
    total = query(full_home, "select count(*) as n from gold.predictions")[0]["n"]
    expect(page.locator("#result-count")).to_have_text(f"{total} predictions")
    sql = "select * from gold.predictions order by scored_at desc, complaint_id limit 1 offset 50"
    expected = query(full_home, sql)[0]
    first_row(page)
    page.locator(".ag-paging-button", has=page.locator(".ag-icon-next")).click()
    page.wait_for_selector(".ag-row[row-index='50'] [col-id=complaint_id]:not(:empty)")
    cell = page.locator(".ag-row[row-index='50'] [col-id=complaint_id]")
    expect(cell).to_have_text(str(expected["complaint_id"]))


def test_table_sorts_all_predictions_on_the_server(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/complaints")
    first_row(page)
    page.locator(".ag-header-cell[col-id=probability]").click()
    least = query(full_home, "select min(probability) as p from gold.predictions")[0]["p"]
    expect(page.locator(".ag-row[row-index='0'] [col-id=probability]")).to_have_text(str(round(least, 4)))


def test_search_narrows_by_id_probability_and_filters(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/complaints?state=CA&company=Elm+Bank")
    condition = "state = 'CA' and company = 'Elm Bank'"
    count = query(full_home, f"select count(*) as n from gold.predictions where {condition}")[0]["n"]
    assert count > 0
    expect(page.locator("#result-count")).to_have_text(f"{count} predictions")
    lower = page.locator("#search-probability [role=slider]").first
    lower.focus()
    for _ in range(6):
        lower.press("PageUp")
    narrower = f"{condition} and probability >= 0.6"
    fewer = query(full_home, f"select count(*) as n from gold.predictions where {narrower}")[0]["n"]
    assert fewer < count
    expect(page.locator("#result-count")).to_have_text(f"{fewer} predictions")
    page = laptop.open("/complaints")
    page.locator("#search-id").fill("17")
    page.locator("#search-id").press("Enter")
    expect(page.locator("#result-count")).to_have_text("1 prediction")
    expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(1)
    assert first_row(page)["complaint_id"] == "17"


def test_selected_complaint_shows_its_text_and_what_moved_the_prediction(laptop: Visit) -> None:
    page = laptop.open("/complaints")
    number = first_row(page)["complaint_id"]
    page.locator(".ag-row[row-index='0'] [col-id=company]").click()
    expect(page.locator("#detail h3")).to_have_text(f"Complaint {number}")
    expect(page.locator("#detail .narrative")).to_have_text(f"They lost payment number {number}.")
    page.wait_for_selector("#detail #graph-effects .main-svg", state="attached")
    expect(page.locator("#detail .ytick").last).to_contain_text("words: payment, lost")


def test_complaint_from_kafka_explains_that_its_text_is_not_stored(browser: Browser, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(1, source="kafka")])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints")
        first_row(page)
        page.locator(".ag-row[row-index='0'] [col-id=company]").click()
        expect(page.locator("#detail")).to_contain_text("came through Kafka")


def test_markup_in_a_complaint_stays_text(browser: Browser, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    hostile = {"company": HOSTILE, "product": HOSTILE}
    append(warehouse, PREDICTIONS, [prediction(1, probability=0.5, **hostile)])
    append(warehouse, COMPLAINTS, [complaint(1, consumer_complaint_narrative=HOSTILE, issue=HOSTILE, **hostile)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints")
        first_row(page)
        page.locator(".ag-row[row-index='0'] [col-id=state]").click()
        expect(page.locator("#detail .narrative")).to_have_text(HOSTILE)
        visited.open("/review")
        expect(page.locator("#review-detail .narrative")).to_have_text(HOSTILE)
        visited.open("/")
        page.wait_for_selector("#graph-companies .main-svg", state="attached")
        assert page.title() == "Solosolve"
        assert page.locator("img[src=x]").count() == 0
        assert visited.problems == []


def test_export_holds_the_rows_that_the_search_finds(laptop: Visit, full_home: Path, tmp_path: Path) -> None:
    page = laptop.open("/complaints?company=Elm+Bank")
    expect(page.locator("#result-count")).not_to_be_empty()
    with page.expect_download() as download:
        page.locator("#export").click()
    download.value.save_as(tmp_path / "export.csv")
    with (tmp_path / "export.csv").open(newline="", encoding="utf-8") as file:
        exported = list(csv.DictReader(file))
    columns = "select complaint_id from gold.predictions"
    expected = query(full_home, f"{columns} where company = 'Elm Bank' order by scored_at desc, complaint_id")
    assert [int(row["complaint_id"]) for row in exported] == [row["complaint_id"] for row in expected]


@pytest.mark.parametrize("login", [None, ("ann", "wrong password")])
def test_page_is_closed_without_the_password(browser: Browser, full_home: Path, login: tuple[str, str] | None) -> None:
    with serving(full_home, "correct horse") as (address, _), visit(browser, address, login=login) as visited:
        answer = visited.page.context.request.get(address)
        assert answer.status == 401
        assert "react-entry-point" not in answer.text()


def test_page_opens_with_the_password(browser: Browser, full_home: Path) -> None:
    with (
        serving(full_home, "correct horse") as (address, _),
        visit(browser, address, login=("ann", "correct horse")) as visited,
    ):
        page = visited.open()
        page.wait_for_selector("#graph-time .main-svg", state="attached")
        assert visited.problems == []
