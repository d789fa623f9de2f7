from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.views.drawing import PanelCache
from solosolve.dashboard.views.refresh import changes_since
from solosolve.dashboard.views.rooms import PANELS, SECTIONS, panel_room, panels_of
from solosolve.dashboard.views.routes import TODAY, room_of
from solosolve.names import COMPLAINTS, MODEL_EVENTS, PREDICTIONS, STREAM_PROGRESS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import append, batch, complaint, folder, prediction


class Page:
    """A page of one browser: it polls, and remembers what it was sent."""

    def __init__(self, warehouse: Path) -> None:
        self._answers = Answers(DeltaReader(warehouse))
        self._cache = PanelCache(self._answers)
        self.seen: Any = {}
        self.beside: dict[str, Any] = {}

    def poll(self, search: object = "", path: object = "/") -> dict[str, Any]:
        """Polls once, and returns what has changed by name."""
        names = [*(panel.name for panel in PANELS), "banner", "checklist", "newest", "seen"]
        shown = {**(self.seen if isinstance(self.seen, dict) else {}), **self.beside}
        values, signals = changes_since(self._answers, self._cache, search, path, shown)
        changes = {
            name: value for name, value in zip(names, values, strict=True) if not isinstance(value, type(no_update))
        }
        self.seen = changes.get("seen", self.seen)
        self.beside |= {"newest": changes["newest"]} if "newest" in changes else {}
        changes |= dict.fromkeys(signals)
        return changes


def test_panels_have_different_names_and_a_frame_each() -> None:
    names = [panel.name for panel in PANELS]
    assert len(set(names)) == len(names)
    shown = as_json([panel_room(room) for room in SECTIONS])
    assert all(f'"id": "panel-{name}"' in shown for name in names)
    assert '"id": "threshold-results"' in shown


@pytest.mark.parametrize("path", ["/", "/model", "/data", "/review"])
def test_first_poll_of_a_room_sends_its_panels_and_the_next_one_nothing(full_warehouse: Path, path: str) -> None:
    page = Page(full_warehouse)
    expected = {panel.name for panel in panels_of(room_of(path))}
    assert set(page.poll(path=path)) == {*expected, "newest", "seen", "checklist"}
    assert page.poll(path=path) == {}


def test_poll_sends_the_panels_of_a_table_with_a_new_commit(warehouse: Path) -> None:
    page = Page(warehouse)
    page.poll()
    append(warehouse, PREDICTIONS, [prediction(1_000)])
    expected = {panel.name for panel in panels_of(TODAY) if PREDICTIONS in panel.tables}
    changes = page.poll()
    assert set(changes) - {"seen"} <= expected
    assert {"time", "companies", "seen"} <= set(changes)


def test_poll_with_other_filters_sends_the_panels_that_they_act_on(full_warehouse: Path) -> None:
    page = Page(full_warehouse)
    page.poll(path="/model")
    changes = page.poll("?state=CA", path="/model")
    assert "calibration" in changes
    assert "ledger" not in changes


def test_invalid_address_raises_a_banner_and_shows_everything(full_warehouse: Path) -> None:
    page = Page(full_warehouse)
    changes = page.poll("?model=x")
    assert text_of(changes["banner"]).startswith("No filters are applied, because the address has an invalid one: ")
    assert "companies" in changes
    assert page.poll("")["banner"] == []


def test_unreadable_table_is_named_once_without_a_path_and_its_panels_keep_their_last_state(warehouse: Path) -> None:
    page = Page(warehouse)
    page.poll(path="/model")
    append(warehouse, MODEL_EVENTS, [])
    (folder(warehouse, MODEL_EVENTS) / "_delta_log" / f"{1:020}.json").write_text("broken", encoding="utf-8")
    changes = page.poll(path="/model")
    banner = text_of(changes["banner"])
    assert banner.startswith("Cannot be read since ")
    assert banner.count("gold.model_events") == 1
    assert str(warehouse) not in as_json(changes)
    assert "stale-mark" in as_json(changes["ledger"])
    other = page.poll("?state=CA", path="/model")
    assert "could not be loaded" in text_of(other["calibration"])
    assert set(page.poll("?state=CA", path="/complaints")) - {"seen"} == {"retry"}


def test_newest_batch_is_when_it_ended(warehouse: Path) -> None:
    page = Page(warehouse)
    page.poll()
    newest = batch(500)
    append(warehouse, STREAM_PROGRESS, [newest])
    assert page.poll()["newest"] == newest["ended_at"].isoformat()


def test_home_without_tables_has_one_checklist(tmp_path: Path) -> None:
    page = Page(tmp_path)
    changes = page.poll()
    commands = [f"solosolve run {job}" for job in ("medallion", "train_model", "score_batch")]
    shown = as_json(changes)
    assert [shown.count(command) for command in commands] == [1, 1, 1]
    assert changes["newest"] is None
    assert page.poll() == {}


def test_checklist_ticks_what_is_done_and_goes_when_all_is(warehouse: Path, tmp_path: Path) -> None:
    append(tmp_path / "begun", COMPLAINTS, [complaint(1)])
    begun = text_of(Page(tmp_path / "begun").poll()["checklist"])
    assert "Land and label complaints – done" in " ".join(begun.split())
    assert Page(warehouse).poll()["checklist"] is None


@pytest.mark.parametrize("seen", [None, 7, [], "x"])
def test_page_that_sends_nonsense_is_sent_everything(full_warehouse: Path, seen: object) -> None:
    page = Page(full_warehouse)
    page.seen = seen
    assert {panel.name for panel in panels_of(TODAY)} <= set(page.poll())
