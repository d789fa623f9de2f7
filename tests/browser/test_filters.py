from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, figure_data, until, wait_until_drawn


def test_chosen_filter_acts_on_panels_and_is_in_the_address(laptop: Visit, full_home: Path) -> None:
    page = laptop.open()
    wait_until_drawn(page)
    page.locator("#filter-product").click()
    page.get_by_role("option", name="Mortgage").or_(
        page.locator(".dash-dropdown-option", has_text="Mortgage")
    ).first.click()
    page.wait_for_url("**/?product=Mortgage")
    reader = DeltaReader(full_home / "warehouse")
    expected = reader.query("select count(*) as n from gold.predictions where product = 'Mortgage'").to_pylist()[0]["n"]
    until(page, lambda: sum(figure_data(page, "distribution")[0]["y"]) == expected)
    tested = reader.query(
        "select count(*) as n from gold.test_scores where product = 'Mortgage' and model_version = 2"
    ).to_pylist()[0]["n"]
    expect(page.locator("#panel-cards")).to_contain_text(f"on {tested} test complaints")


def test_address_sets_the_filters_and_clear_empties_it(laptop: Visit) -> None:
    page = laptop.open("/?state=CA&state=TX&model=2&from=2020-01-01")
    wait_until_drawn(page)
    until(page, lambda: set(figure_data(page, "states")[0]["locations"]) == {"CA", "TX"})
    expect(page.locator("#filter-state")).to_contain_text("CA")
    page.locator("#filter-clear").click()
    until(page, lambda: page.evaluate("location.search") == "")


def test_invalid_address_is_explained_and_shows_everything(laptop: Visit) -> None:
    page = laptop.open("/?model=x")
    wait_until_drawn(page)
    banner = page.locator("#banner")
    expect(banner).to_contain_text("No filters are applied")
    expect(banner).to_contain_text("model: expected a model version such as 2, found 'x'")


def test_invalid_day_is_explained_next_to_the_filters(laptop: Visit) -> None:
    page = laptop.open()
    # A field that is filled before the page has its data is drawn again, empty.
    expect(page.locator("#panel-cards")).to_contain_text("Version")
    page.locator("#filter-from").fill("2026-13-45")
    page.locator("#filter-from").press("Enter")
    error = "from: expected a date such as 2026-01-31, found '2026-13-45'"
    expect(page.locator("#filter-error")).to_have_text(error)


def test_selected_version_is_compared_with_the_champion(laptop: Visit) -> None:
    page = laptop.open("/?model=1")
    expect(page.locator("#panel-cards")).to_contain_text("Version 1, measured on 400 test complaints")
    expect(page.locator("#panel-cards")).to_contain_text("vs version 2")
