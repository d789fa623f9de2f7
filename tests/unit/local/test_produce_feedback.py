from __future__ import annotations

import logging
from pathlib import Path

import pytest

from solosolve.local.produce_feedback import read_feedback_events
from support.feedback_events import as_csv, as_json_lines, event


def test_events_of_a_folder_become_messages(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_json_lines([event("a", 1), event("b", 2, outcome="won")]) + b"{\n[1]\n")
    (tmp_path / "b.csv").write_text(as_csv([event("c", 3)]), newline="")
    with caplog.at_level(logging.WARNING):
        found = list(read_feedback_events(tmp_path))
    # An outcome that does not exist is sent, so that it becomes a dead letter.
    assert found == [event("a", 1), event("b", 2, outcome="won"), event("c", 3) | {"complaint_id": "3"}]
    assert "skipped 2 unreadable records, the first: " in caplog.text
    assert "a.jsonl, line 3: Input data was truncated" in caplog.text
