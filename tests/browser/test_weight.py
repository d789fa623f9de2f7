from __future__ import annotations

from playwright.sync_api import Browser

from solosolve.dashboard.web.scripts import FOR_GOOD, PLOTLY_VERSION
from support.browsers import Visit, visit, wait_until_drawn
from support.weights import weigh


def test_page_loads_the_small_plotly_and_every_script_for_good(laptop: Visit) -> None:
    weights = weigh(laptop.page)
    page = laptop.open()
    wait_until_drawn(page)
    assert page.evaluate("Plotly.version") == PLOTLY_VERSION
    assert not any("package_data/plotly.min.js" in address for address in weights.scripts)
    assert weights.lifetimes == dict.fromkeys(weights.scripts, FOR_GOOD)
    assert all(size < 450_000 for size in weights.scripts.values()), weights.scripts


def test_second_visit_fetches_no_script(browser: Browser, full_dashboard: str) -> None:
    with visit(browser, full_dashboard) as visited:
        wait_until_drawn(visited.open())
        weights = weigh(visited.page)
        wait_until_drawn(visited.open("/?state=CA"))
        assert weights.total == 0
        assert visited.problems == []
