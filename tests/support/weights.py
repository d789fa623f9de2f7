"""What a page weighs: the scripts that a browser fetches, in bytes over the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page


@dataclass
class Weights:
    """The scripts that a page has fetched.

    Attributes:
        scripts: Address of each script to its bytes over the wire, headers included.
        lifetimes: Address of each script to what its `Cache-Control` header says.
    """

    scripts: dict[str, int] = field(default_factory=dict)
    lifetimes: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Bytes of all scripts."""
        return sum(self.scripts.values())


def weigh(page: Page) -> Weights:
    """Weighs what a page fetches from now on."""
    weights, addresses = Weights(), {}
    session: Any = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def note(event: dict[str, Any]) -> None:
        if event["type"] == "Script":
            response = event["response"]
            addresses[event["requestId"]] = response["url"]
            headers = {name.lower(): value for name, value in response["headers"].items()}
            weights.lifetimes[response["url"]] = headers.get("cache-control", "")

    def add(event: dict[str, Any]) -> None:
        if event["requestId"] in addresses:
            weights.scripts[addresses[event["requestId"]]] = int(event["encodedDataLength"])

    handlers: dict[str, Callable[[dict[str, Any]], None]] = {
        "Network.responseReceived": note, "Network.loadingFinished": add,
    }  # fmt: skip
    for name, handler in handlers.items():
        session.on(name, handler)
    return weights
