"""Browser tests: Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from support.browsers import Visit, visit
from support.dashboard_process import serving
from support.warehouses import write_everything

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed; run: apt install chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, the user of most containers.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        # The page polls every five seconds.
        expect.set_options(timeout=20_000)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with rows in every table but feedback; tests only read it."""
    home = tmp_path_factory.mktemp("full_home")
    write_everything(home / "warehouse", now=datetime.now(UTC).replace(microsecond=0))
    return home


@pytest.fixture(scope="session")
def full_dashboard(full_home: Path) -> Iterator[str]:
    with serving(full_home) as (address, _):
        yield address


@pytest.fixture
def laptop(browser: Browser, full_dashboard: str) -> Iterator[Visit]:
    """A page of laptop size, which must stay free of problems and ask no other host for anything."""
    with visit(browser, full_dashboard) as visited:
        yield visited
        assert visited.problems == []
        assert visited.outside_requests == []
