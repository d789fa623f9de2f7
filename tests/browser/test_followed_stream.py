from __future__ import annotations

from playwright.sync_api import Browser, expect

from support.browsers import visit
from support.dashboard_process import serving
from support.live import Live, request


def test_page_follows_the_stream_and_explains_what_it_scored(browser: Browser, live: Live) -> None:
    live.add_requests([request(number) for number in range(1, 11)])
    live.stream()
    with serving(live.settings.home) as (address, _), visit(browser, address) as visited:
        page = visited.open("/data")
        processed = page.locator("#panel-stream .tile-value").first
        expect(processed).to_have_text("10")
        expect(page.locator(".freshness.live")).to_contain_text("s ago")
        live.add_requests([request(number) for number in range(11, 36)])
        live.stream()
        expect(processed).to_have_text("35")
        expect(page.locator("#panel-stream")).to_contain_text("scored by version 1")
        visited.open("/complaints")
        page.locator("#search-id").fill("35")
        page.locator("#search-id").press("Enter")
        expect(page.locator(".row-link")).to_have_text(["35"])
        page.locator(".predictions tbody tr").click()
        # The text comes from the request, the explanation from the model that scored it.
        expect(page.locator("#complaint-page .narrative")).to_contain_text("They lost my payment.")
        expect(page.locator(".effects tbody th").first).to_have_text("length of the text")
        assert visited.problems == []
