from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from solosolve.names import COMPLAINTS, NARRATIVE, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, until, visit
from support.dashboard_process import serving
from support.warehouses import append, complaint, prediction

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"


def rows(page: Page) -> list[list[str]]:
    """The texts of the cells of each row."""
    page.wait_for_selector(".predictions .row-link")
    found: list[list[str]] = page.locator(".predictions tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return found


def query(home: Path, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DeltaReader(home / "warehouse").query(sql).to_pylist()
    return found


def search_for(page: Page, name: str, text: str) -> None:
    page.locator(f"#search-{name}").fill(text)
    page.locator(f"#search-{name}").press("Enter")


def test_table_pages_through_all_predictions_and_the_address_follows(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/complaints")
    total = query(full_home, "select count(*) as n from gold.predictions")[0]["n"]
    expect(page.locator("#result-count")).to_have_text(f"{total} predictions")
    sql = "select complaint_id from gold.predictions order by scored_at desc, complaint_id limit 50 offset 50"
    expected = [str(row["complaint_id"]) for row in query(full_home, sql)]
    page.locator("#pages").get_by_role("button", name="2", exact=True).click()
    expect(page).to_have_url(re.compile(r"/complaints\?page=2$"))
    expect(page.locator(".row-link").first).to_have_text(expected[0])
    assert [row[0] for row in rows(page)] == expected
    page.reload()
    assert [row[0] for row in rows(page)] == expected


def test_headings_sort_all_predictions_on_the_server(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/complaints")
    page.get_by_role("link", name="Probability").click()
    expect(page).to_have_url(re.compile(r"\?sort=probability$"))
    expect(page.locator("th.probability")).to_have_attribute("aria-sort", "ascending")
    least = query(full_home, "select min(probability) as p from gold.predictions")[0]["p"]
    expect(page.locator("td.probability").first).to_have_text(f"{least:.1%}")
    page.get_by_role("link", name="Probability").press("Enter")
    expect(page.locator("th.probability")).to_have_attribute("aria-sort", "descending")


def test_search_narrows_by_id_probability_and_filters_and_is_in_the_address(laptop: Visit, full_home: Path) -> None:
    page = laptop.open("/complaints?state=CA&company=Elm+Bank")
    condition = "state = 'CA' and company = 'Elm Bank'"
    count = query(full_home, f"select count(*) as n from gold.predictions where {condition}")[0]["n"]
    assert count > 0
    expect(page.locator("#result-count")).to_have_text(f"{count} predictions")
    lower = page.locator("#search-probability [role=slider]").first
    lower.focus()
    for _ in range(12):
        lower.press("ArrowRight")
    narrower = f"{condition} and probability >= 0.6"
    fewer = query(full_home, f"select count(*) as n from gold.predictions where {narrower}")[0]["n"]
    assert fewer < count
    expect(page.locator("#result-count")).to_have_text(f"{fewer} predictions")
    expect(page).to_have_url(re.compile("probability-from=0.6"))
    page.reload()
    expect(page.locator("#result-count")).to_have_text(f"{fewer} predictions")
    page.locator("#search-clear").click()
    expect(page.locator("#result-count")).to_have_text(f"{count} predictions")


def test_complaint_number_is_found_as_people_write_it_and_a_wrong_one_is_explained(laptop: Visit) -> None:
    page = laptop.open("/complaints")
    for text, number in (("#17", "17"), (" 1,8 ", "18"), ("# 1 9", "19")):
        search_for(page, "id", text)
        expect(page.locator(".row-link")).to_have_text([number])
        expect(page).to_have_url(re.compile(rf"\?id={number}$"))
    search_for(page, "id", "seventeen")
    expect(page.locator("#room-complaints")).to_contain_text("A complaint number has up to 18 digits")


def test_words_and_the_bureaus_filters_narrow_the_table_and_the_export(browser: Browser, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    append(warehouse, PREDICTIONS, [prediction(number) for number in range(1, 5)])
    texts = {1: "A late fee.", 2: "A late fee, and 50% more.", 3: "A LATE answer about a fee.", 4: "Nothing."}
    append(warehouse, COMPLAINTS, [
        complaint(
            number, issue="Fees" if number != 2 else "Other", timely_response="No", zip_code=f"9000{number}",
            **{NARRATIVE: text},
        )
        for number, text in texts.items()
    ])  # fmt: skip
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints")
        search_for(page, "words", '"late fee"')
        expect(page.locator("#result-count")).to_have_text("2 predictions")
        page.locator("#search-more summary").click()
        page.locator("#search-issue").click()
        page.get_by_role("option", name="Fees").click()
        expect(page.locator("#result-count")).to_have_text("1 prediction")
        expect(page).to_have_url(re.compile(r"words=%22late\+fee%22&issue=Fees"))
        for zip_code, found in (("90002", "0 predictions"), ("90001", "1 prediction")):
            page.locator("#search-zip").fill(zip_code)
            page.locator("#search-zip").press("Enter")
            expect(page.locator("#result-count")).to_have_text(found)
        with page.expect_download() as download:
            page.locator("#export").click()
        download.value.save_as(tmp_path / "export.csv")
        search_for(page, "words", "' OR 1=1 -- %")
        expect(page.locator("#result-count")).to_have_text("0 predictions")
        assert visited.problems == []
    with (tmp_path / "export.csv").open(newline="", encoding="utf-8") as file:
        assert [row["complaint_id"] for row in csv.DictReader(file)] == ["1"]


def test_row_opens_the_page_of_its_complaint_and_back_returns_to_the_same_table(laptop: Visit) -> None:
    page = laptop.open("/complaints?state=CA&sort=probability&page=2")
    shown = rows(page)
    page.locator(".predictions tbody tr").nth(3).click()
    expect(page).to_have_url(re.compile(rf"/complaints/{shown[3][0]}\?state=CA&sort=probability&page=2$"))
    expect(page.locator("#complaint-page h3")).to_have_text(f"Complaint {shown[3][0]}")
    expect(page.locator(".predictions")).to_be_hidden()
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#complaint-page h3")).to_have_text(f"Complaint {shown[4][0]}")
    page.go_back()
    page.go_back()
    expect(page.locator("#complaint-page")).to_be_hidden()
    assert rows(page) == shown
    page.locator(".row-link").nth(3).press("Enter")
    page.locator("#back-to-table").click()
    expect(page).to_have_url(re.compile(r"/complaints\?state=CA&sort=probability&page=2$"))
    assert rows(page) == shown
    # The keyboard goes on at the row that it left.
    expect(page.locator(".row-link").nth(3)).to_be_focused()


def test_middle_click_opens_the_complaint_in_another_tab(laptop: Visit) -> None:
    page = laptop.open("/complaints")
    number = rows(page)[0][0]
    with page.context.expect_page() as opened:
        page.locator(".predictions tbody tr").first.click(button="middle")
    expect(opened.value.locator("#complaint-page h3")).to_have_text(f"Complaint {number}")
    opened.value.close()
    expect(page.locator(".predictions")).to_be_visible()


def test_page_of_a_complaint_shows_its_text_and_marks_the_words_that_moved_the_prediction(laptop: Visit) -> None:
    page = laptop.open("/complaints/7")
    expect(page.locator("#complaint-page .narrative")).to_have_text("They lost payment number 7.")
    assert page.locator("#complaint-page mark").all_inner_texts() == ["lost", "payment"]
    effects = page.locator(".effects tbody tr").all_inner_texts()
    assert [re.sub(r"\s+", " ", effect).strip() for effect in effects] == [
        "“payment” −7.0", "product: Mortgage +4.9", "“lost” −2.4"
    ]  # fmt: skip
    expect(page).to_have_title("Complaint 7 · Solosolve")
    expect(page.get_by_role("link", name="Review this complaint")).to_have_attribute("href", "/review?complaint=7")
    page = laptop.open("/complaints/seven?state=CA")
    expect(page.locator("#complaint-page")).to_contain_text("This address names no complaint.")
    page.locator("#back-to-table").click()
    expect(page.locator("#result-count")).to_have_text("75 predictions")


def test_no_screen_cuts_an_outcome_or_hides_a_complaint_that_is_opened(browser: Browser, tmp_path: Path) -> None:
    long = {"company": "International " * 6, "product": "Checking or savings account " * 3}
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(85_352_602, probability=0.2, **long)])
    append(tmp_path / "warehouse", COMPLAINTS, [complaint(85_352_602)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints")
        for width, height in ((1440, 900), (900, 1000), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            assert rows(page)[0][0] == "85352602"
            page.locator(".outcome").scroll_into_view_if_needed()
            expect(page.locator(".outcome")).to_have_text("not successful")
            expect(page.locator(".outcome")).to_be_in_viewport(ratio=1)
            page.locator(".predictions tbody tr").click()
            expect(page.locator("#complaint-page .narrative")).to_be_in_viewport()
            widths = [page.locator(each).bounding_box() for each in ("#complaint-page .panel", ".complaint")]
            assert all(box is not None and box["width"] > 0.8 * width for box in widths)
            page.locator("#back-to-table").click()
            expect(page.locator(".predictions")).to_be_visible()


def test_newer_rows_wait_until_they_are_asked_for(browser: Browser, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    append(warehouse, PREDICTIONS, [prediction(number) for number in range(1, 4)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints?sort=-complaint_id")
        assert [row[0] for row in rows(page)] == ["3", "2", "1"]
        append(warehouse, PREDICTIONS, [prediction(number) for number in range(4, 483)])
        expect(page.locator("#show-new")).to_have_text("479 new, show")
        assert [row[0] for row in rows(page)] == ["3", "2", "1"]
        page.locator("#show-new").click()
        expect(page.locator("#result-count")).to_have_text("482 predictions")
        expect(page.locator(".row-link").first).to_have_text("482")
        expect(page.locator("#show-new")).to_be_hidden()
        assert visited.problems == []


def test_complaint_whose_text_is_in_no_table_says_so(browser: Browser, tmp_path: Path) -> None:
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(1, source="kafka")])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints/1")
        expect(page.locator("#complaint-page")).to_contain_text("The text of this complaint is in no table.")


def test_markup_in_a_complaint_stays_text(browser: Browser, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    hostile = {"company": HOSTILE, "product": HOSTILE}
    text = f"{HOSTILE} They lost my payment."
    append(warehouse, PREDICTIONS, [prediction(1, probability=0.5, **hostile)])
    append(warehouse, COMPLAINTS, [complaint(1, consumer_complaint_narrative=text, issue=HOSTILE, **hostile)])
    with serving(tmp_path) as (address, _), visit(browser, address) as visited:
        page = visited.open("/complaints")
        assert HOSTILE in rows(page)[0]
        page.locator(".predictions tbody tr").click()
        expect(page.locator("#complaint-page .narrative")).to_have_text(text)
        assert page.locator("#complaint-page mark").all_inner_texts() == ["lost", "payment"]
        visited.open("/review")
        expect(page.locator("#review-detail .narrative")).to_have_text(text)
        visited.open("/")
        page.wait_for_selector("#graph-companies .main-svg", state="attached")
        until(page, lambda: page.title() == "Today · Solosolve")
        assert page.locator("img[src=x]").count() == 0
        assert visited.problems == []


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
