"""Polls a room as a browser does, without the browser."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Poller:
    """Polls for one browser and, like a page, remembers what it has been sent."""

    address: str
    search: str = ""
    path: str = "/"
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    stores: dict[str, Any] = field(default_factory=lambda: {"seen": {}})

    def __post_init__(self) -> None:
        callbacks = self.client.get(f"{self.address}/_dash-dependencies").json()
        self._callback = next(each for each in callbacks if "panel-cards.children" in each["output"])

    def poll(self) -> tuple[float, dict[str, Any]]:
        """Polls once.

        Returns:
            How long it took in seconds, and the panels that the answer holds.
        """
        values = {"search": self.search, "pathname": self.path, "n_intervals": 1}
        names = [part.rsplit(".", 1) for part in self._callback["output"].strip(".").split("...")]
        body = {
            "output": self._callback["output"],
            "outputs": [{"id": name, "property": part} for name, part in names],
            "inputs": [{**each, "value": values[each["property"]]} for each in self._callback["inputs"]],
            "state": [{**each, "value": self.stores.get(each["id"])} for each in self._callback["state"]],
            "changedPropIds": ["clock.n_intervals"],
        }
        started = time.perf_counter()
        answer = self.client.post(f"{self.address}/_dash-update-component", json=body)
        seconds = time.perf_counter() - started
        if answer.status_code == 204:
            return seconds, {}
        assert answer.status_code == 200, answer.text
        received: dict[str, Any] = answer.json()["response"]
        self.stores |= {name: changed["data"] for name, changed in received.items() if "data" in changed}
        return seconds, received
