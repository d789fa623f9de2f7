"""A real browser on a running dashboard: its page, whatever goes wrong on it, and waits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

LAPTOP = (1440, 900)
ROOM_GRAPHS = {
    "/": ("time", "distribution", "states", "companies"),
    "/model": ("calibration", "drift", "versions"),
    "/data": ("batches",),
}
"""The figures of each room that has any."""

_QUIET_LOOKS = 5
_LOOK = """[
    document.body.innerHTML.length,
    document.documentElement.scrollWidth,
    document.documentElement.scrollHeight,
    document.getAnimations().filter(each => each.playState === "running").length,
]"""
_FIGURE = """name => JSON.stringify(document.querySelector(`#graph-${name} .js-plotly-plot`).data.map(trace => ({
    name: trace.name,
    x: Array.from(trace.x ?? []),
    y: Array.from(trace.y ?? []),
    customdata: trace.customdata,
})))"""


@dataclass
class Visit:
    """A page of a dashboard.

    Attributes:
        page: The page.
        address: The dashboard's address.
        problems: Console errors, console warnings and page errors so far.
        outside_requests: Addresses of other hosts that the page asked for.
    """

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)
    outside_requests: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.address + path)
        self.page.wait_for_selector("#rooms-content", state="attached")
        return self.page


@contextmanager
def visit(
    browser: Browser,
    address: str,
    size: tuple[int, int] = LAPTOP,
    *,
    is_dark: bool = False,
    login: tuple[str, str] | None = None,
) -> Iterator[Visit]:
    """Opens a page in a browser context of its own and records its problems and outside requests."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if is_dark else "light",
        http_credentials={"username": login[0], "password": login[1]} if login else None,
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    visited = Visit(page, address)

    def note_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visited.problems.append(f"{message.type}: {message.text}")

    def note_request(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            visited.outside_requests.append(url)

    page.on("console", note_message)
    page.on("pageerror", lambda error: visited.problems.append(f"page error: {error}"))
    page.on("request", lambda request: note_request(request.url))
    yield visited
    context.close()


def until(page: Page, condition: Callable[[], bool], seconds: float = 20) -> None:
    """Polls a page until a condition holds.

    Playwright's own `wait_for_function` evaluates strings, which the page's content security policy forbids.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
        page.wait_for_timeout(100)


def wait_until_settled(page: Page) -> None:
    """Waits until several looks in a row find the same content, the same size and the same running animations."""
    looks: list[Any] = []

    def is_settled() -> bool:
        looks.append(page.evaluate(_LOOK))
        recent = looks[-_QUIET_LOOKS:]
        return len(recent) == _QUIET_LOOKS and all(look == recent[0] for look in recent)

    until(page, is_settled)


def wait_until_drawn(page: Page, path: str = "/") -> None:
    """Waits until a room shows every figure."""
    for name in ROOM_GRAPHS[path]:
        page.wait_for_selector(f"#graph-{name} .main-svg", state="attached")


def wait_for_view(page: Page, path: str) -> None:
    """Waits until the view at a path shows its data and has settled."""
    if path == "/complaints":
        page.wait_for_selector(".predictions .row-link")
    elif path == "/review":
        page.wait_for_selector("#review-detail h3")
        page.wait_for_selector("#review-detail .effects")
    else:
        wait_until_drawn(page, path)
    wait_until_settled(page)


def figure_data(page: Page, name: str) -> list[dict[str, Any]]:
    """The traces of a figure, as the browser has them."""
    traces: list[dict[str, Any]] = json.loads(page.evaluate(_FIGURE, name))
    return traces
