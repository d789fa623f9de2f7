"""A process that is killed while Delta makes a table leaves a log without commits; the next one makes the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solosolve.names import MODEL_EVENTS
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.tables import Tables


def staged_commits(log: Path) -> None:
    (log / "_staged_commits").mkdir(parents=True)


def first_commit_half_written(log: Path) -> None:
    staged_commits(log)
    (log / f".{0:020}.json.8d1e.tmp").write_text('{"commitInfo"', encoding="utf-8")


def no_log(log: Path) -> None:
    log.parent.mkdir(parents=True)


@pytest.mark.parametrize("left", [staged_commits, first_commit_half_written, no_log])
def test_table_whose_making_was_cut_off_is_made(tables: Tables, left: Callable[[Path], None]) -> None:
    left(tables.settings.table_folder(MODEL_EVENTS) / "_delta_log")
    record_event(tables, 1, ModelEvent.TRAINED, {})
    assert tables.read(MODEL_EVENTS).select("model_version").collect() == [(1,)]
