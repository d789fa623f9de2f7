from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from solosolve.storage.delta_reader import DeltaReader
from support.browsers import Visit, figure_data, until, wait_until_drawn


def test_chosen_filter_acts_on_panels_and_is_in_the_address(laptop: Visit, full_home: Path) -> None:
    page = laptop.open()
    wait_until_drawn(page)
    page.locator("#filter-product").click()
    page.get_by_role("option", name="Mortgage").click()
    page.wait_for_url("**/?product=Mortgage")
    reader = DeltaReader(full_home / "warehouse")
    expected = reader.query("select count(*) as n from gold.predictions where product = 'Mortgage'").to_pylist()[0]["n"]
    until(page, lambda: sum(figure_data(page, "distribution")[0]["y"]) == expected)


def test_address_sets_the_filters_and_clear_empties_it(laptop: Visit) -> None:
    page = laptop.open("/?state=CA&state=TX&model=2&from=2020-01-01&received-to=2030-01-31")
    wait_until_drawn(page)
    expect(page.get_by_role("region", name="Filters")).to_contain_text("CA")
    expect(page.locator("#filter-scored")).to_contain_text("2020-01-01")
    expect(page.locator("#filter-received")).to_contain_text("2030-01-31")
    page.locator("#filter-clear").click()
    until(page, lambda: page.evaluate("location.search") == "")
    expect(page.locator("#filter-scored")).to_contain_text("Any day")


def test_invalid_address_is_explained_and_shows_everything(laptop: Visit) -> None:
    page = laptop.open("/?model=x")
    wait_until_drawn(page)
    banner = page.locator("#banner")
    expect(banner).to_contain_text("No filters are applied")
    expect(banner).to_contain_text("model: expected a model version such as 2, found 'x'")


def test_periods_are_named_after_what_they_filter(laptop: Visit) -> None:
    page = laptop.open()
    for name, label in (("scored", "Scored"), ("received", "Received")):
        expect(page.get_by_label(label, exact=True)).to_have_attribute("id", f"filter-{name}")


def test_company_is_found_by_what_is_typed(laptop: Visit) -> None:
    page = laptop.open()
    page.locator("#filter-company").fill("elm")
    page.get_by_role("option", name="Elm Bank").click()
    page.wait_for_url("**/?company=Elm+Bank")
