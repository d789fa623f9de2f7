"""What a browser sends when it polls the overview, without the browser."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Poller:
    """One browser's worth of polling; it remembers what it has been sent, as a page does."""

    address: str
    search: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    seen: dict[str, Any] = field(default_factory=dict)
    body_bytes: int = 0

    def __post_init__(self) -> None:
        known = self.client.get(f"{self.address}/_dash-dependencies").json()
        self._callback = next(each for each in known if "panel-cards.children" in each["output"])

    def poll(self) -> tuple[float, dict[str, Any]]:
        """Asks once.

        Returns:
            Seconds, and the panels that came.
        """
        values = {"search": self.search, "pathname": "/", "n_intervals": 1}
        names = [part.rsplit(".", 1) for part in self._callback["output"].strip(".").split("...")]
        body = {
            "output": self._callback["output"],
            "outputs": [{"id": name, "property": part} for name, part in names],
            "inputs": [{**each, "value": values[each["property"]]} for each in self._callback["inputs"]],
            "state": [{**each, "value": self.seen} for each in self._callback["state"]],
            "changedPropIds": ["clock.n_intervals"],
        }
        started = time.perf_counter()
        answer = self.client.post(f"{self.address}/_dash-update-component", json=body)
        seconds = time.perf_counter() - started
        self.body_bytes = len(answer.content)
        if answer.status_code == 204:
            return seconds, {}
        assert answer.status_code == 200, answer.text
        came: dict[str, Any] = answer.json()["response"]
        self.seen = came.get("seen", {}).get("data", self.seen)
        return seconds, came
