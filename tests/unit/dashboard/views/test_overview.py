from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.drawing import PanelCache
from solosolve.dashboard.views.overview import PANELS, changes_since, overview_view
from solosolve.names import MODEL_EVENTS, PREDICTIONS, STREAM_PROGRESS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import append, batch, folder, prediction


class Page:
    """A page of one browser: it polls, and remembers what it was sent."""

    def __init__(self, warehouse: Path) -> None:
        self._answers = Answers(DeltaReader(warehouse))
        self._cache = PanelCache(self._answers)
        self.seen: Any = {}

    def poll(self, search: object = "", path: object = "/") -> dict[str, Any]:
        """Polls once, and returns what has changed by name."""
        names = [*(panel.name for panel in PANELS), "banner", "freshness", "seen"]
        values = changes_since(self._answers, self._cache, search, path, self.seen)
        changes = {
            name: value for name, value in zip(names, values, strict=True) if not isinstance(value, type(no_update))
        }
        self.seen = changes.get("seen", self.seen)
        return changes


def test_panels_have_different_names_and_a_frame_each() -> None:
    names = [panel.name for panel in PANELS]
    assert len(set(names)) == len(names)
    shown = as_json(overview_view())
    assert all(f'"id": "panel-{name}"' in shown for name in names)
    assert '"id": "threshold-results"' in shown


def test_first_poll_sends_everything_and_the_next_one_nothing(full_warehouse: Path) -> None:
    page = Page(full_warehouse)
    assert set(page.poll()) == {*(panel.name for panel in PANELS), "freshness", "seen"}
    assert page.poll() == {}


def test_poll_sends_the_panels_of_a_table_with_a_new_commit(warehouse: Path) -> None:
    page = Page(warehouse)
    page.poll()
    append(warehouse, PREDICTIONS, [prediction(1_000)])
    expected = {panel.name for panel in PANELS if PREDICTIONS in panel.tables}
    changes = page.poll()
    assert set(changes) - {"seen"} <= expected
    assert {"stream", "time", "companies", "seen"} <= set(changes)


def test_poll_of_another_view_sends_no_panel(full_warehouse: Path) -> None:
    assert set(Page(full_warehouse).poll(path="/complaints")) == {"freshness", "seen"}


def test_poll_with_other_filters_sends_the_panels_that_they_act_on(full_warehouse: Path) -> None:
    page = Page(full_warehouse)
    page.poll()
    changes = page.poll("?state=CA")
    assert "companies" in changes
    assert "training" not in changes


def test_invalid_address_raises_a_banner_and_shows_everything(full_warehouse: Path) -> None:
    page = Page(full_warehouse)
    changes = page.poll("?model=x")
    assert text_of(changes["banner"]).startswith("No filters are applied, because the address has an invalid one: ")
    assert "companies" in changes
    assert page.poll("")["banner"] == []


def test_unreadable_panel_is_emptied_only_when_the_filters_change(warehouse: Path) -> None:
    page = Page(warehouse)
    page.poll()
    append(warehouse, MODEL_EVENTS, [])
    (folder(warehouse, MODEL_EVENTS) / "_delta_log" / f"{1:020}.json").write_text("broken", encoding="utf-8")
    changes = page.poll()
    assert "Model ledger: " in text_of(changes["banner"])
    assert "ledger" not in changes
    assert text_of(page.poll("?state=CA")["ledger"]).startswith(
        "This panel could not be loaded; the message at the top"
    )


def test_freshness_is_the_end_of_the_newest_batch(warehouse: Path) -> None:
    page = Page(warehouse)
    page.poll()
    newest = batch(500)
    append(warehouse, STREAM_PROGRESS, [newest])
    assert newest["ended_at"].isoformat() in as_json(page.poll()["freshness"])


def test_freshness_before_the_first_batch_says_so(tmp_path: Path) -> None:
    page = Page(tmp_path)
    assert text_of(page.poll()["freshness"]) == "No stream yet"
    assert "freshness" not in page.poll()


@pytest.mark.parametrize("seen", [None, 7, [], "x"])
def test_page_that_sends_nonsense_is_sent_everything(full_warehouse: Path, seen: object) -> None:
    page = Page(full_warehouse)
    page.seen = seen
    assert {panel.name for panel in PANELS} <= set(page.poll())
