"""A real browser before a real dashboard: the WSGI server that serves people, and what goes wrong on a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Page

LAPTOP = (1440, 900)


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.address + path)
        self.page.wait_for_selector("#view-overview, #view-complaints", state="attached")
        return self.page


def until(page: Page, is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for something on a page; Playwright's own waiting for scripts needs what the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        page.wait_for_timeout(100)


@contextmanager
def visit(
    browser: Browser, address: str, size: tuple[int, int] = LAPTOP, *, is_dark: bool = False,
    login: tuple[str, str] | None = None,
) -> Iterator[Visit]:  # fmt: skip
    """A browser's page; whatever it complains of, or asks of other hosts, is kept."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if is_dark else "light",
        http_credentials={"username": login[0], "password": login[1]} if login else None,
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    found = Visit(page, address)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.problems.append(f"{message.type}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: found.problems.append(f"page error: {error}"))
    page.on("request", lambda request: _note_outside(found, request.url))
    yield found
    context.close()


def _note_outside(found: Visit, url: str) -> None:
    if not url.startswith((found.address, "data:", "blob:")):
        found.outside.append(url)
