"""Upkeep of a table that a stream reads commit by commit, while that stream is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.errors import TableError
from solosolve.flows import maintain_tables
from solosolve.names import REQUESTS
from solosolve.storage.waiting_rows import WaitingRows
from solosolve.streaming.kept_requests import KEPT_NOTE, keep
from support.live import Live, request


def data_files(live: Live) -> set[Path]:
    return set(live.settings.table_folder(REQUESTS).glob("*.parquet"))


def maintain(live: Live) -> None:
    assert live.spark is not None
    maintain_tables.run(live.spark, live.settings, retention_hours=0)


def keep_requests(live: Live) -> None:
    rows = live.tables.read(REQUESTS).limit(1)
    keep(live.tables, rows.selectExpr("* EXCEPT (source)", "'kafka' AS source"), None)


def test_requests_kept_while_the_stream_of_the_table_is_stopped_hold_up_no_upkeep_and_stay_readable(
    scored: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Upkeep of the other tables would take most of the time.
    monkeypatch.setattr(maintain_tables, "MADE_BY", {REQUESTS: ""})
    unread = scored.tables.version(REQUESTS) + 1
    for _ in range(2):
        keep_requests(scored)
    folder = scored.settings.table_folder(REQUESTS)
    assert [WaitingRows(folder, note).from_position(unread, -1) for note in (KEPT_NOTE, "")] == [0, 2]
    before = data_files(scored)
    # The second time, the table has also been compacted since the stream stopped.
    for _ in range(2):
        maintain(scored)
    assert data_files(scored) > before
    scored.add_requests([request(7)])
    with pytest.raises(TableError, match="stream score_stream_delta has not read commit"):
        maintain(scored)
    assert scored.stream().request_count == 1
    maintain(scored)
    assert not data_files(scored) & before
